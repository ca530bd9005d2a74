"""A project with work in it is green after an update from the first release."""

from pathlib import Path

from hooks.release.history import releases
from tests.rendering import commit_all
from tests.update import scars
from tests.update.modifications import scar
from tests.update.releases import DEFAULTS, Template, git

WORK = (
    scars.deletes_seeds,
    scars.renames_and_moves_seeds,
    scars.adds_to_the_readme,
    scars.ignores_more,
    scars.adds_a_dependency,
    scars.adds_tools_and_tasks,
    scars.adds_a_hook,
    scars.adds_workflows,
    scars.runs_the_hooks,
    scars.has_windows_line_ends,
)


def test_an_updated_project_is_green(template: Template, tmp_path: Path) -> None:
    project = template.start(releases()[0].tag, DEFAULTS, tmp_path / "project")
    project.run("uv", "lock", "--quiet")
    scar(project, *WORK)
    commit_all(project.path, "Work")
    template.update(project, template.now)
    assert git(project.path, "diff", "--name-only", "--diff-filter=U") == ""
    project.run("uv", "sync", "--quiet")
    assert "joblib" in project.run("uv", "tree", "--only-group", "team").stdout
    project.poe("azure-render")  # CHANGELOG.md, 0.3.0
    project.poe("check")
    # What trains again and again is left out; the pipeline below trains once more.
    project.poe("test", "-q", "--ignore", "tests/slow", "-k", "not reproducib")
    project.poe("ours")
    project.poe("pipeline")
    assert [model["role"] for model in project.models()] == ["challenger"]
