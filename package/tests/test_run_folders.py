"""A folder per run: the last good run stays whole, whatever happens to the next one."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.pipelines import outputs, runner

STEP = {
    "type": "command",
    "inputs": {"name": {"type": "string"}, "data": {"type": "uri_folder"}},
    "outputs": {"result": {"type": "uri_folder"}},
    "code": "code",
    "command": "python step.py ${{inputs.name}} ${{inputs.data}} ${{outputs.result}}",
}
# Writes half of its result; if told to, it waits before it writes the other half.
PROGRAM = """
import pathlib, sys, time
name, data, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
text = "".join(file.read_text() for file in sorted(data.glob("*.txt")))
(out / "half.txt").write_text(name)
while name == "second" and (data.parents[2] / "wait").exists():
    (data.parents[2] / "waits").touch()
    time.sleep(0.01)
(out / "whole.txt").write_text(text)
"""
RUN = """
import sys
from pathlib import Path
from mlops_platform.core.errors import UsageError
from mlops_platform.pipelines import runner
try:
    runner.run(Path("job.yml"), root=Path.cwd(), invoke=print)
except UsageError as error:
    sys.exit(str(error))
"""


class Place:
    """A project whose pipeline is `first`, then `second`, of programs of the team's own."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "outputs" / "job"
        (root / "code").mkdir(parents=True)
        (root / "raw").mkdir()
        (root / "code" / "step.py").write_text(PROGRAM)
        (root / "step.yml").write_text(yaml.safe_dump(STEP))
        jobs = {
            name: {"component": "step.yml", "inputs": {"name": name, "data": data}}
            for name, data in {
                "first": "${{parent.inputs.raw}}",
                "second": "${{parent.jobs.first.outputs.result}}",
            }.items()
        }
        inputs = {"raw": {"type": "uri_folder", "path": "raw"}}
        job = {"type": "pipeline", "inputs": inputs, "jobs": jobs}
        (root / "job.yml").write_text(yaml.safe_dump(job))
        self.data("1")

    def data(self, text: str) -> None:
        """Replace the raw data."""
        (self.root / "raw" / "raw.txt").write_text(text)

    def run(self) -> Path:
        """Run the pipeline here; the folder of the run."""
        return runner.run(self.root / "job.yml", root=self.root, invoke=print)["second"].parent

    def start(self) -> subprocess.Popen[str]:
        """Run the pipeline in a process of its own, as far as the middle of the second step."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "wait").touch()
        process = subprocess.Popen(
            [sys.executable, "-c", RUN], cwd=self.root, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 60
        while not (self.home / "waits").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return process

    def go_on(self) -> None:
        """Let the second step end."""
        (self.home / "wait").unlink()

    def files(self, run: Path) -> dict[str, bytes]:
        """All files of a run."""
        return {
            path.relative_to(run).as_posix(): path.read_bytes()
            for path in run.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "project")
    yield place
    (place.home / "wait").unlink(missing_ok=True)  # nobody waits for ever


def test_each_run_has_its_folder_and_latest_names_the_last_good_one(place):
    first = place.run()
    assert (first.name, outputs.latest(place.home)) == ("run-1", first)
    place.data("2")
    second = place.run()
    assert (second.name, outputs.latest(place.home)) == ("run-2", second)
    assert (place.home / "latest.txt").read_text() == "run-2\n"
    assert [(run / "second/result/whole.txt").read_text() for run in (first, second)] == [
        "first1",
        "first2",
    ]
    assert sorted(path.name for path in place.home.glob("[!.]*")) == [
        "latest.txt",
        "run-1",
        "run-2",
    ]


def test_a_run_without_a_change_is_the_last_one(place):
    first = place.run()
    assert place.run() == first
    assert sorted(path.name for path in place.home.glob("[!.]*")) == ["latest.txt", "run-1"]


def test_a_killed_run_leaves_the_last_good_one_as_it_was_and_the_next_goes_on(place, capsys):
    good = place.run()
    before = place.files(good)
    place.data("2")
    process = place.start()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert outputs.latest(place.home) == outputs.newest(place.home) == good
    assert place.files(good) == before
    place.go_on()
    capsys.readouterr()
    following = place.run()
    assert following.name == "run-2"
    assert (following / "second/result/whole.txt").read_text() == "first2"
    assert "job: first unchanged" in capsys.readouterr().err, "the step that had ended"
    assert place.files(good) == before
    assert sorted(path.name for path in place.home.glob("[!.w]*")) == [
        "latest.txt",
        "run-1",
        "run-2",
    ]


def test_of_two_at_once_one_runs_and_the_other_is_refused_by_name(place):
    good = place.run()
    before = place.files(good)
    place.data("2")
    process = place.start()
    with pytest.raises(UsageError) as refused:
        place.run()
    holder = json.loads((place.home / "running.json").read_text())
    assert holder["pid"] == process.pid
    assert str(refused.value).startswith(
        f"the pipeline `job` runs already: process {process.pid} on {holder['host']}, since 20"
    )
    assert "Nothing was changed" in str(refused.value)
    assert place.files(good) == before
    place.go_on()
    assert process.wait(60) == 0
    run = outputs.latest(place.home)
    assert run is not None
    assert (run.name, (run / "second/result/whole.txt").read_text()) == ("run-2", "first2")
    assert not (place.home / "running.json").exists()
    assert place.run() == run


def test_the_lock_of_a_dead_process_is_taken_over(place):
    process = place.start()
    process.kill()
    process.wait()
    assert json.loads((place.home / "running.json").read_text())["pid"] == process.pid
    place.go_on()
    assert place.run().name == "run-1"
    assert not (place.home / "running.json").exists()


def test_few_runs_are_kept_and_always_the_last_good_one(place):
    good = place.run()
    gate = place.root / "gate.yml"
    command = "python -m mlops_platform stop ${{outputs.result}}"
    gate.write_text(yaml.safe_dump(STEP | {"command": command}))
    job = yaml.safe_load((place.root / "job.yml").read_text())
    job["jobs"]["second"]["component"] = "gate.yml"
    (place.root / "job.yml").write_text(yaml.safe_dump(job))

    def stop(arguments: list[str]) -> None:
        raise GateError("no")

    for number in range(outputs.KEPT + 2):
        place.data(f"more {number}")
        with pytest.raises(GateError):
            runner.run(place.root / "job.yml", root=place.root, invoke=stop)
    names = sorted(path.name for path in place.home.glob("run-*"))
    assert names == sorted([good.name, *(f"run-{number}" for number in range(4, 9))])
    assert outputs.latest(place.home) == good
    newest = outputs.newest(place.home)
    assert newest is not None
    assert newest.name == "run-8"
    assert outputs.superseded(place.home) == {
        *(place.home / f"run-{number}" for number in range(4, 8)),
        place.home / "unfinished",
    }


def test_unchanged_results_are_stored_once(place):
    first = place.run()
    (place.root / "code" / "other.txt").write_text("1")  # changes both steps' sources
    second = place.run()
    step = yaml.safe_load((place.root / "step.yml").read_text())
    (place.root / "other.yml").write_text(
        yaml.safe_dump(step | {"environment_variables": {"A": 1}})
    )
    job = yaml.safe_load((place.root / "job.yml").read_text())
    job["jobs"]["second"]["component"] = "other.yml"
    (place.root / "job.yml").write_text(yaml.safe_dump(job))
    third = place.run()
    assert [run.name for run in (first, second, third)] == ["run-1", "run-2", "run-3"]
    files = [run / "first/result/whole.txt" for run in (first, second, third)]
    assert not files[0].samefile(files[1])
    assert files[1].samefile(files[2])


def test_without_hard_links_the_results_are_copied(place, monkeypatch):
    place.run()

    def no_links(source: str, target: str) -> None:
        raise OSError("not supported")

    monkeypatch.setattr("os.link", no_links)
    job = yaml.safe_load((place.root / "job.yml").read_text())
    job["jobs"]["second"]["inputs"]["name"] = "third"
    (place.root / "job.yml").write_text(yaml.safe_dump(job))
    files = [run / "first/result/whole.txt" for run in (place.home / "run-1", place.run())]
    assert not files[0].samefile(files[1])
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("text", ["run-9", "../raw", ""])
def test_a_pointer_to_nothing_is_named(place, text):
    place.run()
    (place.home / "latest.txt").write_text(text)
    with pytest.raises(UsageError, match=r"latest\.txt: names no run beside it.*Delete the file"):
        outputs.latest(place.home)


def test_half_of_a_deleted_run_is_no_run(place, monkeypatch):
    place.run()

    def stop(path: Path) -> None:
        (path / "first" / "step.json").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(outputs, "delete_folder", stop)
        with pytest.raises(KeyboardInterrupt):
            outputs._delete(place.home / "run-1")
    assert outputs.newest(place.home) is None
    (place.home / "latest.txt").unlink()
    assert place.run().name == "run-1"
    assert [path.name for path in place.home.glob(".*/")] == []
