"""What all tests share: surroundings that are the same everywhere, and projects.

The surroundings know no user: neither a git identity nor Copier's settings are read from, or
written to, the home of whoever runs the tests.
"""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import plumbum
import pytest

from tests import prepared, quick_copier
from tests.projects import SHARED, Kept, Project

# Of the environment that tests run in, these would change what a project does in its own.
LEAKS = (
    "MLFLOW_TRACKING_URI",
    "PYTHONDONTWRITEBYTECODE",  # makes every import two to five times slower
    "PYTHONPATH",
    "UV_LOCKED",
    "VIRTUAL_ENV",
)
# Files that take long come first, so that short ones fill up at the end.
LONG = (
    "tests/project/",
    "tests/update/",
    "package/tests/test_template_request.py",
    "package/tests/test_update.py",
    "package/tests/ethics/",
)
SCRATCH = pytest.StashKey[tempfile.TemporaryDirectory]()
PATCHES = pytest.StashKey[pytest.MonkeyPatch]()


def pytest_configure(config: pytest.Config) -> None:
    """Set the surroundings before any test module is imported."""
    gc.set_threshold(50_000, 20, 50)  # imports leave much that lives on: looking it over takes 10 %
    scratch = config.stash[SCRATCH] = tempfile.TemporaryDirectory(prefix="copier-mlops-")
    folder = Path(scratch.name)
    # Processes that run tests inherit this one from the process that started them.
    shared = os.environ[SHARED] if hasattr(config, "workerinput") else str(folder / "shared")
    (Path(shared) / "kept").mkdir(parents=True, exist_ok=True)
    (folder / "gitconfig").touch()
    (folder / "copier-settings.yml").write_text("{}\n")
    surroundings = {
        "COPIER_CACHE_DIR": str(folder / "copier-cache"),
        "COPIER_SETTINGS_PATH": str(folder / "copier-settings.yml"),
        "GIT_AUTHOR_EMAIL": "tests@example.com",
        "GIT_AUTHOR_NAME": "Tests",
        "GIT_COMMITTER_EMAIL": "tests@example.com",
        "GIT_COMMITTER_NAME": "Tests",
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        SHARED: shared,
        # One cache for all projects: mypy takes a file from it only where content and options are
        # the same, and reading the libraries again for each project takes 15 s.
        "MYPY_CACHE_DIR": f"{shared}/mypy",
        # One environment for all projects: their packages are the same, and uv points it at the
        # project that a command runs in. Each of its own would compile its byte code again, 10 s.
        "UV_PROJECT_ENVIRONMENT": str(folder / "environment"),
        # Where commands of projects ask for a fork that has its libraries imported.
        prepared.ADDRESS: str(folder / "prepared"),
        "UV_LINK_MODE": "symlink",  # two seconds to copy an environment's files
        # Several processes share the cores: threads that numpy and scipy start at their import,
        # and that wait for work busily, cost each command a quarter of a second.
        "OMP_NUM_THREADS": "1",
        # Tools that projects start, however pytest was started: of this environment.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    for name in LEAKS:
        os.environ.pop(name, None)
    os.environ.update(surroundings)
    plumbum.local.env.update(surroundings)  # Copier's git; it copied the environment on import
    patches = config.stash[PATCHES] = pytest.MonkeyPatch()
    quick_copier.install(patches, folder / "clones")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the surroundings needed."""
    prepared.stop()
    config.stash[PATCHES].undo()
    config.stash[SCRATCH].cleanup()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; otherwise the order stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session")
def kept() -> Kept:
    """The projects of all processes that run tests."""
    return Kept(Path(os.environ[SHARED]) / "kept")


@pytest.fixture(scope="session")
def kept_project(kept: Kept) -> Callable[..., Project]:
    """Gives a project; for reading only."""

    def read(answers: Mapping[str, Any]) -> Project:
        with kept.project(answers) as project:
            return project

    return read


@pytest.fixture
def fresh_project(kept: Kept, tmp_path: Path) -> Callable[..., Project]:
    """Gives a test a project of its own to change: the same files and lock."""
    left_out = shutil.ignore_patterns(".mlops", "outputs")

    def copy(answers: Mapping[str, Any]) -> Project:
        with kept.project(answers) as project:
            return Project(shutil.copytree(project.path, tmp_path / "project", ignore=left_out))

    return copy


@pytest.fixture(scope="session")
def trained_copy(kept: Kept) -> Callable[..., Project]:
    """Copies a project whose pipeline has run once to a folder."""

    def copy(answers: Mapping[str, Any], folder: Path) -> Project:
        with kept.project(answers, trained=True) as project:
            return Project(shutil.copytree(project.path, folder))

    return copy


@pytest.fixture
def trained_project(trained_copy: Callable[..., Project], tmp_path: Path) -> Callable[..., Project]:
    """Gives a test a project of its own that has a challenger."""
    return lambda answers: trained_copy(answers, tmp_path / "project")
