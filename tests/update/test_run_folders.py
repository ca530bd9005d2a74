"""The migration to 2.0.0: the tests that a project started with find the last run's folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rendering import ROOT, commit_all
from tests.update.migrations import RUNS

SCRIPT = ROOT / "hooks" / "migrations" / "runs.py"
CONFTEST = """\
from mlops_platform import cli


class Workspace:
    def step(self, name):
        return self.root / "outputs" / "train" / name
"""
MONITOR = """\
import contextlib

from mlops_platform.core.errors import GateFailed


def watch(workspace, rows):
    path = workspace.root / "outputs" / "monitor" / "drift" / "evidence" / "drift.json"
    path.unlink(missing_ok=True)
    with contextlib.suppress(GateFailed):
        workspace.pipeline("monitor", current=workspace.root / "today.csv")
    return path
"""
WATCH = """\
    with contextlib.suppress(GateFailed):
        workspace.pipeline("monitor", current=workspace.root / "today.csv")
    path = newest(workspace.root / "outputs" / "monitor") / "drift" / "evidence" / "drift.json"
    return path
"""


def migrate(project: Path) -> str:
    """Run the script as Copier does; what it printed."""
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tests_find_the_last_run(tmp_path: Path, end: str) -> None:
    for name, text in (("conftest.py", CONFTEST), ("test_monitor.py", MONITOR)):
        (tmp_path / name).write_bytes(
            text.replace("\n", end).encode() + b"# caf\xe9" + end.encode()
        )
    commit_all(tmp_path, "Start")
    assert migrate(tmp_path).splitlines() == [
        "conftest.py: finds the last run of a pipeline now",
        "test_monitor.py: finds the last run of a pipeline now",
    ]
    conftest, monitor = (
        (tmp_path / name).read_bytes() for name in ("conftest.py", "test_monitor.py")
    )
    for content in (conftest, monitor):
        assert content.endswith(b"# caf\xe9" + end.encode())
        assert content.count(b"\n") == content.count(end.encode())
        assert content.replace(b"\r\n", b"\n").count(RUNS.IMPORT.encode()) == 1
    assert b'return newest(self.root / "outputs" / "train") / name' in conftest
    assert WATCH.encode() in monitor.replace(b"\r\n", b"\n")
    assert migrate(tmp_path) == "", "a second run found something"


@pytest.mark.parametrize(
    ("line", "listed"),
    [
        ('path = root / "outputs" / "train" / "report"', True),
        ("open('outputs/monitor/drift/evidence/drift.json')", True),
        ('os.path.join("outputs", "batch", "score")', True),
        ("open('outputs/train/run-3/report/report.html')", False),
        ("open('outputs/train/latest.txt')", False),
        ('newest(root / "outputs" / "train") / "report"', False),
        ("# all outputs/ of the trains", False),
    ],
)
def test_other_files_are_listed_and_stay(tmp_path: Path, line: str, listed: bool) -> None:
    (tmp_path / "ours.py").write_text(f"import os\n{line}\n")
    (tmp_path / "notes.md").write_text(f"{line}\n")
    commit_all(tmp_path, "Start")
    printed = migrate(tmp_path)
    assert printed == (f"ours.py:2: {RUNS.ADVICE}\n" if listed else "")
    assert (tmp_path / "ours.py").read_text() == f"import os\n{line}\n"
