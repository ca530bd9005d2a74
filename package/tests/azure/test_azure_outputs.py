"""The evidence of a version that Azure ML trained comes here whole, or nothing changes."""

import os
import shutil
from pathlib import Path

import pytest
from mlops_platform.pipelines import load
from mlops_platform.pipelines.outputs import require_latest

from package.tests.azure import scenarios
from package.tests.azure.scenarios import PROJECT, Runner, Scenario

JOB = "train-1a2b-1"
STEPS = {
    "validate": ["evidence"],
    "prepare": ["data"],
    "train": ["model", "evidence"],
    "evaluate": ["evidence"],
    "compare": ["evidence"],
    "register": ["evidence"],
    "report": ["report"],
}


@pytest.fixture
def left(new: Scenario, tmp_path: Path) -> Path:
    """What the job of version 1 left in Azure ML; here, something of an earlier run lies."""
    folder = tmp_path / "azure" / JOB
    for step, outputs in STEPS.items():
        for output in outputs:
            (folder / step / output).mkdir(parents=True)
            (folder / step / output / "file").write_text(f"{step} {output}")
    new.change(models=scenarios.version("1", "challenger", job=JOB), left={JOB: str(folder)})
    new.change(tracking="azureml://workspace-of-dev")
    before = new.root / "outputs" / "train" / "run-1" / "validate" / "evidence"
    before.mkdir(parents=True)
    (before / "file").write_text("of before")
    (new.root / "outputs" / "train" / "latest.txt").write_text("run-1")
    return folder


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stores that the checks looked into; they themselves have tests of their own."""
    stores: list[str] = []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "set by the command")
    monkeypatch.setattr(
        "mlops_platform.cli.ethics.run_checks",
        lambda conf, as_json: stores.append(os.environ["MLFLOW_TRACKING_URI"]),
    )
    return stores


def lying(scenario: Scenario) -> dict[str, str]:
    """All files of the last training, here."""
    home = require_latest(scenario.root / "outputs" / "train")
    return {
        path.relative_to(home).as_posix(): path.read_text()
        for path in home.rglob("*")
        if path.is_file()
    }


def test_it_lies_where_a_run_of_this_machine_leaves_it(
    mlops: Runner, new: Scenario, left: Path, held: list[str]
):
    assert mlops(new, "ethics", "1", "--env", "dev") == "done", mlops.error
    assert lying(new) == {
        f"{step}/{output}/file": f"{step} {output}"
        for step, outputs in STEPS.items()
        for output in outputs
    }
    assert held == ["azureml://workspace-of-dev"]
    assert new.history() == []


def test_a_failure_that_passes_by_itself_is_none(
    mlops: Runner, new: Scenario, left: Path, held: list[str]
):
    new.fail(4, "throttle")
    assert mlops(new, "ethics", "challenger", "--env", "dev") == "done", mlops.error
    assert len(held) == 1


@pytest.mark.parametrize("call", range(1, 12))
def test_what_cannot_be_read_changes_nothing(
    mlops: Runner, new: Scenario, left: Path, held: list[str], call: int
):
    new.fail(call, "auth")
    assert mlops(new, "ethics", "1", "--env", "dev") == "error"
    assert "was denied" in str(mlops.error)
    assert held == []
    if call < 11:  # the last one asks where the runs are; by then, all files are here
        assert lying(new) == {"validate/evidence/file": "of before"}


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("no tag", "version 1 has no tag `job`, the name of its training job in Azure ML"),
        ("no job", f"{JOB} was not found"),
        ("no step", f"job {JOB} has no step `compare`"),
        ("no output", f"job {JOB}.train has no output `model`"),
        ("empty output", f"job {JOB}.train has no output `model`"),
        ("no version", "version 1 of credit-risk is not in the workspace"),
    ],
)
def test_what_is_missing_is_named(
    mlops: Runner, new: Scenario, left: Path, held: list[str], *, fault: str, says: str
):
    if fault == "no tag":
        new.change(models=scenarios.version("1", "challenger"))
    elif fault == "no version":
        new.change(models={})
    elif fault == "no job":
        new.change(left={})
    elif fault == "no step":
        shutil.rmtree(left / "compare")
    else:
        shutil.rmtree(left / "train" / "model")
        if fault == "empty output":
            (left / "train" / "model").mkdir()
    assert says in scenarios.refusal(mlops, new, "ethics", "1", "--env", "dev")
    assert lying(new) == {"validate/evidence/file": "of before"}
    assert held == []


def test_training_has_left_nothing_elsewhere(
    mlops: Runner, new: Scenario, left: Path, held: list[str]
):
    assert "training runs in dev" in scenarios.refusal(mlops, new, "ethics", "1", "--env", "prod")


def test_the_steps_are_those_of_the_pipeline():
    pipeline = load(PROJECT / "pipelines" / "train.yml")
    assert {step.name: sorted(step.outputs) for step in pipeline.steps} == {
        step: sorted(outputs) for step, outputs in STEPS.items()
    }
