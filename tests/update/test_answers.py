"""An update with other answers: files are added and removed; the team's own stay."""

from pathlib import Path

import pytest

from hooks.release.history import releases
from tests.rendering import commit_all
from tests.update.merging import ANSWERS, check_update, files
from tests.update.migrations import Migrations
from tests.update.modifications import MODIFICATIONS, append, modify
from tests.update.releases import DEFAULTS, ONLINE, OTHERS, Template, git

FIRST = releases()[0].tag
CHANGES = [
    pytest.param(DEFAULTS, {"ci": "azure-devops"}, id="ci"),
    pytest.param(ONLINE, {"serving": "both"}, id="serving"),
    pytest.param(OTHERS, {"cloud": "azureml", "ci": "github", "serving": "both"}, id="three"),
]


@pytest.mark.parametrize(("answers", "change"), CHANGES)
@pytest.mark.parametrize("modified", [False, True])
def test_another_answer(
    template: Template, tmp_path: Path, answers: dict, change: dict, modified: bool
) -> None:
    project = template.start(FIRST, answers, tmp_path / "project")
    if modified:
        modify(project, *MODIFICATIONS)
        commit_all(project.path, "Work")
    mine = files(project.path)
    template.update(project, template.current, unsafe=True, **change)
    old, new = (
        template.pristine(FIRST, answers),
        template.pristine(template.current, answers | change),
    )
    check_update(project, mine, files(old), files(new), Migrations(FIRST, template.current, mine))
    recorded = project.yaml(ANSWERS)
    assert {question: recorded[question] for question in change} == change
    commit_all(project.path, "Update")
    template.update(project, template.current)
    assert git(project.path, "status", "--porcelain") == ""


def test_git_shows_the_removal_of_an_edited_file(template: Template, tmp_path: Path) -> None:
    """An edited managed file that an answer removes: git shows it and can restore it."""
    project = template.start(template.current, DEFAULTS, tmp_path / "project")
    append(project, ".github/workflows/ci.yml", "# ours\n")
    project.write(".github/workflows/ours.yml", "name: ours\n")
    commit_all(project.path, "Work")
    edited = project.read(".github/workflows/ci.yml")
    template.update(project, template.current, ci="azure-devops")
    assert project.read(".github/workflows/ours.yml") == "name: ours\n"
    assert project.has(".azuredevops/ci.yml")
    assert " D .github/workflows/ci.yml\n" in git(project.path, "status", "--porcelain")
    git(project.path, "restore", ".github/workflows/ci.yml")
    assert project.read(".github/workflows/ci.yml") == edited


def test_a_name_that_a_dependency_uses_later_is_kept(template: Template, tmp_path: Path) -> None:
    """Since 0.3.0 projects depend on a package named `images`."""
    project = template.start("v0.2.0", {"project_name": "Images"}, tmp_path / "project")
    template.update(project, template.current, unsafe=True)
    assert project.yaml(ANSWERS)["project_name"] == "Images"
    assert project.has("src/images/model.py")
    with pytest.raises(ValueError, match="would hide it"):
        template.copy(template.current, {"project_name": "Images"}, tmp_path / "new")
