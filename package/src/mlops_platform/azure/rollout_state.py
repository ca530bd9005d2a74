"""Which deployment is coming and which is going: read from traffic and roles, kept nowhere else.

So a run that was interrupted, at whatever moment, can be taken up by another one.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_platform.azure.endpoints import Deployment, Endpoint, Shares
from mlops_platform.azure.versions import Versions
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.tracking.roles import Version

RANKS = {"challenger": 2, "champion": 1}


@dataclass(frozen=True)
class Side:
    """A deployment and the version behind it."""

    deployment: Deployment
    version: Version

    @property
    def name(self) -> str:
        """The deployment's colour."""
        return self.deployment.name

    @property
    def claim(self) -> tuple[int, str]:
        """Who comes: a challenger before a champion, the later before the earlier."""
        return RANKS.get(self.version.role, 0), self.version.since


@dataclass(frozen=True)
class View:
    """One endpoint as it is now."""

    endpoint: Endpoint
    traffic: Shares
    mirror: Shares
    sides: dict[str, Side]

    def share(self, side: Side) -> int:
        """The percentage of requests that a side answers."""
        return self.traffic.get(side.name, 0)

    @property
    def settled(self) -> Side | None:
        """The side that answers all requests, if one does."""
        return next((side for side in self.sides.values() if self.share(side) == 100), None)

    def other(self, side: Side) -> Side | None:
        """The side that is not this one."""
        return next((found for found in self.sides.values() if found.name != side.name), None)


def look(endpoint: Endpoint, versions: Versions) -> View:
    """Read the state of an endpoint.

    Raises:
        UsageError: it cannot be read, or something else than this standard has been at work.
    """
    sides = {}
    for name, deployment in endpoint.deployments().items():
        version = None if deployment.version == "?" else versions.find(deployment.version)
        if version is None:
            raise UsageError(
                f"{endpoint.name}: deployment {name} has a model that is not one of the versions "
                f"in the {versions.where}. Delete it, or give it a version of its own."
            )
        sides[name] = Side(deployment, version)
    traffic = endpoint.traffic()
    if len(sides) > 2 or not set(traffic) <= set(sides):
        raise UsageError(
            f"{endpoint.name}: expected blue and green, found {', '.join(sorted(sides))} with "
            f"traffic {traffic}. Put it right in Azure."
        )
    return View(endpoint, traffic, endpoint.mirror(), sides)


def coming(view: View) -> Side | None:
    """The side that a rollout brings; None when the one that should serve serves.

    Raises:
        GateError: nothing stands that may be rolled out, or a rollback was interrupted.
    """
    if len(view.traffic) == 2:
        new = newcomer(view)
        if new.version.role == "rolled_back" or (
            new.version.role == "champion" and view.share(new) < 50
        ):
            raise GateError(
                f"a rollback of {view.endpoint.name} was interrupted. End it with "
                f"{view.endpoint.place.command('rollback --why REASON')}."
            )
        return new
    able = [side for side in view.sides.values() if side.claim[0] and side.deployment.healthy]
    settled = view.settled
    if settled is None:
        if not able:
            raise GateError(
                f"{view.endpoint.name} has no deployment of a challenger or champion. Run "
                f"{view.endpoint.place.command('deploy challenger')}."
            )
        return max(able, key=lambda side: side.claim)
    rival = view.other(settled)
    if rival is None or not rival.claim[0]:
        return None
    if rival.claim <= settled.claim and settled.deployment.healthy:
        return None
    if not rival.deployment.healthy:
        again = view.endpoint.place.command(f"deploy {rival.version.number}")
        raise GateError(
            f"{view.endpoint.name}: deployment {rival.name} of version {rival.version.number} is "
            f"{rival.deployment.state}. Run {again} again."
        )
    return rival


def newcomer(view: View) -> Side:
    """Of two sides that have traffic, the one that came later, whatever its role is by now.

    Raises:
        GateError: the roles do not say.
    """
    sides = sorted(view.sides.values(), key=lambda side: side.claim, reverse=True)
    for side in sides:
        if side.version.role in ("challenger", "rolled_back"):
            return side
    for side, other in (sides, sides[::-1]):
        if side.version.tags.get("previous_champion") == other.version.number:
            return side
    raise GateError(
        f"{view.endpoint.name}: neither version was champion before the other, so it is not clear "
        "which came later. Move the traffic in Azure."
    )
