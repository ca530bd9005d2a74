"""The rendered CI and hooks, held against the checkers of their platforms."""

import importlib.resources
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.conftest import Project
from tests.rendering import commit_all

GITHUB = {"ci": "github", "task": "classification", "serving": "both", "cloud": "azureml"}
AZURE = {**GITHUB, "ci": "azure-devops"}
COMMANDS = [
    "uv run pre-commit run --all-files --show-diff-on-failure",
    "uv run poe check",
    "uv run poe test",
    "uv run poe pipeline",
    "uv run poe report",
]
ZIZMOR = [
    "zizmor",
    "--offline",
    "--strict-collection",
    "--persona",
    "auditor",
    "--format",
    "json",
    ".",
]
PINNED = re.compile(r"^\s*-? ?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", re.M)


@pytest.fixture
def github(rendered: Callable[..., Project], tmp_path: Path) -> Project:
    """A project for GitHub, which a test may spoil."""
    source = rendered({**GITHUB, "regulated": False}).path / ".github"
    shutil.copytree(source, tmp_path / ".github")
    commit_all(tmp_path, "Start")
    return Project(tmp_path)


@pytest.fixture
def azure(rendered: Callable[..., Project]) -> str:
    """The text of Azure's CI."""
    return rendered({**AZURE, "regulated": False}).read(".azuredevops/ci.yml")


@pytest.fixture(scope="session")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The checker's command, in an environment of its own."""
    folder = tmp_path_factory.mktemp("actionlint")
    requirements = Path(__file__).with_name("actionlint.txt")
    for command in (
        ["uv", "venv", "--quiet", str(folder / "venv")],
        [
            "uv",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--requirements",
            str(requirements),
        ],
    ):
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            env={**os.environ, "VIRTUAL_ENV": str(folder / "venv")},
        )
    return str(folder / "venv" / "bin" / "actionlint")


def spoil(project: Project, old: str, new: str) -> None:
    """Plant a fault into the workflow."""
    file = ".github/workflows/ci.yml"
    assert old in project.read(file)
    project.write(file, project.read(file).replace(old, new, 1))


def test_both_platforms_run_the_same_commands(github: Project, azure: str) -> None:
    (job,) = github.yaml(".github/workflows/ci.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == COMMANDS
    (job,) = yaml.safe_load(azure)["jobs"]
    scripts = [step["script"].strip().splitlines()[-1] for step in job["steps"] if "script" in step]
    assert scripts == ["python -m pip install uv==0.13.9", *COMMANDS]


def test_the_workflow_is_careful(github: Project) -> None:
    text = github.read(".github/workflows/ci.yml")
    workflow = github.yaml(".github/workflows/ci.yml")
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        assert job["timeout-minutes"] <= 30
        assert isinstance(job["steps"][1]["with"]["python-version"], str)
    assert workflow["concurrency"]["group"]
    assert len(PINNED.findall(text)) == text.count("uses:") == 3


def test_actionlint_finds_nothing(github: Project, actionlint: str) -> None:
    assert github.run(actionlint).stdout == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-2404"),
        ("steps.pipeline.outcome", "steps.pipelin.outcome"),
        ("timeout-minutes: 20", "timeout-minutes: long"),
        ("    steps:", "    stepz:"),
    ],
)
def test_actionlint_fires(github: Project, actionlint: str, old: str, new: str) -> None:
    spoil(github, old, new)
    assert "ci.yml" in github.run(actionlint, expect=1).stdout


def test_zizmor_finds_nothing(github: Project) -> None:
    done = github.run(*ZIZMOR)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@main", "unpinned-uses"),
        ("permissions: {}\n", "permissions: write-all\n", "excessive-permissions"),
        ("  pull_request:\n", "  pull_request_target:\n", "dangerous-triggers"),
        ("run: uv run poe check", "run: echo ${{ github.head_ref }}", "template-injection"),
        ("persist-credentials: false", "persist-credentials: true", "artipacked"),
    ],
)
def test_zizmor_fires(github: Project, old: str, new: str, finding: str) -> None:
    spoil(github, old, new)
    done = subprocess.run(
        ZIZMOR,
        cwd=github.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode > 10
    assert finding in {found["ident"] for found in json.loads(done.stdout)}


def azure_faults(text: str) -> list[str]:
    """What Microsoft's schema has against a pipeline.

    The service reads every scalar as text, and so does the schema; BaseLoader does the same.
    """
    schemas = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / "azure-pipelines.json").read_text(encoding="utf-8"))
    pipeline = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    return [
        jsonschema.exceptions.best_match([error]).json_path
        for error in jsonschema.Draft7Validator(schema).iter_errors(pipeline)
    ]


def test_azures_schema_finds_nothing(azure: str) -> None:
    assert azure_faults(azure) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("displayName: uv", "displayNam: uv", "$.jobs[0].steps[2]"),
        ("UsePythonVersion@0", "UsePythonVersio@0", "$.jobs[0].steps[1].task"),
        ("versionSpec", "versionSpek", "$.jobs[0].steps[1]"),
        ("timeoutInMinutes: 20", "timeoutInMinutes: [20]", "$.jobs[0]"),
        ("    steps:", "    stepz:", "$.jobs[0]"),
        ("batch: true", "batch: maybe", "$"),
    ],
)
def test_azures_schema_fires(azure: str, old: str, new: str, where: str) -> None:
    assert old in azure
    assert azure_faults(azure.replace(old, new, 1)) == [where]


def test_hooks_need_no_other_host(rendered: Callable[..., Project]) -> None:
    config: dict[str, Any] = rendered({**GITHUB, "regulated": False}).yaml(
        ".pre-commit-config.yaml"
    )
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] in {"system", "pygrep", "fail"}
        assert "additional_dependencies" not in hook
