"""`poe start`: a newcomer says who they are, and sees their first hour."""

from collections.abc import Callable

import pytest
import typer
from mlops_platform.cli import start

from package.tests.samples import EXAMPLES
from package.tests.workspaces import Workspace

Mlops = Callable[..., tuple[int, str, str]]
PAGES = EXAMPLES / "credit-risk" / "docs" / "roles"
ROLES = [
    "data-engineer",
    "data-scientist",
    "domain-expert",
    "ml-engineer",
    "model-validator",
    "owner",
]


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    folder = workspace.root / "docs" / "roles"
    folder.mkdir(parents=True)
    for page in PAGES.glob("*.md"):
        (folder / page.name).write_bytes(page.read_bytes())
    return workspace


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_a_short_page(project: Workspace, mlops: Mlops, role: str) -> None:
    code, out, _ = mlops(project, "start", role)
    assert code == 0
    assert out.partition("\n")[0].lower() == f"# {role.replace('-', ' ')}"
    assert "## The first hour" in out
    page = (PAGES / f"{role}.md").read_text(encoding="utf-8")
    assert len(page.splitlines()) <= 40
    assert "<!--" not in out


@pytest.mark.parametrize("given", ["ML engineer", "ml_engineer", " ml-engineer "])
def test_a_role_may_be_written_as_people_write_it(
    project: Workspace, mlops: Mlops, given: str
) -> None:
    assert mlops(project, "start", given)[1].startswith("# ML engineer")


@pytest.mark.parametrize(("typed", "title"), [("2", "# Data scientist"), ("owner", "# Owner")])
def test_who_gives_no_role_is_asked(
    project: Workspace, mlops: Mlops, monkeypatch: pytest.MonkeyPatch, typed: str, title: str
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: typed)
    code, out, err = mlops(project, "start")
    assert (code, out.startswith(title)) == (0, True)
    assert "2 data scientist" in err


def test_a_job_is_not_asked(project: Workspace, mlops: Mlops) -> None:
    code, _, err = mlops(project, "start")
    assert code == 2
    assert "Name your role: `uv run poe start ROLE`, with data-engineer, " in err


@pytest.mark.parametrize("given", ["boss", "7", "README"])
def test_an_unknown_role_is_told_the_others(project: Workspace, mlops: Mlops, given: str) -> None:
    code, _, err = mlops(project, "start", given)
    assert code == 2
    assert f"{given}: no role has this name. Choose data-engineer, " in err


def test_a_project_without_the_pages_is_told_where_they_come_from(
    workspace: Workspace, mlops: Mlops
) -> None:
    code, _, err = mlops(workspace, "start", "owner")
    assert code == 2
    assert "docs/roles: has no page" in err
    assert "poe template-update" in err


def test_a_terminal_shows_the_page_with_its_headings(
    project: Workspace, mlops: Mlops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start.terminal.out, "_force_terminal", True)
    _, out, _ = mlops(project, "start", "owner")
    assert "##" not in out
    assert "The first hour" in out
