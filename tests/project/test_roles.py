"""The first hour of each role, as its page says it, with nothing else."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.project.test_docs import commands
from tests.rendering import ROOT

EXAMPLE = ROOT / "examples" / "credit-risk"
PAGES = "docs/roles"
ROLES = sorted(path.stem for path in (EXAMPLE / PAGES).glob("*.md") if path.stem != "README")
CREDIT = {"project_name": "Credit Risk"}


def first_hour(page: str) -> list[list[str]]:
    """The commands of a page's block, in their order."""
    block = re.search(r"```bash\n.*?```", page, re.DOTALL)
    assert block
    return [command.split() for command in commands(block[0])]


@pytest.mark.parametrize("role", ROLES)
def test_a_first_hour_works_in_its_order(fresh_project: Callable[..., Project], role: str) -> None:
    project = fresh_project(CREDIT)
    hour = first_hour(project.read(f"{PAGES}/{role}.md"))
    assert len(hour) >= 4
    for command in hour:
        project.run(*command)


def test_the_hub_names_each_page_and_commands_of_its_first_hour() -> None:
    hub = (EXAMPLE / PAGES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[.*?\]\(([a-z-]+)\.md\) \| .*? \| (.*?) \|$", hub, re.MULTILINE)
    assert sorted(name for name, _ in rows) == ROLES
    for name, named in rows:
        page = (EXAMPLE / PAGES / f"{name}.md").read_text(encoding="utf-8")
        hour = [" ".join(command) for command in first_hour(page)]
        asked = re.findall(r"`([^`]+)`", named)
        assert len(asked) == 3
        for command in asked:
            assert any(f"uv run {command}" in each for each in hour), (name, command)


@pytest.mark.parametrize("page", ["README", *ROLES])
def test_links_of_the_pages_lead_somewhere(page: str) -> None:
    path = EXAMPLE / PAGES / f"{page}.md"
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / Path(target)).resolve().is_file(), (page, target)
