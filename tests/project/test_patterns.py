"""docs/patterns/: each page's answers make a project in which the page's commands work."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Kept, Project
from tests.rendering import ROOT

FOLDER = ROOT / "docs" / "patterns"
PAGES = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README")
LEFT_BY = {  # what a champion of the pattern leaves for its users
    "batch": "outputs/batch/latest.txt",
    "both": "outputs/batch/latest.txt",
    "many-models": "outputs/batch/latest.txt",
    "real-time": "outputs/image/Dockerfile",
}


def block(page: str, language: str) -> str:
    """The only block of a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return str(found)


@pytest.mark.parametrize("name", PAGES)
def test_a_pattern_works_as_its_page_says(kept: Kept, tmp_path: Path, name: str) -> None:
    page = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    given: Any = yaml.safe_load(block(page, "yaml"))
    sets = given if isinstance(given, list) else [given]
    for number, answers in enumerate(sets):
        with kept.project(answers) as project:
            path = shutil.copytree(
                project.path,
                tmp_path / str(number),
                ignore=shutil.ignore_patterns(".mlops", "outputs"),
            )
        made = Project(path)
        for command in block(page, "bash").splitlines():
            made.run(*command.split())
        assert made.has(LEFT_BY[name])
        assert made.has("src/Dockerfile") == (answers["serving"] != "batch")


def test_the_list_has_each_page() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\(([a-z-]+)\.md\)", text)) == PAGES == sorted(LEFT_BY)
