"""A project with the team's work passes its checks after an update from the first release."""

from pathlib import Path

from hooks.release.history import releases
from tests.rendering import commit_all
from tests.update import modifications
from tests.update.modifications import modify
from tests.update.releases import DEFAULTS, Template, git

WORK = (
    modifications.deletes_seeds,
    modifications.renames_and_moves_seeds,
    modifications.adds_to_the_readme,
    modifications.ignores_more,
    modifications.adds_a_dependency,
    modifications.adds_tools_and_tasks,
    modifications.adds_a_hook,
    modifications.adds_workflows,
    modifications.runs_pre_commit,
    modifications.has_windows_line_endings,
)


def test_an_updated_project_passes_its_checks(template: Template, tmp_path: Path) -> None:
    project = template.start(releases()[0].tag, DEFAULTS, tmp_path / "project")
    project.run("uv", "lock", "--quiet")
    modify(project, *WORK)
    commit_all(project.path, "Work")
    template.update(project, template.current, unsafe=True)
    assert git(project.path, "diff", "--name-only", "--diff-filter=U") == ""
    project.run("uv", "sync", "--quiet")
    assert "joblib" in project.run("uv", "tree", "--only-group", "team").stdout
    project.poe("azure-render")  # CHANGELOG.md, 0.3.0
    # The migration to 1.0.0 rewrites imports and calls: they need new line breaks and order.
    project.run("uv", "run", "ruff", "format", "--quiet", ".")
    project.poe("fix")
    project.poe("check")
    # Without tests that train many times; the pipeline below trains once more.
    project.poe("test", "-q", "--ignore", "tests/slow", "-k", "not reproducib")
    project.poe("ours")
    project.poe("pipeline")
    assert [model["role"] for model in project.models()] == ["challenger"]
