"""Brings the version that was deployed to the requests, step by step, with a gate at each.

Online: 0 %, a mirror of 10 %, then 10, 50 and 100 %. A gate that says no aborts: all traffic goes
back to the deployment that had it.

Roles change hands while both versions have traffic, at 50 %: so the champion's tag never points at
a version that answers nobody, wherever a run is interrupted. A first version gets its traffic,
then its role. A batch endpoint has one default and nothing between: there the default moves first,
then the roles, and the version before stays deployed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NoReturn

from mlops_platform.azure import smoke, turns
from mlops_platform.azure.endpoints import Endpoint, Shares, of
from mlops_platform.azure.place import Place
from mlops_platform.azure.turns import Side, View
from mlops_platform.azure.versions import NEVER, Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError

MIRROR = 10
STEPS = (10, 50, 100)


@dataclass(frozen=True)
class Plan:
    """How careful a rollout is: seconds at each step before its gate, and what else to ask."""

    hold: float = 0.0
    check: str | None = None


def run(place: Place, plan: Plan) -> None:
    """Roll out what was deployed; goes on from the step at which an earlier run stopped.

    Raises:
        GateError: a gate said no, and the traffic is as it was; or there is nothing to roll out.
        UsageError: the state cannot be read or changed. Nothing is undone then: run it again, or
            with `--abort`.
    """
    versions = Versions(place)
    leading, *following = of(place)
    view = turns.look(leading, versions)
    new = turns.coming(view)
    if new is not None:
        rollout = Rollout(place, versions, view, new, following)
        for endpoint in following:
            require(endpoint, new.version.number)
        try:
            rollout.climb(plan)
        except GateError as fault:
            _undo(rollout, fault)
        if place.az.dry_run:
            return
        view = turns.look(leading, versions)
    _finish(versions, view, following)


def abort(place: Place) -> None:
    """Give all traffic back to the deployment that had it before a rollout, if one is under way."""
    versions = Versions(place)
    leading, *following = of(place)
    view = turns.look(leading, versions)
    new = turns.coming(view)
    if new is None or not (len(view.traffic) > 1 or view.mirror):
        terminal.out.print(f"no rollout of {leading.name} is under way", markup=False)
        return
    rollout = Rollout(place, versions, view, new, following)
    rollout.back("aborted by hand")


@dataclass(frozen=True)
class Rollout:
    """One side that comes, as it stood when the command began."""

    place: Place
    versions: Versions
    view: View
    new: Side
    following: list[Endpoint]

    @property
    def old(self) -> Side | None:
        """The side that goes; None where nothing serves."""
        return self.view.other(self.new) if self.view.traffic else None

    def climb(self, plan: Plan) -> None:
        """Step by step, from where it stands."""
        endpoint, new, old = self.view.endpoint, self.new, self.old
        self._gate(plan)
        if old is None or not endpoint.splits:
            endpoint.move({new.name: 100})
            self._gate(plan)
            self._crown()
            return
        if not self.view.share(new) and new.name not in self.view.mirror:
            endpoint.move({old.name: 100}, {new.name: MIRROR})
            self._gate(plan)
        for share in STEPS:
            if share <= self.view.share(new):
                continue
            if share == 100:
                self._crown()
            endpoint.move(_split(new, old, share))
            self._gate(plan)

    def back(self, why: str) -> None:
        """Undo it: roles first, while both sides still have traffic."""
        endpoint, new, old = self.view.endpoint, self.new, self.old
        if old is None:
            if endpoint.splits:
                endpoint.move({})
            return
        numbers = old.version.number, new.version.number
        if self._took_the_role():
            if endpoint.splits:
                endpoint.move(_split(new, old, 50))
            self.versions.restore(*numbers, "challenger", why)
        for follower in self.following:
            if colour := standing(follower, old.version.number):
                follower.move({colour: 100})
        endpoint.move({old.name: 100})
        terminal.say(f"all traffic of {endpoint.name} is back at {old.name}")

    def _took_the_role(self) -> bool:
        if not self.versions.writes or not self.old:
            return False
        number = self.new.version.number
        same = number == self.old.version.number
        return not same and self.versions.get(number).role == "champion"

    def _crown(self) -> None:
        number = self.new.version.number
        for follower in self.following:
            colour = require(follower, number)
            if not self.place.az.dry_run:
                smoke.gate(self.place, follower, colour, number, None)
            follower.move({colour: 100})
        self.versions.crown(number, "rolled out")

    def _gate(self, plan: Plan) -> None:
        if self.place.az.dry_run:
            terminal.say(f"would ask: is {self.new.name} well, does it answer as promised?")
            return
        time.sleep(plan.hold)
        number = self.new.version.number
        smoke.gate(self.place, self.view.endpoint, self.new.name, number, plan.check)


def _undo(rollout: Rollout, fault: GateError) -> NoReturn:
    try:
        rollout.back(str(fault))
    except UsageError as error:
        again = rollout.place.command("rollout --abort")
        raise UsageError(
            f"{fault} And the way back is not finished; run {again}: {error}"
        ) from None
    raise GateError(f"{fault} The rollout is aborted.") from None


def _finish(versions: Versions, view: View, following: list[Endpoint]) -> None:
    """What is left where a run was interrupted after the traffic had moved."""
    serving = view.settled
    if serving is None:
        raise GateError(f"{view.endpoint.name}: the traffic is {view.traffic}.")
    if serving.version.role in NEVER or not serving.deployment.healthy:
        raise GateError(
            f"version {serving.version.number}, which serves, is {serving.version.role} and its "
            f"deployment is {serving.deployment.state}. Run "
            f"{view.endpoint.place.command('rollback --why REASON')}."
        )
    if serving.version.role in turns.RANKS:
        for endpoint in following:
            endpoint.move({require(endpoint, serving.version.number): 100})
        versions.crown(serving.version.number, "rolled out")
    terminal.out.print(
        f"version {serving.version.number} answers all requests to {view.endpoint.name}",
        markup=False,
    )


def standing(endpoint: Endpoint, number: str) -> str | None:
    """The deployment of a version behind an endpoint, where one is well."""
    for deployment in endpoint.deployments().values():
        if deployment.version == number and deployment.healthy:
            return deployment.name
    return None


def require(endpoint: Endpoint, number: str) -> str:
    """The deployment of a version behind an endpoint.

    Raises:
        GateError: none is well.
    """
    colour = standing(endpoint, number)
    if colour is None:
        raise GateError(
            f"version {number} is not deployed behind {endpoint.name}. "
            f"Run {endpoint.place.command(f'deploy {number}')}."
        )
    return colour


def _split(new: Side, old: Side, share: int) -> Shares:
    return {new.name: 100} if share == 100 else {old.name: 100 - share, new.name: share}
