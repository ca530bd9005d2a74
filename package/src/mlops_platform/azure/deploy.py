"""Puts a version behind the endpoints, in the free one of blue and green, without traffic."""

from __future__ import annotations

from mlops_platform.azure import packages
from mlops_platform.azure.endpoints import COLOURS, Endpoint, of
from mlops_platform.azure.place import Place
from mlops_platform.azure.versions import Versions, may_be_deployed
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError


def run(place: Place, asked: str) -> str:
    """Deploy a version, by its number or as `challenger` or `champion`; return its number.

    Raises:
        GateError: the version must not be deployed, or its ethics keep it from production, or a
            rollout is under way.
        UsageError: there is no such version or endpoint, or Azure cannot do it.
    """
    versions = Versions(place)
    version = versions.get(asked)
    may_be_deployed(place, versions, version)
    if place.environment == "prod" and version.role == "challenger":
        from mlops_platform.ethics import release  # noqa: PLC0415  MLflow, which the other environments spare

        release.require(place.conf, version, delivery=True)
    packages.register(place)
    for endpoint in of(place):
        _deploy(place, versions, endpoint, version.number)
    return version.number


def _deploy(place: Place, versions: Versions, endpoint: Endpoint, number: str) -> None:
    traffic = endpoint.traffic()
    standing = endpoint.deployments()
    for there in standing.values():
        if there.version == number and there.healthy:
            endpoint.scale(there.name)
            share = traffic.get(there.name, 0)
            terminal.say(
                f"{endpoint.kind}: version {number} stands already, {there.name}, {share} %"
            )
            return
    if len(traffic) > 1 or endpoint.mirror():
        raise GateError(
            f"a rollout or a rollback of {endpoint.name} is under way: {traffic}. End it with "
            f"{place.command('rollout')}, {place.command('rollout --abort')} or "
            f"{place.command('rollback --why REASON')}."
        )
    without = [colour for colour in COLOURS if colour not in traffic]
    free = next((colour for colour in without if colour not in standing), without[0])
    if free in standing:
        _spare_the_champion(versions, endpoint, standing[free].version)
        endpoint.delete(free)
    endpoint.create(free, number)
    endpoint.scale(free)
    if endpoint.traffic() != traffic:
        raise GateError(
            f"the traffic of {endpoint.name} changed while {free} was made: it was {traffic}, it "
            f"is {endpoint.traffic()}. Who else works on it?"
        )
    if not place.az.dry_run:
        terminal.say(f"{endpoint.kind}: version {number} stands, {free}, without traffic")


def _spare_the_champion(versions: Versions, endpoint: Endpoint, number: str) -> None:
    """A champion without traffic is no state of ours: somebody moved it by hand."""
    champion = versions.holder("champion") if versions.writes else None
    if champion and champion.number == number and endpoint.traffic():
        raise GateError(
            f"version {number} is champion and has no traffic on {endpoint.name}. Somebody moved "
            f"it by hand. Move it back, or run {endpoint.place.command('rollback --why REASON')}."
        )
