"""Provenance of a run: from git and uv.lock, or from the variables of an Azure ML job."""

import subprocess
from pathlib import Path

import mlops_platform
import pytest
from mlops_platform.core.files import hash_path
from mlops_platform.tracking import provenance


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with settings, code and a lock, in git."""
    for name in provenance.VARIABLES.values():
        monkeypatch.delenv(name, raising=False)
    for name in ("conf/train.yml", "src/model.py", "uv.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Start"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def made_from(root: Path) -> dict[str, str]:
    return provenance.collect(root / "conf", root / "src")


def test_git_and_the_lock_are_asked(root: Path):
    found = made_from(root)
    assert len(found["git_commit"]) == 40
    assert found["git_dirty"] == "false"
    assert found["lock_hash"] == hash_path(root / "uv.lock")
    assert "job" not in found
    (root / "src" / "model.py").write_text("changed")
    changed = made_from(root)
    assert changed["git_dirty"] == "true"
    assert {name for name in found if changed[name] != found[name]} == {"git_dirty", "code_hash"}


def test_a_job_in_azure_ml_says_the_same(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
):
    here = made_from(root)
    for name, value in provenance.environment_variables(root).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZUREML_ROOT_RUN_ID", "train-1a2b-1")
    there = tmp_path_factory.mktemp("node")
    for name in ("conf", "src"):
        (root / name).rename(there / name)
    assert made_from(there) == here | {"job": "train-1a2b-1"}


def test_what_nobody_knows_is_unknown(root: Path, tmp_path_factory: pytest.TempPathFactory):
    there = tmp_path_factory.mktemp("node")
    for name in ("conf", "src"):
        (root / name).rename(there / name)
    found = made_from(there)
    assert {found[name] for name in ("git_commit", "git_dirty", "lock_hash")} == {"unknown"}
    assert provenance.environment_variables(there) == {}


def test_without_git_on_the_machine_it_is_unknown(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert made_from(root)["git_commit"] == made_from(root)["git_dirty"] == "unknown"


def test_another_platform_package_is_another_code(root: Path, monkeypatch: pytest.MonkeyPatch):
    before = made_from(root)
    assert before["code_hash"] == made_from(root)["code_hash"]
    monkeypatch.setattr(provenance, "platform_hash", lambda: "patched")
    changed = made_from(root)
    assert {name for name in before if changed[name] != before[name]} == {"code_hash"}


def test_the_platforms_hash_is_of_its_files():
    assert provenance.platform_hash() == hash_path(Path(mlops_platform.__file__).parent)
