"""Projects of every earlier release, modified like teams do it, updated to now and later.

The later releases are made for the tests: v99.0.1 and v99.0.2 change the second line of every file,
so that there is something to merge in each, whatever our own next release changes.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hooks.release.history import releases
from tests.projects import Project
from tests.rendering import commit_all
from tests.update import modifications
from tests.update.merging import ANSWERS, Files, check_update, files
from tests.update.migrations import Migrations
from tests.update.modifications import MODIFICATIONS, Modification, modify
from tests.update.releases import (
    COMBINATIONS,
    DEFAULTS,
    Template,
    git,
    is_needed,
    stays,
)

RELEASES = [release.tag for release in releases()]
CHANGED, LATER = "v99.0.1", "v99.0.2"
# The first and the last release with all combinations of answers; each other release with one.
STARTS = [
    (tag, name)
    for number, tag in enumerate(RELEASES)
    for index, name in enumerate(COMBINATIONS)
    if tag in {RELEASES[0], RELEASES[-1]} or index == number % len(COMBINATIONS)
]


def updated(template: Template, project: Project, answers: dict, old: str, new: str) -> dict:
    """Commit, update, check; returns files with conflicts, and the number in each."""
    commit_all(project.path, "Work")
    mine = files(project.path)
    migrations = Migrations(old, new, mine)
    template.update(project, new, unsafe=bool(migrations))
    before, after = (files(template.pristine(tag, answers)) for tag in (old, new))
    return check_update(project, mine, before, after, migrations)


def only_seeds(content: Files) -> Files:
    """The files that an update does not change if they exist."""
    return {name: text for name, text in content.items() if stays(name)}


def without_seeds(content: Files) -> Files:
    """The files that an update may change."""
    return {name: text for name, text in content.items() if not stays(name)}


@pytest.mark.parametrize(("old", "combination"), STARTS)
def test_without_changes_an_update_equals_a_fresh_copy(
    template: Template, tmp_path: Path, old: str, combination: str
) -> None:
    """Byte for byte, except seeds: these stay as they were first rendered, or are added."""
    answers = COMBINATIONS[combination]
    project = template.start(old, answers, tmp_path / "project")
    seeds = only_seeds(files(project.path))
    migrations = Migrations(old, template.current, files(project.path))
    seeds = {name: migrations.rewrite(name, text) for name, text in seeds.items()}
    assert updated(template, project, answers, old, template.current) == {}
    after = files(project.path)
    added = {name: text for name, text in only_seeds(after).items() if name not in seeds}
    assert only_seeds(after) == seeds | added
    assert all(is_needed(name) for name in added)
    # Delivery asks for a decision where this file is: an update never adds it.
    assert "conf/stage.yml" not in added
    assert without_seeds(after) == without_seeds(
        files(template.pristine(template.current, answers))
    )
    assert f"_commit: {template.current}\n" in project.read(ANSWERS)


@pytest.mark.parametrize(("old", "combination"), STARTS)
def test_all_changes_at_once(
    template: Template, tmp_path: Path, old: str, combination: str
) -> None:
    answers = COMBINATIONS[combination]
    project = template.start(old, answers, tmp_path / "project")
    modify(project, *MODIFICATIONS)
    updated(template, project, answers, old, template.current)
    commit_all(project.path, "Update")
    template.update(project, template.current)
    assert git(project.path, "status", "--porcelain") == "", "a second update changed something"


def test_releases_may_be_skipped(template: Template, tmp_path: Path) -> None:
    """From the first to the last in one step, across all between them."""
    first = RELEASES[0]
    project = template.start(first, DEFAULTS, tmp_path / "project")
    modify(project, *MODIFICATIONS)
    updated(template, project, DEFAULTS, first, LATER)
    assert "Change 2" in project.read("poe_tasks.toml")
    assert project.yaml(ANSWERS)["_commit"] == LATER


USUAL = [each for each in MODIFICATIONS if each is not modifications.runs_another_formatter]


def test_usual_work_never_conflicts(template: Template, tmp_path: Path) -> None:
    """All changes except one, and a release that changes each file: no conflict at all."""
    project = template.start(template.current, DEFAULTS, tmp_path / "project")
    modify(project, *USUAL)
    assert updated(template, project, DEFAULTS, template.current, CHANGED) == {}
    for name in ("README.md", "pyproject.toml", ".gitignore", ".pre-commit-config.yaml"):
        assert "Change 1" in project.read(name)
    assert project.has("conf/new_1.yml")
    assert not project.has("notebooks/new_1.md")
    assert project.has("pipelines/new_1.yml")


def test_conflicts_are_where_both_changed(template: Template, tmp_path: Path) -> None:
    """In the second line, which the release changes; and nowhere else in the same files."""
    project = template.start(template.current, DEFAULTS, tmp_path / "project")
    both = ["README.md", "docs/gates.md", "pipelines/train.yml", "poe_tasks.toml"]
    for name in (*both, "conf/train.yml"):
        first, rest = project.read(name).split("\n", 1)
        project.write(name, f"{first}\n# ours, above\n{rest}# ours, at the end\n")
    found = updated(template, project, DEFAULTS, template.current, CHANGED)
    assert found == dict.fromkeys(both, 1)
    for name in both:
        text = project.read(name)
        assert text.count("<<<<<<< before updating") == 1
        assert text.count("# ours, above") == text.count("Change 1") == 1


def test_after_conflicts_solved_by_hand_the_next_update_is_clean(
    template: Template, tmp_path: Path
) -> None:
    project = template.start(template.current, DEFAULTS, tmp_path / "project")
    name = "poe_tasks.toml"
    first, rest = project.read(name).split("\n", 1)
    project.write(name, f"{first}\n# ours\n{rest}")
    assert updated(template, project, DEFAULTS, template.current, CHANGED) == {name: 1}
    project.write(name, f"{first}\n# Change 1\n\n\n# ours, further below\n{rest}")
    assert updated(template, project, DEFAULTS, CHANGED, LATER) == {}
    assert "\n# ours, further below\n" in project.read(name)
    assert project.read(name).count("# Change") == 2
    commit_all(project.path, "Update")
    template.update(project, LATER)
    assert git(project.path, "status", "--porcelain") == ""


def test_a_file_that_both_added_is_a_conflict(template: Template, tmp_path: Path) -> None:
    project = template.start(template.current, DEFAULTS, tmp_path / "project")
    name = "pipelines/new_1.yml"
    project.write(name, "ours: 1\n")
    assert updated(template, project, DEFAULTS, template.current, CHANGED) == {name: 1}


STEPS = [*((tag, CHANGED) for tag in RELEASES), ("current", CHANGED), ("current", LATER)]


@settings(
    max_examples=6,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    chosen=st.lists(st.sampled_from(MODIFICATIONS), min_size=1, unique=True),
    combination=st.sampled_from(sorted(COMBINATIONS)),
    step=st.sampled_from(STEPS),
)
def test_any_changes(
    template: Template,
    tmp_path_factory: pytest.TempPathFactory,
    chosen: list[Modification],
    combination: str,
    step: tuple[str, str],
) -> None:
    old, new = (template.current if tag == "current" else tag for tag in step)
    answers = COMBINATIONS[combination]
    project = template.start(old, answers, tmp_path_factory.mktemp("any") / "project")
    modify(project, *chosen)
    updated(template, project, answers, old, new)


@pytest.mark.parametrize("each", MODIFICATIONS, ids=lambda each: each.__name__)
def test_every_modification_changes_something(
    template: Template, tmp_path: Path, each: Modification
) -> None:
    """A modification without effect would test nothing."""
    project = template.start(template.current, DEFAULTS, tmp_path / "project")
    before = {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()}
    each(project)
    after = {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()}
    assert before != after


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda p: p.write("README.md", "gone\n"), id="a shared file overwritten"),
        pytest.param(lambda p: (p.path / "docs/ours.md").unlink(), id="an own file removed"),
        pytest.param(
            lambda p: p.write("notebooks/README.md", "back\n"), id="a deleted seed is back"
        ),
        pytest.param(
            lambda p: modifications.append(p, ".editorconfig", "# x\n"), id="a managed file differs"
        ),
    ],
)
def test_the_check_finds_damage(
    template: Template, tmp_path: Path, damage: Callable[[Project], None]
) -> None:
    """Planted errors: what an update might do wrong."""
    project = template.start(template.current, DEFAULTS, tmp_path / "project")
    modify(project, *USUAL)
    commit_all(project.path, "Work")
    mine, render = files(project.path), files(template.pristine(template.current, DEFAULTS))
    none = Migrations(template.current, template.current, mine)
    assert check_update(project, mine, render, render, none) == {}
    damage(project)
    with pytest.raises(AssertionError):
        check_update(project, mine, render, render, none)
