"""A sample project whose specs a test may break."""

import shutil
from pathlib import Path

import pytest

from package.tests.samples import EXAMPLES


@pytest.fixture(scope="module")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("specs") / "project"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(EXAMPLES / "credit-risk", folder, ignore=ignored)
    return folder


@pytest.fixture
def project(_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A classification project, online and batch, in Azure ML; the folder that commands run in."""
    monkeypatch.chdir(_project)
    return _project
