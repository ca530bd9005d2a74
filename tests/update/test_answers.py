"""An update with other answers: files come and go, and the team's own stay."""

from pathlib import Path

import pytest

from hooks.release.history import releases
from tests.rendering import commit_all
from tests.update.merging import ANSWERS, check_update, files
from tests.update.modifications import SCARS, append, scar
from tests.update.releases import DEFAULTS, ONLINE, OTHERS, Template, git

FIRST = releases()[0].tag
CHANGES = [
    pytest.param(DEFAULTS, {"ci": "azure-devops"}, id="ci"),
    pytest.param(ONLINE, {"serving": "both"}, id="serving"),
    pytest.param(OTHERS, {"cloud": "azureml", "ci": "github", "serving": "both"}, id="three"),
]


@pytest.mark.parametrize(("answers", "change"), CHANGES)
@pytest.mark.parametrize("scarred", [False, True])
def test_another_answer(
    template: Template, tmp_path: Path, answers: dict, change: dict, scarred: bool
) -> None:
    project = template.start(FIRST, answers, tmp_path / "project")
    if scarred:
        scar(project, *SCARS)
        commit_all(project.path, "Work")
    mine = files(project.path)
    template.update(project, template.now, **change)
    old, new = template.pristine(FIRST, answers), template.pristine(template.now, answers | change)
    check_update(project, mine, files(old), files(new))
    recorded = project.yaml(ANSWERS)
    assert {question: recorded[question] for question in change} == change
    commit_all(project.path, "Update")
    template.update(project, template.now)
    assert git(project.path, "status", "--porcelain") == ""


def test_what_an_answer_switches_off_goes_before_everybodys_eyes(
    template: Template, tmp_path: Path
) -> None:
    """Even a file that the team edited against the rules: git shows it, and brings it back."""
    project = template.start(template.now, DEFAULTS, tmp_path / "project")
    append(project, ".github/workflows/ci.yml", "# ours\n")
    project.write(".github/workflows/ours.yml", "name: ours\n")
    commit_all(project.path, "Work")
    edited = project.read(".github/workflows/ci.yml")
    template.update(project, template.now, ci="azure-devops")
    assert project.read(".github/workflows/ours.yml") == "name: ours\n"
    assert project.has(".azuredevops/ci.yml")
    assert " D .github/workflows/ci.yml\n" in git(project.path, "status", "--porcelain")
    git(project.path, "restore", ".github/workflows/ci.yml")
    assert project.read(".github/workflows/ci.yml") == edited


def test_a_name_that_a_dependency_took_later_is_kept(template: Template, tmp_path: Path) -> None:
    """`images` became the name of a package that projects depend on in 0.3.0."""
    project = template.start("v0.2.0", {"project_name": "Images"}, tmp_path / "project")
    template.update(project, template.now)
    assert project.yaml(ANSWERS)["project_name"] == "Images"
    assert project.has("src/images/mlops/cli.py")
    with pytest.raises(ValueError, match="would hide it"):
        template.copy(template.now, {"project_name": "Images"}, tmp_path / "new")
