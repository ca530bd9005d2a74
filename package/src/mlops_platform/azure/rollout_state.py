"""Which deployment is new and which is old: read from traffic and roles, and stored nowhere else.

So another run can continue an interrupted one, wherever it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_platform.azure.endpoint import Deployment, Endpoint, TrafficSplit
from mlops_platform.azure.versions import Versions
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.tracking.roles import Version

ROLE_PRIORITY = {"challenger": 2, "champion": 1}


@dataclass(frozen=True)
class DeployedVersion:
    """A deployment and its version."""

    deployment: Deployment
    version: Version

    @property
    def name(self) -> str:
        """The deployment's colour."""
        return self.deployment.name

    @property
    def priority(self) -> tuple[int, str]:
        """The order of a rollout: a challenger before a champion, then the later version."""
        return ROLE_PRIORITY.get(self.version.role, 0), self.version.since


@dataclass(frozen=True)
class EndpointState:
    """The current state of one endpoint."""

    endpoint: Endpoint
    traffic: TrafficSplit
    mirror: TrafficSplit
    deployed: dict[str, DeployedVersion]

    def share(self, deployed_version: DeployedVersion) -> int:
        """The percentage of requests that a deployed version answers."""
        return self.traffic.get(deployed_version.name, 0)

    @property
    def serving(self) -> DeployedVersion | None:
        """The version that answers all requests, if there is one."""
        return next(
            (
                deployed_version
                for deployed_version in self.deployed.values()
                if self.share(deployed_version) == 100
            ),
            None,
        )

    def other(self, deployed_version: DeployedVersion) -> DeployedVersion | None:
        """The other deployed version."""
        return next(
            (each for each in self.deployed.values() if each.name != deployed_version.name), None
        )


def read_state(endpoint: Endpoint, versions: Versions) -> EndpointState:
    """Read the state of an endpoint.

    Raises:
        UsageError: it cannot be read, or another tool has changed it.
    """
    sides = {}
    for name, deployment in endpoint.deployments().items():
        version = None if deployment.version == "?" else versions.find(deployment.version)
        if version is None:
            raise UsageError(
                f"{endpoint.name}: deployment {name} has a model that is not a version in the "
                f"{versions.location}. Delete the deployment, or deploy one of these versions."
            )
        sides[name] = DeployedVersion(deployment, version)
    traffic = endpoint.traffic()
    if len(sides) > 2 or not set(traffic) <= set(sides):
        raise UsageError(
            f"{endpoint.name}: expected blue and green, found {', '.join(sorted(sides))} with "
            f"traffic {traffic}. Correct it in Azure."
        )
    return EndpointState(endpoint, traffic, endpoint.mirror(), sides)


def find_next(state: EndpointState) -> DeployedVersion | None:
    """Find the version to roll out; None if the right one already serves.

    Raises:
        GateError: no deployment can be rolled out, or a rollback was interrupted.
    """
    if len(state.traffic) == 2:
        newer = find_newer(state)
        if newer.version.role == "rolled_back" or (
            newer.version.role == "champion" and state.share(newer) < 50
        ):
            raise GateError(
                f"a rollback of {state.endpoint.name} was interrupted. Finish it with "
                f"{state.endpoint.target.command('rollback --why REASON')}."
            )
        return newer
    candidates = [
        candidate
        for candidate in state.deployed.values()
        if candidate.priority[0] and candidate.deployment.healthy
    ]
    serving = state.serving
    if serving is None:
        if not candidates:
            raise GateError(
                f"{state.endpoint.name} has no deployment of a challenger or champion. Run "
                f"{state.endpoint.target.command('deploy challenger')}."
            )
        return max(candidates, key=lambda candidate: candidate.priority)
    other = state.other(serving)
    if other is None or not other.priority[0]:
        return None
    if other.priority <= serving.priority and serving.deployment.healthy:
        return None
    if not other.deployment.healthy:
        command = state.endpoint.target.command(f"deploy {other.version.number}")
        raise GateError(
            f"{state.endpoint.name}: deployment {other.name} of version {other.version.number} is "
            f"{other.deployment.state}. Run {command} again."
        )
    return other


def find_newer(state: EndpointState) -> DeployedVersion:
    """Of two versions with traffic, find the newer one, whatever its role is now.

    Raises:
        GateError: the roles do not show it.
    """
    candidates = sorted(
        state.deployed.values(), key=lambda candidate: candidate.priority, reverse=True
    )
    for candidate in candidates:
        if candidate.version.role in ("challenger", "rolled_back"):
            return candidate
    for candidate, other in (candidates, candidates[::-1]):
        if candidate.version.tags.get("previous_champion") == other.version.number:
            return candidate
    raise GateError(
        f"{state.endpoint.name}: neither version was champion before the other, so it is not clear "
        "which one is newer. Move the traffic in Azure."
    )
