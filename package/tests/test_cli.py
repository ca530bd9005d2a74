"""The command line: exit codes 0, 1 and 2, and a message instead of a traceback."""

import json
import os
import subprocess
import sys

import pytest
import yaml
from mlops_platform import cli
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.models import artifact

from package.tests import workspaces

ALL = [command.name or command.callback.__name__ for command in cli.app.registered_commands]
STEPS = {
    "validate": ["--raw", "data/raw", "--out", "x"],
    "prepare": ["--raw", "data/raw", "--validated", "x", "--out", "x"],
    "train": ["--data", "x", "--model", "y", "--out", "x"],
    "evaluate": ["--data", "x", "--model", "y", "--out", "x"],
    "compare": ["--data", "x", "--model", "y", "--evaluation", "x", "--out", "x"],
    "register": ["--model", "y", "--evaluation", "x", "--comparison", "x", "--out", "x"],
    "drift": ["--current", "data/raw", "--out", "x"],
    "score": ["--data", "data/raw", "--scores", "x", "--out", "x"],
    "promote": [],
    "rollback": ["--why", "x"],
    "models": [],
    "runs": [],
    "reproduce": ["1"],
}


@pytest.mark.parametrize("command", ALL)
def test_every_command_helps_and_refuses_what_it_does_not_know(mlops, workspace, command):
    code, out, _ = mlops(workspace, command, "--help")
    assert code == 0
    assert "Usage: mlops" in out
    code, _, err = mlops(workspace, command, "--no-such-option")
    assert code == 2
    assert "No such option" in err


def test_commands_for_azure_are_there_where_it_is(mlops, workspace):
    code, out, _ = mlops(workspace, "--help")
    assert (code, "  azure  " in out) == (0, False)
    assert mlops(workspace, "azure", "--help")[0] == 2
    (workspace.root / "azureml").mkdir()
    code, out, _ = mlops(workspace, "--help")
    assert (code, "  azure  " in out) == (0, True)
    code, out, _ = mlops(workspace, "azure", "--help")
    assert (code, "  rollout  " in out) == (0, True)


@pytest.mark.parametrize("command", sorted(STEPS.keys() - {"register"}))
def test_every_command_names_the_settings_that_it_lacks(mlops, workspace, command):
    (workspace.conf / "project.yml").unlink()
    code, _, err = mlops(workspace, command, *STEPS[command])
    assert code == 2
    assert "ERROR " in err
    assert "conf/project.yml: does not exist" in err


@pytest.mark.parametrize("command", ["train", "evaluate", "compare", "register"])
def test_a_step_names_the_evidence_that_it_lacks(mlops, workspace, command):
    code, _, err = mlops(workspace, command, *STEPS[command])
    assert code == 2
    assert "ERROR " in err
    assert ".json: does not exist" in err or "has no model.skops" in err
    assert not (workspace.root / "y").exists()


@pytest.mark.parametrize(
    ("command", "file", "wrong"),
    [
        ("models", "project.yml", {"stage": "exploring"}),
        ("validate", "data.yml", {"min_rows": "many"}),
        ("prepare", "train.yml", {"seed": "x"}),
        ("train", "gates.yml", {"margin": -1}),
        ("train", "gates.yml", {"metric": "auc"}),
        ("train", "train.yml", {"time_budget_seconds": 0}),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(mlops, trained, command, file, wrong):
    trained.change(file, **wrong)
    given = [
        {"x": str(trained.data), "y": str(trained.root / "y")}.get(word, word)
        for word in STEPS[command]
    ]
    code, _, err = mlops(trained, command, *given)
    assert code == 2
    assert f"conf/{file}, field `{next(iter(wrong))}`" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-command"], "No such command 'no-such-command'"),
        (["run"], "Missing argument 'pipeline'"),
        (
            ["run", "pipelines/x.yml"],
            "pipelines/x.yml: there is no such pipeline. There are pipelines/batch.yml, ",
        ),
        (["run", "pipelines"], "pipelines: there is no such pipeline. There are pipelines/batch"),
        (["run", "pipelines/train.yml", "--input", "raw"], "--input raw: write NAME=VALUE"),
        (["run", "pipelines/train.yml", "--input", "x=1"], "has no input 'x'; it has conf"),
        (["run", "pipelines/train.yml", "--input", "raw=gone"], "field `inputs.raw`: there is no"),
        (["run", "conf/train.yml"], "conf/train.yml, field `parameters`: local runs do not"),
        (["rollback"], "Missing option '--why'"),
        (["rollback", "--why", "x"], "credit-risk has no champion yet"),
        (["reproduce", "7"], "version '7' of credit-risk does not exist; there are: none yet"),
        (["runs", "abc"], "run 'abc': no runs begin so"),
        (["runs", "--limit", "x"], "parse string as an integer"),
        (["serve", "--port", "99999"], "less than or equal to 65535"),
        (["serve"], "credit-risk has no champion yet"),
        (["monitor"], "credit-risk has no champion yet"),
        (["monitor", "--current", "gone"], "field `inputs.current`: there is no"),
        (["validate", "--raw", "gone", "--out", "x"], "gone: there is no such file or folder"),
    ],
)
def test_wrong_use_ends_in_2_and_says_what_is_wrong(mlops, workspace, arguments, says):
    code, _, err = mlops(workspace, *arguments)
    assert code == 2
    assert says in err.replace("│ ", "").replace(" │", "")
    assert list(workspace.root.glob("outputs/*/[!.]*")) == []


def test_a_gate_ends_in_1(mlops, workspace):
    code, _, err = mlops(workspace, "promote")
    assert code == 1
    assert err.startswith("FAILED credit-risk has no challenger to promote")


def test_broken_data_stop_the_pipeline_with_the_evidence(mlops, workspace):
    raw = workspace.raw / "credit.csv"
    raw.write_text(raw.read_text().replace("female", "woman", 1))
    code, _, err = mlops(workspace, "run", "pipelines/train.yml")
    assert code == 1
    assert "violates conf/data.yml: column `sex`: 1 row violates `one of female, male`" in err
    written = json.loads((workspace.step("validate") / "evidence" / "validation.json").read_text())
    assert written["findings"][0]["column"] == "sex"
    assert not workspace.step("prepare").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ": has no header"),
        (b"income,age\n1,2\n1,2,3\n", ": 1 row cannot be read: line 3 has 3 fields"),
        (
            b'income,age\n"1,2\n',
            ": 1 row cannot be read: line 2 is not valid CSV: a quot",
        ),
        (b"income\n\xe9\n", ": 1 row cannot be read: line 2 is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_csv_is_named(mlops, workspace, content, says):
    (workspace.raw / "credit.csv").write_bytes(content)
    code, _, err = mlops(workspace, "validate", "--raw", "data/raw", "--out", "x")
    assert code == 2
    assert f"data/raw/credit.csv{says}" in err


def test_a_value_that_cannot_be_read_is_shown_with_its_row(mlops, workspace):
    raw = workspace.raw / "credit.csv"
    lines = raw.read_text().splitlines(keepends=True)
    column = lines[0].split(",").index("income")
    cells = lines[3].split(",")
    lines[3] = ",".join([*cells[:column], "abc", *cells[column + 1 :]])
    raw.write_text("".join(lines))
    code, _, err = mlops(workspace, "validate", "--raw", "data/raw", "--out", "x")
    assert code == 1
    assert "column `income`: 1 row violates `is a number`; the first is row 3 with 'abc'" in err


def test_in_a_subfolder_the_projects_folder_is_named(mlops, workspace):
    (workspace.root / "src").mkdir(exist_ok=True)
    away = workspaces.Workspace(workspace.root / "src")
    people = [
        [each] for each in ("stage", "readiness", "maturity", "licences", "cost", "dashboard")
    ]
    for words in (["serve"], ["models"], *people, ["deck"], ["event"], ["start", "owner"]):
        code, out, err = mlops(away, *words)
        assert (code, out) == (2, ""), words  # nothing of the subfolder is told first
        assert f"Run the command in the project's folder: {workspace.root}." in err
    code, _, err = mlops(away, "run", "pipelines/train.yml")
    assert code == 2
    assert "Run the command in the project's folder." in err


def test_outside_a_project_nothing_is_to_be_restored(mlops, tmp_path):
    code, _, err = mlops(workspaces.Workspace(tmp_path), "truth")
    assert code == 2
    assert "Run the command in the project's folder." in err
    assert "git" not in err


def test_fewer_runs_than_one_are_not_listed(mlops, trained):
    code, _, err = mlops(trained, "runs", "--limit", "0")
    assert (code, "--limit" in err, "delete" in err) == (2, True, False)


def test_from_challenger_to_champion(mlops, trained):
    assert mlops(trained, "models", "--json")[0] == 0
    code, out, _ = mlops(trained, "promote", "--why", "see [ticket-1] :x: [/] C:\\new")
    assert (code, out) == (0, "version 1 is champion now\n")
    [version] = json.loads(mlops(trained, "models", "--json")[1])
    assert version["role_why"] == "see [ticket-1] :x: [/] C:\\new"
    code, out, _ = mlops(trained, "models")
    assert code == 0
    assert "see [ticket-1] :x: [/] C:\\new" in out
    code, _, err = mlops(trained, "promote", "1")
    assert code == 1
    assert "version 1 is champion, only a challenger can be promoted" in err
    code, _, err = mlops(trained, "rollback", "--why", "x")
    assert code == 1
    assert "version 1 is the first champion" in err


def test_a_new_champion_says_that_a_running_endpoint_keeps_its_version(mlops, serving):
    run_id = artifact.load_card(serving.fit("second")).run_id
    serving.registry.register(run_id, "challenger", {}, "planted")
    serving.change("project.yml", stage="explore")
    keeps = "; a running `poe serve` keeps its version until it is started again\n"
    code, out, _ = mlops(serving, "promote")
    assert (code, out) == (0, f"version 2 is champion now{keeps}")
    code, out, _ = mlops(serving, "rollback", "--why", "worse")
    assert (code, out) == (0, f"version 1 is champion again, version 2 is rolled back{keeps}")


def test_runs_are_listed_and_compared(mlops, trained):
    code, out, _ = mlops(trained, "runs")
    assert code == 0
    assert "trained" in out and "roc_auc" in out
    [run] = json.loads(mlops(trained, "runs", "--json")[1])
    code, out, _ = mlops(trained, "runs", run["info"]["run_id"][:8])
    assert code == 0
    assert "n_estimators" in out


def test_a_version_cannot_be_made_again_from_other_data(mlops, trained):
    raw = trained.raw / "credit.csv"
    raw.write_text(raw.read_text() + "\n")
    code, _, err = mlops(trained, "reproduce", "1")
    assert code == 2
    assert "version 1 cannot be reproduced here: " in err
    assert "the data" in err
    code, _, err = mlops(trained, "reproduce", "1", "--pipeline", "pipelines/monitor.yml")
    assert code == 2
    assert "monitor.yml, field `inputs`: no `raw`, so it registered no version" in err


def test_a_step_writes_into_a_folder_that_is_not_there_yet(mlops, workspace):
    out = ["--validated", "conf", "--out", "new/folder"]
    assert mlops(workspace, "prepare", "--raw", "data/raw", *out)[0] == 0
    names = {path.name for path in (workspace.root / "new" / "folder").iterdir()}
    assert names == {"train.parquet", "validation.parquet", "test.parquet", "split.json"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights(mlops, workspace):
    workspace.root.chmod(0o500)
    code, _, err = mlops(workspace, "validate", "--raw", "data/raw", "--out", "new")
    workspace.root.chmod(0o700)
    assert code == 2
    assert "Permission denied" in err


def test_a_file_where_a_folder_belongs(mlops, workspace):
    (workspace.root / "new").touch()
    code, _, err = mlops(workspace, "validate", "--raw", "data/raw", "--out", "new/x")
    assert code == 2
    assert "new" in err


def test_a_fault_of_ours_is_no_verdict_of_a_gate(monkeypatch, capsys):
    monkeypatch.setattr(cli, "application", lambda _: 1 / 0)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (GateError("no"), GateError),
        (UsageError("no"), UsageError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_what_a_step_raises_reaches_the_pipeline(monkeypatch, raised, expected):
    def step(*_):
        raise raised

    monkeypatch.setattr("mlops_platform.steps.validate.run", step)
    with pytest.raises(expected):
        cli.invoke(["validate", "--raw", "x", "--out", "x"])


def test_a_step_that_is_called_wrongly_is_wrong_use(capsys):
    with pytest.raises(UsageError, match="`mlops validate --row x` is not a valid command"):
        cli.invoke(["validate", "--row", "x"])


def as_process(workspace, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which has pipes and no terminal."""
    environment = {**os.environ, "PYTHONPATH": str(workspace.root / "src")}
    environment.pop("COLUMNS", None)
    return subprocess.run(
        [sys.executable, "-m", "mlops_platform", *arguments],
        cwd=workspace.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_row_of_a_table_is_one_line_in_a_pipe(trained):
    lines = as_process(trained, "runs").stdout.splitlines()
    assert len(lines) == 3, "title, columns, one run"
    assert len(lines[2]) > 100


def test_the_title_of_a_narrow_table_is_one_line(capsys):
    terminal.table("Deployments in prod", ["none"], [])
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "Deployments in prod",
        "none",
    ]


def test_the_module_is_the_command(workspace):
    """The real exit codes."""
    raw = workspace.raw / "credit.csv"
    check = ["validate", "--raw", "data/raw", "--out", "out"]
    assert as_process(workspace, *check).returncode == 0
    raw.write_text(raw.read_text().replace("female", "woman", 1))
    failed = as_process(workspace, *check)
    assert failed.returncode == 1
    assert failed.stderr.startswith("FAILED  data/raw violates conf/data.yml")
    (workspace.conf / "data.yml").write_text(yaml.safe_dump({"min_rows": 10, "columns": {}}))
    wrong = as_process(workspace, *check)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("ERROR  conf/data.yml, field")
