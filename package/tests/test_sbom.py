"""The bill of materials: valid CycloneDX, with the packages of the lock."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from mlops_platform.core.errors import UsageError
from mlops_platform.delivery import sbom

PROJECT = """\
[project]
name = "p"
version = "1"
requires-python = ">=3.11"
dependencies = ["packaging"]

[dependency-groups]
team = ["idna"]

[tool.uv]
exclude-newer = "2026-11-20T00:00:00Z"
"""
MODEL = {"name": "credit-risk", "version": "run-1", "sha256": "0" * 64}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small locked project: CycloneDX's own validator takes minutes for a large one."""
    root = tmp_path_factory.mktemp("locked")
    (root / "pyproject.toml").write_text(PROJECT)
    subprocess.run(["uv", "lock", "--quiet"], cwd=root, check=True)
    return root


def faults(text: str) -> object:
    """What CycloneDX's own schema says of it."""
    return JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)


def test_it_is_valid_and_has_each_locked_package_with_its_hash(root: Path) -> None:
    bill = sbom.build(root, ("team",), MODEL)
    assert faults(bill) is None
    components = json.loads(bill)["components"]
    (idna,) = [each for each in components if each["name"] == "idna"]
    (version,) = re.findall(
        r'name = "idna"\nversion = "(.+)"', (root / "uv.lock").read_text(encoding="utf-8")
    )
    assert idna["version"] == version
    assert all(file["hashes"][0]["alg"] == "SHA-256" for file in idna["externalReferences"])
    (model,) = [each for each in components if each["type"] == "machine-learning-model"]
    assert model["hashes"] == [{"alg": "SHA-256", "content": "0" * 64}]


def test_a_fault_is_seen_by_the_schema(root: Path) -> None:
    bill = sbom.build(root, (), MODEL)
    assert faults(bill.replace("machine-learning-model", "model")) is not None


def test_groups_decide_and_the_same_lock_gives_the_same_text(root: Path) -> None:
    small, large = sbom.build(root, ()), sbom.build(root, ("team",))
    assert len(json.loads(small)["components"]) < len(json.loads(large)["components"])
    assert sbom.build(root, ()) == small


def test_a_lock_that_does_not_match_is_refused(root: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(root, tmp_path / "changed")
    project = folder / "pyproject.toml"
    project.write_text(PROJECT.replace("packaging", "packaging<100"))
    with pytest.raises(UsageError, match="Run `uv lock`"):
        sbom.build(folder, ())
    subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True)
    assert sbom.build(folder, ())
