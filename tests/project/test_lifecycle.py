"""Rendered projects at work: their own commands, on answers that cover every choice in pairs."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.project import edits

STEPS = ["validate", "prepare", "train", "evaluate", "compare", "register"]
CREDIT = {"project_name": "Credit Risk"}
# Each value of each answer, and each pair of task, ci and cloud.
COVERING = [
    pytest.param(
        {**CREDIT, "serving": "online", "cloud": "none", "regulated": True},
        id="online-github-no-cloud",
    ),
    pytest.param({**CREDIT, "ci": "azure-devops"}, id="both-devops"),
    pytest.param(
        {"project_name": "Heat", "task": "regression", "regulated": True},
        id="regression-both-github",
    ),
    pytest.param(
        {
            "project_name": "Heat 2",
            "task": "regression",
            "serving": "batch",
            "ci": "azure-devops",
            "cloud": "none",
        },
        id="regression-batch-devops-no-cloud",
    ),
]


@pytest.fixture(scope="module", params=COVERING)
def trained(
    request: pytest.FixtureRequest,
    trained_copy: Callable[..., Project],
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """A project whose pipeline has run once."""
    return trained_copy(request.param, tmp_path_factory.mktemp("trained") / "project")


def test_checks_are_clean(trained: Project) -> None:
    done = trained.poe("check")
    assert "All checks passed!" in done.stdout
    assert re.search(r"no issues found in \d+ source files", done.stdout)


def test_a_type_fault_is_seen(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project(CREDIT)
    model = "src/credit_risk/model.py"
    project.write(model, project.read(model) + "\n\nWRONG: int = str()\n")
    assert "Incompatible types" in project.poe("check", expect=1).stdout


# With both ways to serve and a cloud, test_flows.py and test_bring_your_own_data.py run them at the
# first stage. Here all gates block.
@pytest.mark.parametrize(
    "trained", [each for each in COVERING if "both" not in str(each.id)], indirect=True
)
def test_the_projects_own_tests_pass(trained: Project, tmp_path: Path) -> None:
    project = Project(shutil.copytree(trained.path, tmp_path / "project"))
    edits.stage(project, "operate")
    done = project.poe("test")
    summary = done.stdout.strip().splitlines()[-1]
    passed = re.search(r"(\d+) passed", summary)
    assert passed, done.stdout
    assert int(passed[1]) >= 10, summary
    assert "skipped" not in summary


def test_the_pipeline_registers_a_challenger(trained: Project) -> None:
    versions = trained.models()
    assert [(version["version"], version["role"]) for version in versions] == [("1", "challenger")]
    commit = trained.run("git", "rev-parse", "HEAD").stdout.strip()
    assert versions[0]["git_commit"] == commit


def test_each_step_leaves_its_evidence(trained: Project) -> None:
    for step in STEPS:
        assert trained.has(f"{trained.last()}/{step}/step.json"), step
    for step in ("validate", "train", "evaluate", "compare", "register"):
        evidence = list((trained.path / trained.last() / step / "evidence").glob("*.json"))
        assert evidence, step
    assert trained.has(f"{trained.last()}/train/model/model.skops")
    pickles = [
        file for file in trained.path.glob("outputs/**/*") if file.suffix in {".pkl", ".joblib"}
    ]
    assert not pickles


def test_the_report_is_one_page(trained: Project) -> None:
    trained.poe("report")
    page = trained.read("outputs/report.html")
    assert page.lower().startswith("<!doctype html>")
    assert trained.yaml("conf/project.yml")["name"] in page


def test_git_sees_nothing_that_commands_made(trained: Project) -> None:
    assert trained.run("git", "status", "--porcelain").stdout == ""


def test_a_challenger_becomes_champion_once(trained_project: Callable[..., Project]) -> None:
    project = trained_project(CREDIT)
    too_early = project.poe("batch", expect=2)
    assert "poe promote" in too_early.stdout + too_early.stderr

    first = project.models()
    assert [version["role"] for version in first] == ["challenger"]
    project.poe("pipeline")
    assert project.models() == first, "the same code and data made another version"

    project.poe("promote")
    assert [version["role"] for version in project.models()] == ["champion"]
    nobody_left = project.poe("promote", expect=1)
    assert "no challenger to promote" in nobody_left.stdout + nobody_left.stderr


@functools.cache
def interpreter(version: str) -> str | None:
    """Path of a Python of this version, where uv finds one on this machine."""
    surroundings = dict(os.environ)
    if shutil.which("pyenv"):  # its commands answer only for versions that are switched on
        known = subprocess.run(
            ["pyenv", "versions", "--bare"], capture_output=True, text=True, check=True
        )
        surroundings["PYENV_VERSION"] = ":".join(known.stdout.split())
    done = subprocess.run(
        ["uv", "python", "find", "--no-project", "--no-python-downloads", version],
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else None


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_other_python_versions(fresh_project: Callable[..., Project], version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    project = Project(fresh_project(CREDIT).path, own_environment=True)
    project.run("uv", "sync", "--quiet", "--locked", "--python", python)
    found = project.run("uv", "run", "python", "--version").stdout
    assert found.startswith(f"Python {version}.")
    project.poe("pipeline")
    (model,) = project.models()
    assert model["role"] == "challenger"
