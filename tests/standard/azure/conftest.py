"""Worlds at the moments that tests begin with: each made once, by the commands themselves."""

from pathlib import Path

import pytest

from tests.standard.azure import worlds
from tests.standard.azure.worlds import REGISTRY, Runner, World


@pytest.fixture
def mlops(monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Runs `mlops azure ...` against the stand-in."""
    return Runner(monkeypatch)


@pytest.fixture
def new(tmp_path: Path) -> World:
    """Workspaces and a registry, nothing else."""
    return worlds.start(tmp_path / "project", tmp_path / "azure")


@pytest.fixture
def trained(new: World) -> World:
    """The workspace of dev has a challenger, version 1."""
    new.change(models=worlds.version("1", "challenger"))
    return new


@pytest.fixture
def serving(mlops: Runner, new: World) -> World:
    """Production serves version 1; version 2 waits in the registry as challenger."""
    new.change(registries={REGISTRY: worlds.version("1", "challenger")})
    for words in (["setup"], ["deploy", "1"], ["rollout"]):
        assert mlops(new, *words, "--env", "prod") == "done"
    registry = new.state()["registries"][REGISTRY]
    new.change(registries={REGISTRY: registry | worlds.version("2", "challenger")})
    return new


@pytest.fixture
def deployed(mlops: Runner, serving: World) -> World:
    """Version 2 stands beside version 1, without traffic."""
    assert mlops(serving, "deploy", "2", "--env", "prod") == "done"
    return serving


@pytest.fixture
def replaced(mlops: Runner, deployed: World) -> World:
    """Version 2 has taken the place of version 1."""
    assert mlops(deployed, "rollout", "--env", "prod") == "done"
    return deployed
