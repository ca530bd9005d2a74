"""A rendered project whose specs a test may break."""

import shutil
from pathlib import Path

import pytest

from package.tests import renders


@pytest.fixture(scope="module")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("specs") / "project"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(renders.KEPT / "credit-risk", folder, ignore=ignored)
    return folder


@pytest.fixture
def project(_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A classification project, online and batch, in Azure ML; the folder that commands run in."""
    monkeypatch.chdir(_project)
    return _project
