"""The rendered hooks pass on a new project, and each fires on its fault."""

from collections.abc import Callable

import pytest

from tests.conftest import Project

ANSWERS = {"project_name": "Credit Risk"}


def test_a_new_project_passes_its_hooks(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project(ANSWERS)
    done = project.run("uv", "run", "pre-commit", "run", "--all-files")
    assert done.stdout.count("Passed") == 6  # the seventh looks at pickles only, and there are none
    assert "no-pickle" not in done.stdout
    assert project.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.parametrize(
    ("hook", "file", "text"),
    [
        ("ruff-check", "notebooks/a.py", "x = undefined\n"),
        ("ruff-format", "notebooks/a.py", "x = [ 1,2 ]\n"),
        ("lock", "pyproject.toml", '[project]\nname = "x"\nversion = "1"\n'),
        ("conflict-markers", "README.md", "a\n<<<<<<< before updating\nb\n"),
        ("large-files", "data/raw/big.csv", "1,2\n" * 300_000),
        ("secrets", "conf/store.yml", "key: AKIA" + "IOSFODNN7EXAMPLB\n"),
        ("no-pickle", "data/model.pkl", "x\n"),
    ],
)
def test_a_hook_fires(
    fresh_project: Callable[..., Project], hook: str, file: str, text: str
) -> None:
    project = fresh_project(ANSWERS)
    project.write(file, text)
    project.run("git", "add", "--all")
    done = project.run("uv", "run", "pre-commit", "run", hook, expect=1)
    assert f"hook id: {hook}" in done.stdout


def test_git_runs_the_hooks(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project(ANSWERS)
    project.run("uv", "run", "pre-commit", "install")
    project.write("README.md", ">>>>>>> after updating\n")
    done = project.run("git", "commit", "--all", "--message", "x", expect=1)
    assert "hook id: conflict-markers" in done.stderr
