"""Every rendered file has one owner, and what follows from the list of owners is up to date."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hooks import ownership as made
from tests.conftest import Project
from tests.render.conftest import COMBINATIONS, name_of
from tests.rendering import ROOT

OWNED = made.ownership()
MANAGED_LINE = "Managed by the template: `copier update` changes it."
SHARED = {"README.md", "pyproject.toml", ".gitattributes", ".gitignore", ".pre-commit-config.yaml"}


def files(project: Project) -> list[str]:
    found = (path for path in project.path.rglob("*") if path.is_file())
    names = (path.relative_to(project.path) for path in found)
    return sorted(name.as_posix() for name in names if name.parts[0] not in {".git", ".ruff_cache"})


def test_every_file_has_an_owner(combination: Project) -> None:
    owners = {name: OWNED.owner_of(name, OWNED.rules()) for name in files(combination)}
    assert [name for name, owner in owners.items() if owner is None] == []
    assert {name for name, owner in owners.items() if owner == "shared"} == SHARED
    generated = {name for name, owner in owners.items() if owner == "generated"}
    assert {name for name in generated if not name.startswith("azureml/")} == {
        ".copier-answers.yml"
    }


def test_managed_files_say_so_in_their_first_line(combination: Project) -> None:
    for name in files(combination):
        if name.endswith(".whl"):
            continue
        first = combination.read(name).split("\n", 1)[0]
        managed = OWNED.owner_of(name, OWNED.rules()) == "managed"
        assert (MANAGED_LINE in first) == managed, name


def test_every_rule_is_needed(combination: Project) -> None:
    """A rule that meets no file in any combination would be a promise about nothing."""
    known = {".github/", ".azuredevops/", "azureml/", "infra/", "src/*.py", "src/Dockerfile"}
    for rule in OWNED.rules():
        if rule.owner != "generated" and not rule.glob.startswith(tuple(known)):
            assert any(rule.matches(name) for name in files(combination)), rule.glob


@pytest.mark.parametrize(
    "answers", [each for each in COMBINATIONS if each["ci"] == "github"], ids=name_of
)
def test_reviews_are_asked_for_what_is_there(
    rendered: Callable[..., Project], answers: dict[str, Any]
) -> None:
    project = rendered(answers)
    lines = project.read(".github/CODEOWNERS").splitlines()
    rules = [line.split()[0].removeprefix("/") for line in lines if line.startswith("/")]
    assert len(rules) > 10
    assert [rule for rule in rules if not any(project.path.glob(rule))] == []


def test_a_platform_team_reviews_what_the_template_manages(
    rendered: Callable[..., Project],
) -> None:
    teams = {"team": "@contoso/lending", "platform_team": "@contoso/ml-platform"}
    answers = {**COMBINATIONS[0], "ci": "github", "cloud": "azureml", **teams}
    lines = rendered(answers).read(".github/CODEOWNERS").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    assert rows[0] == ["*", "@contoso/lending"]

    def reviewer(path: str) -> str:
        """GitHub takes the last line that matches."""
        rules = [OWNED.Rule(glob.removeprefix("/"), "shared", "") for glob, _ in rows[1:]]
        found = [row[1] for row, rule in zip(rows[1:], rules, strict=True) if rule.matches(path)]
        return found[-1] if found else rows[0][1]

    for path in ("docs/gates.md", ".github/workflows/ci.yml", ".github/CODEOWNERS"):
        assert reviewer(path) == "@contoso/ml-platform"
    for path in (".copier-answers.yml", "conf/forks.yml", "pipelines/train.yml", "src/score.py"):
        assert reviewer(path) == "@contoso/ml-platform"
    for path in ("docs/impact.md", "conf/gates.yml", "pyproject.toml", "src/credit_risk/data.py"):
        assert reviewer(path) == "@contoso/lending"
    assert reviewer("azureml/jobs/sweep.yml") == "@contoso/lending"


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("src/score.py", "managed"),
        ("vendor/mlops_platform-1.0.0-py3-none-any.whl", "managed"),
        ("vendor/own.txt", None),
        ("src/credit_risk/model.py", "seed"),
        ("src/credit_risk/deeper/own.py", None),
        ("conf/data.yml", "seed"),
        ("pyproject.toml", "shared"),
        ("docs/pyproject.toml", "managed"),
        ("uv.lock", "generated"),
        ("own.txt", None),
    ],
)
def test_the_first_rule_that_matches_decides(path: str, owner: str | None) -> None:
    assert OWNED.owner_of(path, OWNED.rules()) == owner


def test_what_follows_from_the_list_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hooks", "ownership", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_a_change_of_the_list_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = OWNED.LIST.read_text().replace(
        'glob = "data/**", owner = "seed"', 'glob = "data/**", owner = "managed"'
    )
    (tmp_path / "ownership.toml").write_text(changed)
    monkeypatch.setattr(OWNED, "LIST", tmp_path / "ownership.toml")
    rules = OWNED.rules(tmp_path / "ownership.toml")
    monkeypatch.setattr(
        made, "ownership", lambda: type("O", (), {"rules": staticmethod(lambda: rules)})
    )
    stale = [path.name for path, text in made.results().items() if path.read_text() != text]
    assert stale == ["copier.yml", "README.md.jinja", "CODEOWNERS.jinja"]
