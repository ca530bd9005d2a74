"""A short run of the kill test of updates; `tests/update/kills.py` says what it checks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rendering import commit_all
from tests.update import kills
from tests.update.fleets import git, write


def test_updates_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    counts = kills.run(tmp_path, 2, 1)
    assert sum(counts[name] for name in counts if name.endswith(" killed")) == 2


def committed_elsewhere(project: Path) -> None:
    write(project, "poe_tasks.toml", "new\n")
    commit_all(project, "Update")


def half_a_branch(project: Path) -> None:
    git(project, "branch", "update")


@pytest.mark.parametrize(
    "damage",
    [
        committed_elsewhere,
        half_a_branch,
        lambda project: write(project, "poe_tasks.toml", "ne"),
        lambda project: (project / "poe_tasks.toml").unlink(),
        lambda project: write(project, ".mlops/mlflow.db", ""),
        lambda project: write(project, "left_behind.tmp", ""),
    ],
)
def test_the_check_finds_what_is_lost_or_half_there(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    write(tmp_path, "poe_tasks.toml", "old\n")
    commit_all(tmp_path, "Start")
    write(tmp_path, ".git/info/exclude", ".mlops/\noutputs/\n")
    for name, content in kills.UNKNOWN_TO_GIT.items():
        write(tmp_path, name, content)
    command = kills.Command("update", [], tmp_path, tmp_path, "update")
    command.commit, command.before = git(tmp_path, "rev-parse", "HEAD"), kills.files(tmp_path)
    command.after = command.before | {"poe_tasks.toml": b"new\n"}
    command.check()
    damage(tmp_path)
    with pytest.raises(AssertionError):
        command.check()
