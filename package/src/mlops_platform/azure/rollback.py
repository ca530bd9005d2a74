"""Restores the version that served before; during a rollout, the version that serves.

As in a rollout, roles change while both versions have traffic. So the failed version is reduced to
10 % first, then the roles change, then the last 10 % move. A batch endpoint has no split: its
default changes first, then the roles.
"""

from __future__ import annotations

from mlops_platform.azure import rollout_state, smoke_test
from mlops_platform.azure.endpoints import load_endpoints
from mlops_platform.azure.rollout import require_deployment
from mlops_platform.azure.rollout_state import DeployedVersion, EndpointState
from mlops_platform.azure.target import Target
from mlops_platform.azure.versions import Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError

LAST_SHARE = 10


def run(target: Target, why: str) -> None:
    """Roll back. An interrupted rollback is finished, not repeated.

    Raises:
        GateError: there is no version to restore, it is unhealthy, too, or its model is not the
            one that was registered.
        UsageError: the state cannot be read or changed.
    """
    versions = Versions(target)
    if not versions.can_write:
        raise UsageError(
            "staging has no roles, so it has no previous version. Use "
            f"{target.command('rollout --abort')}, or deploy and roll out the version that you "
            "want."
        )
    leading, *following = load_endpoints(target)
    state = rollout_state.read_state(leading, versions)
    failed = _find_failed(state)
    if failed is None:
        terminal.out.print("already rolled back", markup=False)
        return
    previous = state.other(failed)
    if previous is None or not previous.deployment.healthy:
        number = failed.version.tags.get("previous_champion", "VERSION")
        raise GateError(
            f"{leading.name}: no healthy deployment beside version {failed.version.number}. "
            "Deploy the previous champion, then roll back: "
            f"{target.command(f'deploy {number}')}."
        )
    versions.require_unchanged(previous.version)
    if not target.az.dry_run:
        smoke_test.check_deployment(target, leading, previous.name, previous.version.number, None)
    if not leading.splits_traffic or not state.share(failed):
        leading.set_traffic({previous.name: 100})
    elif state.share(failed) != LAST_SHARE:
        leading.set_traffic({previous.name: 100 - LAST_SHARE, failed.name: LAST_SHARE})
    for endpoint in following:
        endpoint.set_traffic({require_deployment(endpoint, previous.version.number): 100})
    versions.restore(previous.version.number, failed.version.number, "rolled_back", why)
    leading.set_traffic({previous.name: 100})
    if not target.az.dry_run:
        terminal.out.print(
            f"version {previous.version.number} is champion again, version {failed.version.number} "
            "is rolled back",
            markup=False,
        )


def _find_failed(state: EndpointState) -> DeployedVersion | None:
    """Find the version to roll back; None if that is already done."""
    serving = state.serving
    if serving is None:
        if not state.traffic:
            raise GateError(f"{state.endpoint.name} serves nothing: there is nothing to roll back.")
        return rollout_state.find_newer(state)
    other = state.other(serving)
    if serving.version.role == "champion":
        if other and other.version.role == "rolled_back":
            return None
        if other and other.name in state.mirror:
            return other
        previous = serving.version.tags.get("previous_champion")
        if previous is None:
            raise GateError(
                f"version {serving.version.number} is the first champion: there is no "
                "previous one. Train and roll out a better version."
            )
        if other is None or other.version.number != previous:
            raise GateError(
                f"version {previous}, champion before version {serving.version.number}, is no "
                "longer "
                f"deployed. Run {state.endpoint.target.command(f'deploy {previous}')}, then roll "
                "back."
            )
    return serving
