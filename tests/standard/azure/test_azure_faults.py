"""Each call of each command fails in each way, or the caller dies at it; then it is run again.

Requests are always divided to 100 %, or as they were. A champion always answers some of them. And
the second run ends where an undisturbed one would have ended.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standard.azure import worlds
from tests.standard.azure.worlds import Runner, World

COMMANDS = {
    "setup": ("new", ["setup", "--env", "dev"]),
    "submit": ("new", ["submit", "pipelines/train.yml", "--env", "dev"]),
    "share": ("trained", ["share", "challenger", "--env", "dev"]),
    "deploy": ("serving", ["deploy", "challenger", "--env", "prod"]),
    "rollout": ("deployed", ["rollout", "--env", "prod"]),
    "rollback": ("replaced", ["rollback", "--why", "complaints", "--env", "prod"]),
    "abort": ("halfway", ["rollout", "--abort", "--env", "prod"]),
}
PASSING = ["throttle", "timeout"]
STOPPING = ["auth", "invalid", "garbage", "kill after"]


@pytest.fixture
def halfway(mlops: Runner, deployed: World) -> World:
    """Half of the traffic is at version 2, and the roles have changed hands."""
    world = deployed.copy(deployed.azure.parent / "halfway")
    for call in range(1, 500):
        trial = deployed.copy(deployed.azure.parent / f"trial-{call}")
        trial.fail(call, "kill after")
        mlops(trial, "rollout", "--env", "prod")
        shares = trial.online()["traffic"]
        if shares == {"blue": 50, "green": 50} and trial.roles()["1"] == "archived":
            world.change(**trial.state())
            return world
    raise AssertionError


def comparable(world: World) -> str:
    """The state without times and jobs' chance to have gone on."""
    text = json.dumps(world.state(), sort_keys=True)
    return re.sub(r'"role_(since|why)": "[^"]*"', "", text)


def each_call(
    mlops: Runner, world: World, words: list[str], folder: Path, fault: str
) -> Iterator[tuple[int, World, str]]:
    """Which call failed, the world then, and how the run ended; until no call is left to fail."""
    for call in range(1, 500):
        trial = world.copy(folder / f"{fault}-{call}")
        trial.fail(call, fault)
        ended = mlops(trial, *words)
        if len(trial.calls()) < call:
            assert call > 5
            return
        yield call, trial, ended
    raise AssertionError


def undisturbed(mlops: Runner, world: World, words: list[str], folder: Path) -> str:
    """Where a run ends to which nothing happens; a second one changes nothing."""
    reference = world.copy(folder / "reference")
    assert mlops(reference, *words) == "done"
    ended, before = comparable(reference), len(reference.history())
    assert mlops(reference, *words) == "done"
    assert len(reference.history()) == before
    return ended


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_passes_by_itself_is_tried_again(request, mlops, tmp_path, command, fault):
    begin, words = COMMANDS[command]
    world = request.getfixturevalue(begin)
    wanted = undisturbed(mlops, world, words, tmp_path)
    for call, trial, ended in each_call(mlops, world, words, tmp_path, fault):
        assert ended == "done", f"call {call}"
        assert comparable(trial) == wanted, f"call {call}"
        assert list(worlds.unserved_champions(trial)) == [], f"call {call}"


@pytest.mark.parametrize("fault", STOPPING)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_second_run_ends_what_the_first_began(request, mlops, tmp_path, command, fault):
    begin, words = COMMANDS[command]
    world = request.getfixturevalue(begin)
    wanted = undisturbed(mlops, world, words, tmp_path)
    for call, trial, ended in each_call(mlops, world, words, tmp_path, fault):
        # What a change answers is not read: the state is.
        assert ended != "done" or fault == "garbage", f"call {call}"
        assert list(worlds.unserved_champions(trial)) == [], f"call {call}"
        assert mlops(trial, *words) == "done", f"call {call}"
        assert list(worlds.unserved_champions(trial)) == [], f"call {call}"
        assert comparable(trial) == wanted, f"call {call}"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_dry_run_changes_nothing(request, mlops, tmp_path, command):
    begin, words = COMMANDS[command]
    world = request.getfixturevalue(begin).copy(tmp_path / "dry")
    assert mlops(world, *words, "--dry-run") == "done"
    assert world.history() == []
    assert len(world.calls()) > 2
