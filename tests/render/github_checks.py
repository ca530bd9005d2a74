"""The checkers of GitHub's workflows: actionlint with shellcheck, and zizmor."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

# What actionlint does not know of an action that is pinned by its commit: from their action.yml.
INPUTS = {
    "actions/attest": {"subject-path"},
    "actions/checkout": {"persist-credentials"},
    "actions/download-artifact": {"name", "path"},
    "actions/upload-artifact": {"name", "path", "if-no-files-found"},
    "astral-sh/setup-uv": {"version", "python-version", "enable-cache"},
    "hashicorp/setup-terraform": {"terraform_version"},
    "azure/login": {"client-id", "tenant-id", "subscription-id"},
}
ZIZMOR = ["zizmor", "--offline", "--strict-collection", "--persona", "auditor", "--format", "json"]


@pytest.fixture(scope="session")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The checker's command, in an environment of its own."""
    folder = tmp_path_factory.mktemp("actionlint")
    requirements = str(Path(__file__).with_name("actionlint.txt"))
    install = ["uv", "pip", "install", "--quiet", "--require-hashes", "--requirements"]
    for command in (["uv", "venv", "--quiet", str(folder / "venv")], [*install, requirements]):
        surroundings = {**os.environ, "VIRTUAL_ENV": str(folder / "venv")}
        subprocess.run(command, cwd=folder, check=True, env=surroundings)
    assert shutil.which("shellcheck"), "actionlint leaves scripts alone without it: run `uv sync`"
    return str(folder / "venv" / "bin" / "actionlint")


def linted(actionlint: str, folder: Path) -> str:
    """What actionlint says of a repository's workflows."""
    done = subprocess.run(
        [actionlint, "-no-color"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    assert (done.returncode == 1) == bool(done.stdout)
    return done.stdout


def audited(folder: Path) -> set[str]:
    """The names of zizmor's findings."""
    done = subprocess.run([*ZIZMOR, "."], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or done.returncode > 10, done.stderr
    return {found["ident"] for found in json.loads(done.stdout)}


def unknown_inputs(folder: Path) -> list[str]:
    """Inputs that the actions do not have."""
    found = []
    for file in sorted((folder / ".github" / "workflows").glob("*.yml")):
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            for step in job["steps"]:
                action = step.get("uses", "").partition("@")[0]
                if unknown := set(step.get("with", {})) - INPUTS.get(action, set()):
                    found.append(f"{action}: {unknown}")
    return found
