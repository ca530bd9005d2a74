"""The local runner: order, caching by content, and outputs that are whole or not there."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import mlops_platform
import pytest
import yaml
from mlops_platform import cli
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.pipelines import journal, runner
from mlops_platform.pipelines.outputs import newest
from mlops_platform.tracking import provenance

OURS = "python -m mlops_platform"


@dataclass
class Fake:
    """Stands in for the package's commands: `copy`, which can be told to fail, and `gate`."""

    ran: list[str] = field(default_factory=list)
    crash: str | None = None

    def __call__(self, arguments: list[str]) -> None:
        """Write what was said and read into the output."""
        command, name, *rest = arguments
        self.ran.append(name)
        given = dict(zip(rest[::2], rest[1::2], strict=True))
        out = Path(given.pop("--out"))
        texts = []
        for key, value in sorted(given.items()):
            path = Path(value)
            is_file, is_folder = path.is_file(), path.is_dir()
            file = path if is_file else path / "result.txt"
            texts.append(f"{key}={file.read_text() if is_file or is_folder else value}")
        file = out / "result.txt" if out.is_dir() else out
        file.write_text(f"{name}({', '.join(texts)}{os.environ.get('FLAVOUR', '')})")
        if self.crash == name:
            raise OSError("disk full")
        if command == "gate":
            raise GateError(f"{name} says no")


@dataclass
class Place:
    """A project whose only pipeline is a, b after a, c after b, d after a."""

    root: Path
    fake: Fake

    def __post_init__(self) -> None:
        """Write the pipeline."""
        (self.root / "code").mkdir(parents=True)
        (self.root / "code" / "code.py").write_text("1")
        (self.root / "raw").mkdir()
        (self.root / "raw" / "result.txt").write_text("raw")
        (self.root / "uv.lock").write_text("1")
        self.write("step.yml", **COMPONENT)
        self.jobs = {
            "c": self.job("c", "${{parent.jobs.b.outputs.result}}"),
            "b": self.job("b", "${{parent.jobs.a.outputs.result}}"),
            "d": self.job("d", "${{parent.jobs.a.outputs.result}}"),
            "a": self.job("a", "${{parent.inputs.raw}}"),
        }

    def job(self, name: str, data: str, **inputs: object) -> dict:
        """A step."""
        return {"component": "step.yml", "inputs": {"name": name, "data": data, **inputs}}

    def write(self, file: str, **content: object) -> None:
        """A YAML file."""
        (self.root / file).write_text(yaml.safe_dump(content))

    def run(self, **options) -> list[str]:
        """Run the pipeline; the steps that ran, in order."""
        self.fake.ran.clear()
        inputs = {"raw": {"type": "uri_folder", "path": "raw"}, **options.pop("inputs", {})}
        self.write("job.yml", type="pipeline", inputs=inputs, jobs=self.jobs)
        runner.run(self.root / "job.yml", root=self.root, invoke=self.fake, **options)
        return list(self.fake.ran)

    def result(self, name: str) -> str | None:
        """What a step wrote."""
        path = self.run_folder / name / "result" / "result.txt"
        return path.read_text() if path.exists() else None

    @property
    def home(self) -> Path:
        """Where the runs are."""
        return self.root / "outputs" / "job"

    @property
    def run_folder(self) -> Path:
        """The folder of the last run that ended."""
        return newest(self.home) or self.home / "none"

    def left(self) -> list[str]:
        """What lies in the folder of the last run, also what should not."""
        return sorted(path.name for path in self.run_folder.iterdir())


COMPONENT = {
    "type": "command",
    "inputs": {
        "name": {"type": "string"},
        "data": {"type": "uri_folder"},
        "rate": {"type": "number", "default": 0.5},
        "fast": {"type": "boolean", "optional": True},
        "extra": {"type": "uri_file", "optional": True},
    },
    "outputs": {"result": {"type": "uri_folder"}},
    "code": "code",
    "command": f"{OURS} copy ${{{{inputs.name}}}} --data ${{{{ inputs.data }}}} "
    "--rate ${{inputs.rate}} --out ${{outputs.result}} "
    "$[[--fast ${{inputs.fast}}]] $[[--extra '${{inputs.extra}}']]",
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "a project", Fake())


def test_bindings_decide_the_order_and_not_the_file(place):
    ran = place.run()
    assert ran[0] == "a"
    assert ran.index("b") < ran.index("c")
    assert sorted(ran) == ["a", "b", "c", "d"]
    assert (
        place.result("c") == "c(--data=b(--data=a(--data=raw, --rate=0.5), --rate=0.5), --rate=0.5)"
    )
    assert place.left() == ["a", "b", "c", "d"]


def test_nothing_runs_twice_for_nothing(place):
    place.run()
    before = {name: place.result(name) for name in "abcd"}
    assert place.run() == []
    assert {name: place.result(name) for name in "abcd"} == before


def change_data(place):
    (place.root / "raw" / "result.txt").write_text("new")


def change_code(place):
    (place.root / "code" / "code.py").write_text("2")


def change_lock(place):
    (place.root / "uv.lock").write_text("2")


def change_command(place):
    place.write("step.yml", **COMPONENT | {"command": COMPONENT["command"] + " --more 1"})


def change_environment(place):
    place.write("step.yml", **COMPONENT | {"environment_variables": {"FLAVOUR": "sweet"}})


@pytest.mark.parametrize(
    "change", [change_data, change_code, change_lock, change_command, change_environment]
)
def test_a_change_runs_what_depends_on_it(place, change):
    place.run()
    change(place)
    assert sorted(place.run()) == ["a", "b", "c", "d"]
    assert place.run() == []


def test_a_change_in_the_middle_leaves_the_rest(place):
    place.run()
    place.jobs["b"] = place.job("b", "${{parent.jobs.a.outputs.result}}", rate=0.9)
    assert place.run() == ["b", "c"]
    assert "rate=0.9" in place.result("c")


def test_a_step_with_the_same_result_stops_the_wave(place):
    place.run()
    (place.root / "raw" / "notes.md").write_text("not read by a")
    assert place.run() == ["a"]


def test_another_store_of_runs_is_another_input(place, monkeypatch):
    place.run()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////elsewhere.db")
    assert sorted(place.run()) == ["a", "b", "c", "d"]


def test_what_ran_before_the_commit_runs_once_more_after_it(place):
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=place.root, check=True, capture_output=True)

    (place.root / ".gitignore").write_text("outputs/\n")
    git("init", "--quiet")
    assert sorted(place.run()) == ["a", "b", "c", "d"]
    assert place.run() == []
    git("add", ".")
    git("commit", "--quiet", "--message", "Start")
    assert sorted(place.run()) == ["a", "b", "c", "d"]
    assert place.run() == []
    (place.root / "notes.md").write_text("What was made from a commit stays good.")
    assert place.run() == []


def test_what_is_not_deterministic_always_runs(place):
    place.write("step.yml", **COMPONENT | {"is_deterministic": False})
    place.run()
    assert sorted(place.run()) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"passed": true, "key": "x"}', None])
def test_a_record_that_was_tampered_with_is_no_record(place, record):
    place.run()
    path = place.run_folder / "d" / "step.json"
    path.unlink() if record is None else path.write_text(record)
    assert place.run() == ["d"]


def test_an_output_that_was_deleted_is_made_again(place):
    place.run()
    shutil.rmtree(place.run_folder / "d" / "result")
    assert place.run() == ["d"]


def test_optional_inputs_defaults_literals_and_files(place):
    (place.root / "my file.txt").write_text("text")
    place.jobs = {
        "plain": place.job("plain", "${{parent.inputs.raw}}"),
        "full": place.job(
            "full",
            "${{parent.inputs.raw}}",
            fast=True,
            rate=2,
            extra={"type": "uri_file", "path": "my file.txt"},
        ),
    }
    place.run()
    assert place.result("plain") == "plain(--data=raw, --rate=0.5)"
    assert place.result("full") == "full(--data=raw, --extra=text, --fast=True, --rate=2)"


def test_a_pipelines_input_may_be_replaced(place):
    other = place.root / "other"
    other.mkdir()
    (other / "result.txt").write_text("other")
    place.jobs = {"a": place.job("${{parent.inputs.word}}", "${{parent.inputs.raw}}")}
    place.run(
        inputs={"word": "hello"}, overrides={"raw": str(other), "word": "a 'b' $[[c]] ${{d}}"}
    )
    assert place.result("a") == "a 'b' $[[c]] ${{d}}(--data=other, --rate=0.5)"


def test_an_input_without_a_value_is_asked_for(place):
    place.jobs = {"a": place.job("a", "${{parent.inputs.later}}")}
    with pytest.raises(UsageError, match=r"field `jobs\.a\.inputs\.data`.*--input later=VALUE"):
        place.run(inputs={"later": {"type": "uri_folder"}})


@pytest.mark.parametrize("where", ["pipeline", "job"])
def test_a_path_that_is_not_there_stops_before_the_first_step(place, where):
    gone = {"type": "uri_folder", "path": "gone"}
    if where == "job":
        place.jobs["c"]["inputs"]["data"] = gone
    inputs = {"raw": gone} if where == "pipeline" else {}
    with pytest.raises(UsageError, match=r"field `.*inputs\.(raw|data)`: there is no .*gone"):
        place.run(inputs=inputs)
    assert place.fake.ran == []


def test_a_literal_where_a_folder_belongs(place):
    place.jobs["a"] = place.job("a", "some words")
    with pytest.raises(UsageError, match=r"inputs\.data`: uri_folder expected, got 'some words'"):
        place.run()


def test_inline_steps_files_and_outputs_of_the_pipeline(place):
    place.jobs = {
        "inline": {
            "type": "command",
            "inputs": {"data": "${{parent.inputs.raw}}", "rate": 3},
            "outputs": {"file": {"type": "uri_file"}},
            "command": f"{OURS} copy inline --data ${{{{inputs.data}}}} --rate ${{{{inputs.rate}}}}"
            " --out ${{outputs.file}}",
            "environment_variables": {"FLAVOUR": "!"},
        },
        "after": {
            "component": "step.yml",
            "inputs": {
                "name": "after",
                "data": "${{parent.inputs.raw}}",
                "extra": "${{parent.jobs.inline.outputs.file}}",
            },
            "outputs": {"result": "${{parent.outputs.best}}"},
        },
    }
    place.write(
        "job.yml",
        type="pipeline",
        inputs={"raw": {"type": "uri_folder", "path": "raw"}},
        outputs={"best": {"type": "uri_folder"}},
        jobs=place.jobs,
    )
    runner.run(place.root / "job.yml", root=place.root, invoke=place.fake)
    assert (
        place.result("after")
        == "after(--data=raw, --extra=inline(--data=raw, --rate=3!), --rate=0.5)"
    )
    assert "FLAVOUR" not in os.environ


def test_only_what_is_asked_for_is_run(place):
    assert place.run(until="b") == ["a", "b"]


def test_a_crash_leaves_nothing_half_written_and_nothing_stale(place):
    place.run()
    change_data(place)
    place.fake.crash = "b"
    with pytest.raises(OSError, match="disk full"):
        place.run()
    assert "new" not in place.result("a"), "the last good run is as it was"
    assert place.left() == ["a", "b", "c", "d"]
    unfinished = place.home / "unfinished"
    assert {path.name for path in unfinished.iterdir()} <= {"a", "d"}
    assert "new" in (unfinished / "a" / "result" / "result.txt").read_text()
    place.fake.crash = None
    ran = place.run()
    assert {"b", "c"} <= set(ran) and "a" not in ran, "a step that ended is not run again"
    assert "new" in place.result("c")
    assert not unfinished.exists()


def test_a_gate_that_says_no_keeps_its_evidence_and_stops(place):
    place.run()
    gate = COMPONENT | {"command": COMPONENT["command"].replace(" copy ", " gate ")}
    place.write("gate.yml", **gate)
    place.jobs["b"]["component"] = "gate.yml"
    with pytest.raises(GateError, match="b says no"):
        place.run()
    assert place.result("b") is not None
    assert place.result("c") is None
    record = json.loads((place.run_folder / "b" / "step.json").read_text())
    assert record["passed"] is False
    with pytest.raises(GateError):
        place.run()
    assert place.fake.ran[-1] == "b"  # a verdict of no is never taken from the last time


def script(place: Place, text: str, outputs: str = "uri_file") -> None:
    """One step: a program of the team's own, where its code lies."""
    (place.root / "code" / "program.py").write_text(text)
    place.write(
        "program.yml",
        type="command",
        code="code",
        outputs={"file": {"type": outputs}},
        command="python program.py --out ${{outputs.file}}",
    )
    place.jobs = {"own": {"component": "program.yml"}}


def test_a_program_of_the_teams_own_runs_where_its_code_lies(place):
    script(place, "import sys, code\nopen(sys.argv[2], 'w').write('done')\n")
    place.run()
    assert (place.run_folder / "own" / "file").read_text() == "done"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1/0", "step 'own': .*ZeroDivisionError"),
        ("import sys\nsys.exit(3)", "step 'own': ended with exit code 3"),
        ("import sys\nopen(sys.argv[2], 'w').write('half'); sys.exit('bad data')", "bad data"),
        ("pass", "field `outputs.file`: the command of 'own' succeeded, but did not write it"),
    ],
)
def test_a_program_that_fails_leaves_nothing(place, text, says):
    script(place, text)
    with pytest.raises(UsageError, match=f"(?s){says}"):
        place.run()
    assert newest(place.home) is None
    assert not (place.home / "unfinished").exists()


def test_a_program_that_is_not_there(place):
    script(place, "")
    content = yaml.safe_load((place.root / "program.yml").read_text())
    place.write("program.yml", **content | {"command": "no-such-program ${{outputs.file}}"})
    with pytest.raises(UsageError, match=r"program\.yml, field `command`: no-such-program"):
        place.run()


def test_a_process_per_step_writes_the_same_files(workspace, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(workspace.root / "src"))
    run = {"root": workspace.root, "invoke": cli.invoke}
    path = workspace.root / "pipelines" / "train.yml"
    parts = []
    for process in (False, True):
        shutil.rmtree(workspace.root / "outputs", ignore_errors=True)
        folders = runner.run(path, process_per_step=process, until="prepare", **run)
        parts.append(
            {
                file.relative_to(folders["prepare"]).as_posix(): file.read_bytes()
                for file in folders["prepare"].rglob("*.*")
            }
        )
    assert parts[0] == parts[1]
    assert len(parts[0]) == 5


def test_a_gate_in_a_process_of_its_own_is_a_gate_and_a_crash_is_not(workspace, monkeypatch):
    broken = workspace.root / "broken"
    monkeypatch.setenv("PYTHONPATH", f"{broken}{os.pathsep}{workspace.root / 'src'}")
    run = {"root": workspace.root, "invoke": Fake(), "process_per_step": True, "until": "validate"}
    path, raw = workspace.root / "pipelines" / "train.yml", workspace.raw / "credit.csv"
    good = raw.read_text()
    raw.write_text(good.replace("female", "woman", 1))
    with pytest.raises(GateError, match=r"^\S+raw violates conf/data\.yml:\n  column `sex`"):
        runner.run(path, **run)
    assert (workspace.step("validate") / "evidence" / "validation.json").exists()

    raw.write_text(good)
    shutil.copytree(Path(mlops_platform.__file__).parent, broken / "mlops_platform")
    (broken / "mlops_platform" / "steps" / "validate.py").write_text("1/0")
    with pytest.raises(UsageError, match=r"(?s)step 'validate': .*ZeroDivisionError"):
        runner.run(path, **run)
    assert list(workspace.root.glob("outputs/train/unfinished/*")) == []


def test_a_patched_platform_package_runs_every_step_again(trained, monkeypatch, capsys):
    trained.pipeline()
    assert capsys.readouterr().err.count("unchanged") == 4
    monkeypatch.setattr(provenance, "platform_hash", lambda: "patched")
    trained.pipeline()
    assert "unchanged" not in capsys.readouterr().err


def outcomes(place: Place) -> list[tuple[str, str, str]]:
    return [(each.run, each.step, each.outcome) for each in journal.read(place.root)]


def test_the_journal_has_each_step_that_ran_and_how_it_ended(place):
    place.run()
    assert outcomes(place) == [("run-1", step, "passed") for step in "abdc"]
    place.run()  # nothing to do
    place.fake.crash = "c"
    place.jobs["c"]["inputs"]["rate"] = 0.7
    with pytest.raises(OSError, match="disk full"):
        place.run()
    place.fake.crash = None
    place.run()  # goes on
    assert outcomes(place)[4:] == [
        ("run-2", "c", "error"),
        ("run-2", "c", "passed"),
    ]
    assert [len(run) for run in journal.runs(journal.read(place.root), "job")] == [4, 2]
    place.write("gate.yml", **COMPONENT | {"command": COMPONENT["command"].replace("copy", "gate")})
    place.jobs["d"]["component"] = "gate.yml"
    with pytest.raises(GateError):
        place.run()
    assert outcomes(place)[-1] == ("run-3", "d", "gate")
    shutil.rmtree(place.root / "outputs")  # its number begins again
    place.jobs["d"]["component"] = "step.yml"
    place.run()
    assert [len(run) for run in journal.runs(journal.read(place.root), "job")] == [4, 2, 1, 4]


def test_a_damaged_line_of_the_journal_is_named(place):
    place.run()
    path = place.root / ".mlops" / "steps.jsonl"
    path.write_text(path.read_text().replace('"passed"', '"perhaps"', 1))
    with pytest.raises(UsageError, match=r"steps\.jsonl, line 1: is damaged\. Delete"):
        journal.read(place.root)


def test_a_line_that_a_killed_process_cut_stays_one_line(place):
    place.run()
    path = place.root / ".mlops" / "steps.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    place.jobs["c"]["inputs"]["rate"] = 0.7
    place.run()
    lines = path.read_text().splitlines()
    assert [json.loads(line)["step"] for number, line in enumerate(lines) if number != 3] == [
        *("a", "b", "d", "c")
    ]
    with pytest.raises(UsageError, match=r"steps\.jsonl, line 4: is damaged\. Delete"):
        journal.read(place.root)


def test_a_reproduction_is_no_training(place, tmp_path):
    place.run(outputs=tmp_path / "scratch")
    assert {each.pipeline for each in journal.read(place.root)} == {"reproduce"}
