"""Settings are checked before the first step; after a failure of the team's code, its traceback."""

import re
from importlib import import_module
from pathlib import Path

import mlops_platform
import pandas as pd
import pytest
from mlops_platform import pipelines
from mlops_platform.cli import pipelines as checked
from mlops_platform.core.errors import CodeError, UsageError
from mlops_platform.pipelines import runner

STEPS = Path(mlops_platform.__file__).parent / "steps"
READERS = {
    "train": "load_train(",
    "gates": "load_gates(",
    "data": 'load_contract(conf / "data.yml"',
    "truth": " config.load(conf)",
}
FAULTS = {
    "project.yml": ("stage", "nowhere"),
    "train.yml": ("seed", "many"),
    "gates.yml": ("resamples", "many"),
    "data.yml": ("min_rows", "many"),
    "model_card.yml": ("colour", "red"),
}


@pytest.mark.parametrize("step", sorted(path.stem for path in STEPS.glob("[!_]*.py")))
def test_the_table_names_what_the_step_reads(step):
    text = (STEPS / f"{step}.py").read_text(encoding="utf-8")
    text = text.replace("load_contract(source,", 'load_contract(conf / "data.yml",')  # of `mask`
    read = {file for file, call in READERS.items() if call in text}
    assert read == checked.READ_BY.get(step, set())


@pytest.mark.parametrize("file", FAULTS)
def test_a_fault_stops_before_the_first_step(mlops, workspace, file):
    field, value = FAULTS[file]
    workspace.change(file, **{field: value})
    code, _, err = mlops(workspace, "run", "pipelines/train.yml")
    assert code == 2
    assert f"conf/{file}" in err
    assert field in err
    assert "started" not in err
    assert not (workspace.root / "outputs").exists()


def test_all_faults_are_named_at_once(workspace):
    for file, (field, value) in FAULTS.items():
        if file != "project.yml":  # without it, the others cannot be read
            workspace.change(file, **{field: value})
    with pytest.raises(UsageError) as caught:
        checked.require_settings(pipelines.load(workspace.root / "pipelines" / "train.yml"))
    named = set(re.findall(r"conf/(\w+\.yml)", str(caught.value)))
    assert named == set(FAULTS) - {"project.yml"}


@pytest.mark.parametrize(
    ("pipeline", "file"),
    [("batch", "gates.yml"), ("monitor", "train.yml"), ("train", "ethics.yml")],
)
def test_a_fault_in_a_file_that_no_step_reads_stops_nothing(workspace, pipeline, file):
    (workspace.conf / file).write_text("- broken\n")
    checked.require_settings(pipelines.load(workspace.root / "pipelines" / f"{pipeline}.yml"))


def test_a_failure_of_the_teams_code_is_one_line_and_the_way_to_its_traceback(
    mlops, workspace, monkeypatch
):
    def select(rows: pd.DataFrame) -> None:
        raise KeyError("amount")

    monkeypatch.setattr(import_module("credit_risk.data"), "select", select, raising=False)
    code, _, err = mlops(workspace, "run", "pipelines/train.yml")
    assert code == 2
    assert "ERROR src/credit_risk/data.py, select(): KeyError: 'amount' (line" in err
    assert err.endswith("The whole traceback is in .mlops/error.log.")
    log = (workspace.root / ".mlops" / "error.log").read_text()
    assert log.startswith("Traceback (most recent call last):\n")
    assert f'File "{__file__}"' in log
    assert log.endswith("KeyError: 'amount'\n")


def test_in_a_job_the_traceback_is_in_the_jobs_log(tmp_path, monkeypatch, capsys):
    from mlops_platform import cli  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)
    try:
        try:
            raise KeyError("amount")
        except KeyError as error:
            raise CodeError("data.py: KeyError") from error
    except CodeError as error:
        assert cli._keep_details(error) == ""
    assert "KeyError: 'amount'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_program_of_the_team_is_one_line_too(tmp_path):
    (tmp_path / "job.yml").write_text(
        "type: pipeline\njobs:\n  own:\n    type: command\n    code: .\n"
        "    command: python -c '[][1]'\n"
    )
    with pytest.raises(CodeError) as caught:
        runner.run(tmp_path / "job.yml", root=tmp_path, invoke=print)
    assert str(caught.value) == "step 'own': IndexError: list index out of range"
    assert caught.value.details.startswith("Traceback (most recent call last):")


def test_the_line_says_which_step_runs(mlops, workspace):
    (workspace.raw / "credit.csv").write_text("nothing\n")
    _, _, err = mlops(workspace, "run", "pipelines/train.yml")
    assert err.startswith("train: validate started, step 1 of 7")
