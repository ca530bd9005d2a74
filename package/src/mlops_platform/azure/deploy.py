"""Deploys a version without traffic, in the free one of the deployments blue and green."""

from __future__ import annotations

from datetime import UTC, datetime

from mlops_platform.azure import certification, packages, signatures
from mlops_platform.azure.endpoint import COLOURS, Endpoint
from mlops_platform.azure.endpoints import load_endpoints
from mlops_platform.azure.target import Target
from mlops_platform.azure.versions import Versions, require_deployable
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError
from mlops_platform.maturity import delivery
from mlops_platform.tracking.roles import Version


def run(target: Target, number_or_role: str) -> str:
    """Deploy a version, by its number or as `challenger` or `champion`; return its number.

    Raises:
        GateError: the version must not be deployed, nobody certified it, its model is not the one
            that was registered or signed, its ethics checks do not allow production, nobody decided
            that the project operates, or a rollout is in progress.
        UsageError: there is no such version or endpoint, or Azure refuses.
    """
    versions = Versions(target)
    version = versions.get(number_or_role)
    require_deployable(target, versions, version)
    certification.require_certified(target, version.number)
    if target.environment == "prod" and version.role == "challenger":  # new, and no repair
        delivery.require_operate(target.conf, datetime.now(UTC).date())
        from mlops_platform.ethics import release  # noqa: PLC0415  MLflow, which the other environments spare

        release.require_passed(target.conf, version, delivery=True)
    versions.require_unchanged(version, signatures.checker(target, version.number))
    packages.register(target)
    for endpoint in load_endpoints(target):
        _deploy(target, versions, endpoint, version)
    return version.number


def _deploy(target: Target, versions: Versions, endpoint: Endpoint, version: Version) -> None:
    number = version.number
    traffic = endpoint.traffic()
    deployments = endpoint.deployments()
    for deployment in deployments.values():
        if deployment.version == number and deployment.healthy:
            endpoint.scale(deployment.name)
            share = traffic.get(deployment.name, 0)
            terminal.log(
                f"{endpoint.kind}: version {number} is already deployed as {deployment.name}, "
                f"traffic {share} %"
            )
            return
    if len(traffic) > 1 or endpoint.mirror():
        raise GateError(
            f"a rollout or a rollback of {endpoint.name} is in progress: {traffic}. Finish it with "
            f"{target.command('rollout')}, {target.command('rollout --abort')} or "
            f"{target.command('rollback --why REASON')}."
        )
    idle = [colour for colour in COLOURS if colour not in traffic]
    free = next((colour for colour in idle if colour not in deployments), idle[0])
    if free in deployments:
        _require_unused(versions, endpoint, deployments[free].version)
        endpoint.delete(free)
    endpoint.create(free, version)
    endpoint.scale(free)
    if endpoint.traffic() != traffic:
        raise GateError(
            f"the traffic of {endpoint.name} changed while {free} was created: from {traffic} to "
            f"{endpoint.traffic()}. Find out who else changes it, then deploy again."
        )
    if not target.az.dry_run:
        terminal.log(f"{endpoint.kind}: version {number} is deployed as {free}, without traffic")


def _require_unused(versions: Versions, endpoint: Endpoint, number: str) -> None:
    """Check that the deployment to replace is not the champion's, without traffic by mistake."""
    champion = versions.holder("champion") if versions.can_write else None
    if champion and champion.number == number and endpoint.traffic():
        raise GateError(
            f"version {number} is champion and has no traffic on {endpoint.name}. Somebody moved "
            "the traffic manually. Move it back, or run "
            f"{endpoint.target.command('rollback --why REASON')}."
        )
