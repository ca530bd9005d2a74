"""Scenarios at the moments that tests begin with: each made once, by the commands themselves."""

from pathlib import Path
from typing import Any

import pytest

from package.tests.azure import scenarios
from package.tests.azure.az_standin import Memory
from package.tests.azure.scenarios import REGISTRY, SUBNET, Runner, Scenario, Terraform


@pytest.fixture
def mlops(monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Runs `mlops azure ...` against the stand-in."""
    return Runner(monkeypatch)


@pytest.fixture
def new(tmp_path: Path) -> Scenario:
    """Workspaces and a registry, nothing else."""
    return scenarios.start(tmp_path / "project")


@pytest.fixture
def bare(tmp_path: Path) -> Scenario:
    """A project with infra/, and nothing in Azure but the groups."""
    scenario = scenarios.start(tmp_path / "project", infra=True)
    scenario.change(workspaces=[], registries={})
    for environment in ("staging", "prod"):
        file = scenario.root / "conf" / f"{environment}.yml"
        file.write_text(file.read_text().replace("infra: {", f"infra: {{subnet: {SUBNET}, "))
    return scenario


@pytest.fixture
def terraform(monkeypatch: pytest.MonkeyPatch) -> Terraform:
    """Takes Terraform's place; tests/infra runs the real one."""
    made = Terraform()
    monkeypatch.setattr("mlops_platform.azure.infra.subprocess", made)
    for name in ("CI", "GITHUB_ACTIONS", "TF_BUILD", "ARM_SUBSCRIPTION_ID"):
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.fixture
def trained(new: Scenario) -> Scenario:
    """The workspace of dev has a challenger, version 1."""
    new.change(models=scenarios.version("1", "challenger"))
    return new


@pytest.fixture(scope="session")
def _states() -> dict[str, dict[str, Any]]:
    """Azure at each moment below, made by the first test that needs it."""
    return {}


@pytest.fixture
def serving(mlops: Runner, new: Scenario, _states: dict[str, dict[str, Any]]) -> Scenario:
    """Production serves version 1; version 2 waits in the registry as challenger."""
    if "serving" not in _states:
        new.change(registries={REGISTRY: scenarios.version("1", "challenger")})
        for words in (["setup"], ["deploy", "1"], ["rollout"]):
            assert mlops(new, *words, "--env", "prod") == "done"
        registry = new.state()["registries"][REGISTRY]
        new.change(registries={REGISTRY: registry | scenarios.version("2", "challenger")})
        _states["serving"] = new.state()
    return Scenario(new.root, Memory(_states["serving"]))


@pytest.fixture
def deployed(mlops: Runner, serving: Scenario, _states: dict[str, dict[str, Any]]) -> Scenario:
    """Version 2 stands beside version 1, without traffic."""
    if "deployed" not in _states:
        assert mlops(serving, "deploy", "2", "--env", "prod") == "done"
        _states["deployed"] = serving.state()
    return Scenario(serving.root, Memory(_states["deployed"]))


@pytest.fixture
def _rolled_out(mlops: Runner, deployed: Scenario, _states: dict[str, dict[str, Any]]) -> None:
    if "replaced" not in _states:
        scenario = deployed.copy()
        assert mlops(scenario, "rollout", "--env", "prod") == "done"
        _states["replaced"] = scenario.state()
        _states["halfway"] = next(
            state
            for state in scenario.history()
            if state["online"]["credit-risk-prod"]["traffic"] == {"blue": 50, "green": 50}
            and state["registries"][REGISTRY]["1"]["tags"]["role"] == "archived"
        )


@pytest.fixture
def replaced(deployed: Scenario, _rolled_out: None, _states: dict[str, dict[str, Any]]) -> Scenario:
    """Version 2 has taken the place of version 1."""
    return Scenario(deployed.root, Memory(_states["replaced"]))


@pytest.fixture
def halfway(deployed: Scenario, _rolled_out: None, _states: dict[str, dict[str, Any]]) -> Scenario:
    """Half of the traffic is at version 2, and the roles have changed hands."""
    return Scenario(deployed.root, Memory(_states["halfway"]))


@pytest.fixture
def watched(replaced: Scenario) -> Scenario:
    """Version 2 serves, and what a monitor reads is there."""
    scenarios.collect(replaced, "green")
    return replaced
