"""Tests of the package, run in place; the sample projects are the committed examples."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from filelock import FileLock
from mlops_platform import cli
from mlops_platform.core import programs, terminal

from package.tests import samples  # first: it makes the samples importable

from package.tests import workspaces  # isort: skip
from tests import scripts  # isort: skip
from tests.projects import SHARED  # isort: skip


@pytest.fixture(autouse=True)
def _no_surroundings_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLOPS_GIT_COMMIT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def copier_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copier's command line from a process that has Copier, where the package runs it."""
    real, script = programs.run, str(shutil.which("copier"))

    def run(
        command: list[str], folder: Path, *, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        if command[:3] != [sys.executable, "-m", "copier"]:
            return real(command, folder, environment=environment)
        return scripts.run(script, command[3:], folder, environment or os.environ)

    monkeypatch.setattr(programs, "run", run)


@pytest.fixture(scope="session")
def _workspace(tmp_path_factory: pytest.TempPathFactory) -> workspaces.Workspace:
    return workspaces.make(tmp_path_factory.mktemp("workspace") / "project")


@pytest.fixture
def workspace(_workspace: workspaces.Workspace, tmp_path: Path) -> workspaces.Workspace:
    """A workspace where nothing has run; its store is a copy, as a new one costs a second."""
    shutil.copytree(_workspace.root, tmp_path / "project")
    return workspaces.Workspace(tmp_path / "project")


@pytest.fixture
def regression(tmp_path: Path) -> workspaces.Workspace:
    """A project for numbers, with the sample's settings and no data."""
    root = tmp_path / "regression"
    for folder in ("conf", "pipelines", "src"):
        shutil.copytree(samples.EXAMPLES / "energy-demand" / folder, root / folder)
    (root / "docs").mkdir()
    shutil.copy(samples.EXAMPLES / "energy-demand" / "docs" / "alerts.md", root / "docs")
    made = workspaces.Workspace(root)
    made.raw.mkdir(parents=True)
    return made


@pytest.fixture(scope="session")
def _trained(_workspace: workspaces.Workspace) -> workspaces.Workspace:
    """Trained once for all processes that run tests, where it stays: its runs name their folder."""
    folder = Path(os.environ[SHARED]) / "trained"
    trained, done = workspaces.Workspace(folder / "project"), folder / "done"
    with FileLock(f"{folder}.lock"):
        if not done.exists():
            shutil.copytree(_workspace.root, trained.root)
            trained.pipeline()
            done.touch()
    return trained


@pytest.fixture
def trained(_trained: workspaces.Workspace, tmp_path: Path) -> workspaces.Workspace:
    """A workspace whose pipeline has just registered its first challenger."""
    shutil.copytree(_trained.root, tmp_path / "project")
    return workspaces.Workspace(tmp_path / "project")


@pytest.fixture
def serving(trained: workspaces.Workspace) -> workspaces.Workspace:
    """A workspace with a champion, version 1."""
    trained.registry.promote(None, "first model", "tests")
    return trained


@pytest.fixture
def mlops(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs the command line in this process: exit code, what it printed, what it said."""

    def run(workspace: workspaces.Workspace, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(workspace.root)
        monkeypatch.setattr(sys, "argv", ["mlops", *arguments])
        hook = sys.excepthook
        capsys.readouterr()
        for console in (terminal.console, terminal.out):
            monkeypatch.setattr(console, "_width", 400)
        with pytest.raises(SystemExit) as end:
            cli.main()
        sys.excepthook = hook
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return end.value.code or 0, printed.out, " ".join(printed.err.split())

    return run
