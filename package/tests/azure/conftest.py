"""Worlds at the moments that tests begin with: each made once, by the commands themselves."""

from pathlib import Path
from typing import Any

import pytest

from package.tests.azure import worlds
from package.tests.azure.az_standin import Memory
from package.tests.azure.worlds import REGISTRY, Runner, World


@pytest.fixture
def mlops(monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Runs `mlops azure ...` against the stand-in."""
    return Runner(monkeypatch)


@pytest.fixture
def new(tmp_path: Path) -> World:
    """Workspaces and a registry, nothing else."""
    return worlds.start(tmp_path / "project")


@pytest.fixture
def trained(new: World) -> World:
    """The workspace of dev has a challenger, version 1."""
    new.change(models=worlds.version("1", "challenger"))
    return new


@pytest.fixture(scope="session")
def _states() -> dict[str, dict[str, Any]]:
    """Azure at each moment below, made by the first test that needs it."""
    return {}


@pytest.fixture
def serving(mlops: Runner, new: World, _states: dict[str, dict[str, Any]]) -> World:
    """Production serves version 1; version 2 waits in the registry as challenger."""
    if "serving" not in _states:
        new.change(registries={REGISTRY: worlds.version("1", "challenger")})
        for words in (["setup"], ["deploy", "1"], ["rollout"]):
            assert mlops(new, *words, "--env", "prod") == "done"
        registry = new.state()["registries"][REGISTRY]
        new.change(registries={REGISTRY: registry | worlds.version("2", "challenger")})
        _states["serving"] = new.state()
    return World(new.root, Memory(_states["serving"]))


@pytest.fixture
def deployed(mlops: Runner, serving: World, _states: dict[str, dict[str, Any]]) -> World:
    """Version 2 stands beside version 1, without traffic."""
    if "deployed" not in _states:
        assert mlops(serving, "deploy", "2", "--env", "prod") == "done"
        _states["deployed"] = serving.state()
    return World(serving.root, Memory(_states["deployed"]))


@pytest.fixture
def _rolled_out(mlops: Runner, deployed: World, _states: dict[str, dict[str, Any]]) -> None:
    if "replaced" not in _states:
        world = deployed.copy()
        assert mlops(world, "rollout", "--env", "prod") == "done"
        _states["replaced"] = world.state()
        _states["halfway"] = next(
            state
            for state in world.history()
            if state["online"]["credit-risk-prod"]["traffic"] == {"blue": 50, "green": 50}
            and state["registries"][REGISTRY]["1"]["tags"]["role"] == "archived"
        )


@pytest.fixture
def replaced(deployed: World, _rolled_out: None, _states: dict[str, dict[str, Any]]) -> World:
    """Version 2 has taken the place of version 1."""
    return World(deployed.root, Memory(_states["replaced"]))


@pytest.fixture
def halfway(deployed: World, _rolled_out: None, _states: dict[str, dict[str, Any]]) -> World:
    """Half of the traffic is at version 2, and the roles have changed hands."""
    return World(deployed.root, Memory(_states["halfway"]))


@pytest.fixture
def watched(replaced: World) -> World:
    """Version 2 serves, and what a monitor reads is there."""
    worlds.collect(replaced, "green")
    return replaced
