"""The audit of pins: what CI or an image fetches has its version, and an image its digest."""

from pathlib import Path

import pytest
from mlops_platform.core.errors import GateError
from mlops_platform.delivery import audit
from mlops_platform.delivery.audit import pins

from package.tests.workspaces import CREDIT

DIGEST = "@sha256:" + "0" * 64
UNPINNED = [
    "pip install uv",
    "python -m pip install 'uv>=0.13'",
    "pip install uv==0.13.9 other",
    "pip install --requirement requirements.txt",
    "uv pip install ruff",
    "pip install uv==0.13.*",
    "uvx ruff",
    "uvx --from mlflow==3.15.0 mlflow ui",
    "uvx --exclude-newer 2026-11-20 mlflow",
    "uv tool install copier",
    "pipx run copier",
    "npx axe",
    "npx --yes axe@latest",
    "npm install --global azurite",
    "az extension add --name ml",
    "az extension update --name ml",
    "curl -LsSf https://example.com/install.sh | sh",
    "echo hello && pip install uv",
]
PINNED = [
    "pip install uv==0.13.9",
    "python -m pip install --no-cache-dir --require-hashes --requirement requirements.txt",
    "pip install ./dist/p.whl && echo uv",
    "uvx --exclude-newer 2026-11-20T00:00:00Z --from mlflow==3.15.0 mlflow ui",
    "npx --yes axe@4.11.0",
    "az extension add --name ml --version 2.44.1 --yes",
    "curl -o a.sh https://example.com/a.sh",
    "# pip install uv",
]


def write(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("command", UNPINNED)
@pytest.mark.parametrize(
    ("file", "line"),
    [
        (".github/workflows/own.yml", "      - run: {}\n"),
        (".azuredevops/steps/own.yaml", "  - script: {}\n"),
        ("poe_tasks.toml", 'cmd = "{}"\n'),
        ("pipelines/environments/own/Dockerfile", "RUN {}\n"),
    ],
)
def test_what_would_be_the_newest_is_found(
    tmp_path: Path, file: str, line: str, command: str
) -> None:
    write(tmp_path, file, line.format(command))
    (found,) = pins.check(tmp_path).problems
    assert found.startswith(f"{file}: `")
    assert "takes whatever is the newest: " in found


@pytest.mark.parametrize("command", PINNED)
def test_what_has_its_version_is_not(tmp_path: Path, command: str) -> None:
    write(tmp_path, "Dockerfile", f"RUN true\n{command}\n")
    assert pins.check(tmp_path) == ([], [])


def test_a_command_over_several_lines_is_one(tmp_path: Path) -> None:
    write(tmp_path, "Dockerfile", "RUN pip install \\\n  --quiet \\\n  uv\n")
    assert len(pins.check(tmp_path).problems) == 1


def test_an_extension_that_az_installs_by_itself_is_found(tmp_path: Path) -> None:
    variable = "  AZURE_EXTENSION_USE_DYNAMIC_INSTALL: yes_without_prompt\n"
    write(tmp_path, ".github/workflows/own.yml", f"env:\n{variable}")
    assert len(pins.check(tmp_path).problems) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("Dockerfile", "FROM python:3.11-slim{}\n"),
        ("Dockerfile", "FROM --platform=linux/amd64 python:3.11-slim{} AS base\nFROM base\n"),
        (".github/workflows/own.yml", "    container: python:3.11-slim{}\n"),
        (".azuredevops/own.yml", "  - image: 'python:3.11-slim{}'\n"),
    ],
)
def test_an_image_needs_a_digest(tmp_path: Path, file: str, text: str) -> None:
    write(tmp_path, file, text.format(""))
    assert pins.check(tmp_path) == ([], [f"{file}: python:3.11-slim"])
    write(tmp_path, file, text.format(DIGEST))
    assert pins.check(tmp_path) == ([], [])


def test_the_audit_fails_for_commands_and_names_images(tmp_path: Path) -> None:
    pipeline = "jobs:\n- job: one\n  timeoutInMinutes: 5\n  steps:\n  - script: {}\n"
    write(tmp_path, ".azuredevops/ci.yml", pipeline.format("echo hello"))
    write(tmp_path, "Dockerfile", "FROM python:3.11-slim\n")
    assert audit.run(tmp_path) == [
        ".azuredevops has no problems",
        "not pinned by digest: Dockerfile: python:3.11-slim",
    ]
    write(tmp_path, ".azuredevops/ci.yml", pipeline.format("pip install uv"))
    with pytest.raises(GateError, match=r"no version:\n\.azuredevops/ci\.yml: `pip install uv`"):
        audit.run(tmp_path)


def test_a_new_project_fetches_nothing_unpinned() -> None:
    found = pins.check(CREDIT)
    assert found.problems == []
    # Azure ML's images: Renovate pins them in the template, where it can reach their registry.
    assert {image.partition(": ")[2].rpartition(":")[0] for image in found.images} <= {
        "mcr.microsoft.com/azureml/openmpi5.0-ubuntu24.04",
        "mcr.microsoft.com/azureml/curated/minimal-py311-inference",
    }
