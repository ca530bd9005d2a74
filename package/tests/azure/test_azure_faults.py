"""Each call of each command fails in each way, or the caller dies at it; then it is run again.

Requests are always divided to 100 %, or as they were. A champion always answers some of them. And
the second run ends where an undisturbed one would have ended.
"""

import json
import re
from collections.abc import Iterator

import pytest

from package.tests.azure import scenarios
from package.tests.azure.scenarios import Runner, Scenario

COMMANDS = {
    "setup": ("new", ["setup", "--env", "dev"]),
    "submit": ("new", ["submit", "pipelines/train.yml", "--env", "dev"]),
    "retrain": ("new", ["retrain", "--event", "drift in income", "--env", "dev"]),
    "share": ("trained", ["share", "challenger", "--env", "dev"]),
    "deploy": ("serving", ["deploy", "challenger", "--env", "prod"]),
    "redeploy": ("third", ["deploy", "challenger", "--env", "prod"]),
    "schedules": ("watched", ["schedules", "--env", "prod"]),
    "rollout": ("deployed", ["rollout", "--env", "prod"]),
    "rollback": ("replaced", ["rollback", "--why", "complaints", "--env", "prod"]),
    "abort": ("halfway", ["rollout", "--abort", "--env", "prod"]),
}
PASSING = ["throttle", "timeout"]
STOPPING = ["auth", "invalid", "garbage", "kill after"]


@pytest.fixture
def third(replaced: Scenario) -> Scenario:
    """Version 3 waits; version 1, with its scale rules, stands where it will."""
    registry = replaced.state()["registries"][scenarios.REGISTRY]
    replaced.change(
        registries={scenarios.REGISTRY: registry | scenarios.version("3", "challenger")}
    )
    return replaced


def comparable(scenario: Scenario) -> str:
    """The state without times and jobs' chance to have gone on."""
    text = json.dumps(scenario.state(), sort_keys=True)
    return re.sub(r'"role_(since|why)": "[^"]*"', "", text)


def calls_of(mlops: Runner, scenario: Scenario, words: list[str]) -> tuple[str, list[int]]:
    """Where a run ends to which nothing happens, and its calls, one of each kind.

    A second run changes nothing.
    """
    reference = scenario.copy()
    assert mlops(reference, *words) == "done"
    calls = sorted(mlops.kinds.values())
    assert len(calls) > 5
    ended, before = comparable(reference), len(reference.history())
    assert mlops(reference, *words) == "done"
    assert len(reference.history()) == before
    return ended, calls


def each_call(
    mlops: Runner, scenario: Scenario, words: list[str], calls: list[int], fault: str
) -> Iterator[tuple[int, Scenario, str]]:
    """Which call failed, the scenario then, and how the run ended."""
    for call in calls:
        trial = scenario.copy()
        trial.fail(call, fault)
        ended = mlops(trial, *words)
        assert len(trial.calls()) >= call
        yield call, trial, ended


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_passes_by_itself_is_tried_again(request, mlops, command, fault):
    begin, words = COMMANDS[command]
    scenario = request.getfixturevalue(begin)
    wanted, calls = calls_of(mlops, scenario, words)
    for call, trial, ended in each_call(mlops, scenario, words, calls, fault):
        assert ended == "done", f"call {call}"
        assert comparable(trial) == wanted, f"call {call}"
        assert list(scenarios.unserved_champions(trial)) == [], f"call {call}"


@pytest.mark.parametrize("fault", STOPPING)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_second_run_ends_what_the_first_began(request, mlops, command, fault):
    begin, words = COMMANDS[command]
    scenario = request.getfixturevalue(begin)
    wanted, calls = calls_of(mlops, scenario, words)
    for call, trial, ended in each_call(mlops, scenario, words, calls, fault):
        # What a change answers is not read: the state is.
        assert ended != "done" or fault == "garbage", f"call {call}"
        assert list(scenarios.unserved_champions(trial)) == [], f"call {call}"
        assert mlops(trial, *words) == "done", f"call {call}"
        assert list(scenarios.unserved_champions(trial)) == [], f"call {call}"
        assert comparable(trial) == wanted, f"call {call}"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_dry_run_changes_nothing(request, mlops, command):
    begin, words = COMMANDS[command]
    scenario = request.getfixturevalue(begin).copy()
    assert mlops(scenario, *words, "--dry-run") == "done"
    assert scenario.history() == []
    assert len(scenario.calls()) > 2
