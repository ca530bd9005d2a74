"""Projects of every earlier release, scarred as teams do it, updated to now and beyond.

The releases after now are planted: v99.0.1 and v99.0.2 have news in the second line of every file,
so that there is something to merge in each, whatever our own next release holds.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hooks.release.history import releases
from tests.conftest import Project
from tests.rendering import commit_all
from tests.update import scars
from tests.update.merging import ANSWERS, Files, check_update, files
from tests.update.modifications import SCARS, Scar, scar
from tests.update.releases import COMBINATIONS, DEFAULTS, Template, git, is_needed, stays

RELEASES = [release.tag for release in releases()]
NEWS, LATER = "v99.0.1", "v99.0.2"
# What is tried with all combinations of answers; releases between the first and the last get one.
ENDS = [
    (tag, name)
    for number, tag in enumerate(RELEASES)
    for index, name in enumerate(COMBINATIONS)
    if tag in {RELEASES[0], RELEASES[-1]} or index == number % len(COMBINATIONS)
]


def updated(template: Template, project: Project, answers: dict, old: str, new: str) -> dict:
    """Commit, update, check; returns files with conflicts, and the number in each."""
    commit_all(project.path, "Work")
    mine = files(project.path)
    template.update(project, new)
    renders = (files(template.pristine(tag, answers)) for tag in (old, new))
    return check_update(project, mine, *renders)


def only_seeds(content: Files) -> Files:
    """What an update leaves alone where it is."""
    return {name: text for name, text in content.items() if stays(name)}


def without_seeds(content: Files) -> Files:
    """The files that an update decides about."""
    return {name: text for name, text in content.items() if not stays(name)}


@pytest.mark.parametrize(("old", "combination"), ENDS)
def test_without_scars_an_update_is_a_fresh_copy(
    template: Template, tmp_path: Path, old: str, combination: str
) -> None:
    """Byte for byte, but for seeds: these stay as they were first rendered, or are brought."""
    answers = COMBINATIONS[combination]
    project = template.start(old, answers, tmp_path / "project")
    seeds = only_seeds(files(project.path))
    assert updated(template, project, answers, old, template.now) == {}
    after = files(project.path)
    brought = {name: text for name, text in only_seeds(after).items() if name not in seeds}
    assert only_seeds(after) == seeds | brought
    assert all(is_needed(name) for name in brought)
    assert without_seeds(after) == without_seeds(files(template.pristine(template.now, answers)))
    assert f"_commit: {template.now}\n" in project.read(ANSWERS)


@pytest.mark.parametrize(("old", "combination"), ENDS)
def test_all_scars_at_once(template: Template, tmp_path: Path, old: str, combination: str) -> None:
    answers = COMBINATIONS[combination]
    project = template.start(old, answers, tmp_path / "project")
    scar(project, *SCARS)
    updated(template, project, answers, old, template.now)
    commit_all(project.path, "Update")
    template.update(project, template.now)
    assert git(project.path, "status", "--porcelain") == "", "a second update changed something"


def test_releases_may_be_skipped(template: Template, tmp_path: Path) -> None:
    """From the first to the last in one step, over all that lies between."""
    first = RELEASES[0]
    project = template.start(first, DEFAULTS, tmp_path / "project")
    scar(project, *SCARS)
    updated(template, project, DEFAULTS, first, LATER)
    assert "News 2" in project.read("poe_tasks.toml")
    assert project.yaml(ANSWERS)["_commit"] == LATER


USUAL = [each for each in SCARS if each is not scars.runs_another_formatter]


def test_usual_work_never_conflicts(template: Template, tmp_path: Path) -> None:
    """All scars but one, against news in each file: no conflict at all."""
    project = template.start(template.now, DEFAULTS, tmp_path / "project")
    scar(project, *USUAL)
    assert updated(template, project, DEFAULTS, template.now, NEWS) == {}
    for name in ("README.md", "pyproject.toml", ".gitignore", ".pre-commit-config.yaml"):
        assert "News 1" in project.read(name)
    assert project.has("conf/news_1.yml")
    assert not project.has("notebooks/news_1.md")
    assert project.has("src/credit_risk/mlops/news_1.py")


def test_conflicts_are_where_both_changed(template: Template, tmp_path: Path) -> None:
    """In the second line, where the news are; and nowhere else in the same files."""
    project = template.start(template.now, DEFAULTS, tmp_path / "project")
    both = ["README.md", "docs/gates.md", "poe_tasks.toml", "src/credit_risk/mlops/errors.py"]
    for name in (*both, "conf/train.yml"):
        first, rest = project.read(name).split("\n", 1)
        project.write(name, f"{first}\n# ours, above\n{rest}# ours, at the end\n")
    found = updated(template, project, DEFAULTS, template.now, NEWS)
    assert found == dict.fromkeys(both, 1)
    for name in both:
        text = project.read(name)
        assert text.count("<<<<<<< before updating") == 1
        assert text.count("# ours, above") == text.count("News 1") == 1


def test_after_conflicts_solved_by_hand_the_next_update_is_clean(
    template: Template, tmp_path: Path
) -> None:
    project = template.start(template.now, DEFAULTS, tmp_path / "project")
    name = "poe_tasks.toml"
    first, rest = project.read(name).split("\n", 1)
    project.write(name, f"{first}\n# ours\n{rest}")
    assert updated(template, project, DEFAULTS, template.now, NEWS) == {name: 1}
    project.write(name, f"{first}\n# News 1\n\n\n# ours, further below\n{rest}")
    assert updated(template, project, DEFAULTS, NEWS, LATER) == {}
    assert "\n# ours, further below\n" in project.read(name)
    assert project.read(name).count("News") == 2
    commit_all(project.path, "Update")
    template.update(project, LATER)
    assert git(project.path, "status", "--porcelain") == ""


def test_a_file_that_both_added_is_a_conflict(template: Template, tmp_path: Path) -> None:
    project = template.start(template.now, DEFAULTS, tmp_path / "project")
    name = "src/credit_risk/mlops/news_1.py"
    project.write(name, '"""Ours."""\n')
    assert updated(template, project, DEFAULTS, template.now, NEWS) == {name: 1}


STEPS = [*((tag, NEWS) for tag in RELEASES), ("now", NEWS), ("now", LATER)]


@settings(
    max_examples=6,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    chosen=st.lists(st.sampled_from(SCARS), min_size=1, unique=True),
    combination=st.sampled_from(sorted(COMBINATIONS)),
    step=st.sampled_from(STEPS),
)
def test_any_scars(
    template: Template,
    tmp_path_factory: pytest.TempPathFactory,
    chosen: list[Scar],
    combination: str,
    step: tuple[str, str],
) -> None:
    old, new = (template.now if tag == "now" else tag for tag in step)
    answers = COMBINATIONS[combination]
    project = template.start(old, answers, tmp_path_factory.mktemp("any") / "project")
    scar(project, *chosen)
    updated(template, project, answers, old, new)


@pytest.mark.parametrize("each", SCARS, ids=lambda each: each.__name__)
def test_every_scar_leaves_one(template: Template, tmp_path: Path, each: Scar) -> None:
    """One that changes nothing would prove nothing."""
    project = template.start(template.now, DEFAULTS, tmp_path / "project")
    before = {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()}
    each(project)
    after = {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()}
    assert before != after


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda p: p.write("README.md", "gone\n"), id="a shared file overwritten"),
        pytest.param(lambda p: (p.path / "docs/ours.md").unlink(), id="an own file removed"),
        pytest.param(lambda p: p.write("notebooks/README.md", "back\n"), id="a seed came back"),
        pytest.param(lambda p: scars.append(p, "uv.toml", "# x\n"), id="a managed file not fresh"),
    ],
)
def test_the_check_sees_harm(
    template: Template, tmp_path: Path, harm: Callable[[Project], None]
) -> None:
    """Planted faults: what an update might do wrong."""
    project = template.start(template.now, DEFAULTS, tmp_path / "project")
    scar(project, *USUAL)
    commit_all(project.path, "Work")
    mine, render = files(project.path), files(template.pristine(template.now, DEFAULTS))
    assert check_update(project, mine, render, render) == {}
    harm(project)
    with pytest.raises(AssertionError):
        check_update(project, mine, render, render)
