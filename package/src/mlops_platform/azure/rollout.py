"""Moves traffic to the deployed version, step by step, with a gate at each step.

An online endpoint starts with a mirror of 10 %, then come 10, 50 and 100 %. A failed gate aborts
the rollout: all traffic returns to the previous deployment.

Roles change while both versions have traffic, at 50 %. So the champion always serves requests,
wherever a run is interrupted. A first version gets its traffic, then its role. A batch endpoint
has no split: its default changes first, then the roles, and the previous version stays deployed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NoReturn

from mlops_platform.azure import rollout_state, smoke_test
from mlops_platform.azure.endpoint import Endpoint, TrafficSplit
from mlops_platform.azure.endpoints import load_endpoints
from mlops_platform.azure.rollout_state import DeployedVersion, EndpointState
from mlops_platform.azure.target import Target
from mlops_platform.azure.versions import NEVER_DEPLOYED, Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError

MIRROR_SHARE = 10
TRAFFIC_STEPS = (10, 50, 100)


@dataclass(frozen=True)
class Plan:
    """Settings of a rollout: seconds at each step before its gate, and a command to check."""

    step_seconds: float = 0.0
    check_command: str | None = None


def run(target: Target, plan: Plan) -> None:
    """Roll out the deployed version; continues at the step where an earlier run stopped.

    Raises:
        GateError: a gate failed, and the traffic is as before; or there is nothing to roll out.
        UsageError: the state cannot be read or changed. Nothing is reverted: run it again, or with
            `--abort`.
    """
    versions = Versions(target)
    leading, *following = load_endpoints(target)
    state = rollout_state.read_state(leading, versions)
    new = rollout_state.find_next(state)
    if new is not None:
        rollout = Rollout(target, versions, state, new, following)
        for endpoint in following:
            require_deployment(endpoint, new.version.number)
        try:
            rollout.advance(plan)
        except GateError as error:
            _revert_and_raise(rollout, error)
        if target.az.dry_run:
            return
        state = rollout_state.read_state(leading, versions)
    _finish(versions, state, following)


def abort(target: Target) -> None:
    """Return all traffic to the previous deployment, if a rollout is in progress."""
    versions = Versions(target)
    leading, *following = load_endpoints(target)
    state = rollout_state.read_state(leading, versions)
    new = rollout_state.find_next(state)
    if new is None or not (len(state.traffic) > 1 or state.mirror):
        terminal.out.print(f"no rollout of {leading.name} is in progress", markup=False)
        return
    rollout = Rollout(target, versions, state, new, following)
    rollout.revert("aborted manually")


@dataclass(frozen=True)
class Rollout:
    """A rollout of one version, with the state at the start of the command."""

    target: Target
    versions: Versions
    state: EndpointState
    new: DeployedVersion
    following: list[Endpoint]

    @property
    def old(self) -> DeployedVersion | None:
        """The version that is replaced; None if nothing serves."""
        return self.state.other(self.new) if self.state.traffic else None

    def advance(self, plan: Plan) -> None:
        """Go through the remaining steps."""
        endpoint, new, old = self.state.endpoint, self.new, self.old
        self._check_gate(plan)
        if old is None or not endpoint.splits_traffic:
            endpoint.set_traffic({new.name: 100})
            self._check_gate(plan)
            self._promote()
            return
        if not self.state.share(new) and new.name not in self.state.mirror:
            endpoint.set_traffic({old.name: 100}, {new.name: MIRROR_SHARE})
            self._check_gate(plan)
        for share in TRAFFIC_STEPS:
            if share <= self.state.share(new):
                continue
            if share == 100:
                self._promote()
            endpoint.set_traffic(_split_traffic(new, old, share))
            self._check_gate(plan)

    def revert(self, why: str) -> None:
        """Revert the rollout: roles first, while both versions still have traffic."""
        endpoint, new, old = self.state.endpoint, self.new, self.old
        if old is None:
            if endpoint.splits_traffic:
                endpoint.set_traffic({})
            return
        numbers = old.version.number, new.version.number
        if self._is_promoted():
            if endpoint.splits_traffic:
                endpoint.set_traffic(_split_traffic(new, old, 50))
            self.versions.restore(*numbers, "challenger", why)
        for follower in self.following:
            if colour := find_deployment(follower, old.version.number):
                follower.set_traffic({colour: 100})
        endpoint.set_traffic({old.name: 100})
        terminal.log(f"all traffic of {endpoint.name} goes to {old.name} again")

    def _is_promoted(self) -> bool:
        if not self.versions.can_write or not self.old:
            return False
        number = self.new.version.number
        same_version = number == self.old.version.number
        return not same_version and self.versions.get(number).role == "champion"

    def _promote(self) -> None:
        number = self.new.version.number
        for follower in self.following:
            colour = require_deployment(follower, number)
            if not self.target.az.dry_run:
                smoke_test.check_deployment(self.target, follower, colour, number, None)
            follower.set_traffic({colour: 100})
        self.versions.promote(number, "rolled out")

    def _check_gate(self, plan: Plan) -> None:
        if self.target.az.dry_run:
            terminal.log(f"would check {self.new.name}: its health and its responses")
            return
        time.sleep(plan.step_seconds)
        number = self.new.version.number
        smoke_test.check_deployment(
            self.target, self.state.endpoint, self.new.name, number, plan.check_command
        )


def _revert_and_raise(rollout: Rollout, gate_error: GateError) -> NoReturn:
    try:
        rollout.revert(str(gate_error))
    except UsageError as error:
        command = rollout.target.command("rollout --abort")
        raise UsageError(
            f"{gate_error} The revert is not finished; run {command}: {error}"
        ) from None
    raise GateError(f"{gate_error} The rollout is aborted.") from None


def _finish(versions: Versions, state: EndpointState, following: list[Endpoint]) -> None:
    """Complete what an interrupted run left open after the traffic had moved."""
    serving = state.serving
    if serving is None:
        again = state.endpoint.target.command("rollout")
        raise GateError(
            f"{state.endpoint.name}: no deployment has all the traffic: {state.traffic}. Run "
            f"{again}."
        )
    if serving.version.role in NEVER_DEPLOYED or not serving.deployment.healthy:
        raise GateError(
            f"version {serving.version.number}, which serves, is {serving.version.role} and its "
            f"deployment is {serving.deployment.state}. Run "
            f"{state.endpoint.target.command('rollback --why REASON')}."
        )
    if serving.version.role in rollout_state.ROLE_PRIORITY:
        for endpoint in following:
            endpoint.set_traffic({require_deployment(endpoint, serving.version.number): 100})
        versions.promote(serving.version.number, "rolled out")
    terminal.out.print(
        f"version {serving.version.number} serves all requests to {state.endpoint.name}",
        markup=False,
    )


def find_deployment(endpoint: Endpoint, number: str) -> str | None:
    """The healthy deployment of a version behind an endpoint; None if there is none."""
    for deployment in endpoint.deployments().values():
        if deployment.version == number and deployment.healthy:
            return deployment.name
    return None


def require_deployment(endpoint: Endpoint, number: str) -> str:
    """The healthy deployment of a version behind an endpoint.

    Raises:
        GateError: there is none.
    """
    colour = find_deployment(endpoint, number)
    if colour is None:
        raise GateError(
            f"version {number} is not deployed behind {endpoint.name}. "
            f"Run {endpoint.target.command(f'deploy {number}')}."
        )
    return colour


def _split_traffic(new: DeployedVersion, old: DeployedVersion, share: int) -> TrafficSplit:
    return {new.name: 100} if share == 100 else {old.name: 100 - share, new.name: share}
