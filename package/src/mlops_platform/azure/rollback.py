"""Brings back the version that served before; during a rollout, the one that serves.

The rule is that of a rollout: roles change hands while both versions have traffic. So the version
that failed is cut to 10 % at once, then the roles change, then the last 10 % go. A batch endpoint
has nothing between: there the default moves first, then the roles.
"""

from __future__ import annotations

from mlops_platform.azure import smoke, turns
from mlops_platform.azure.endpoints import of
from mlops_platform.azure.place import Place
from mlops_platform.azure.rollout import require
from mlops_platform.azure.turns import Side, View
from mlops_platform.azure.versions import Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError

LAST = 10


def run(place: Place, why: str) -> None:
    """Go back; finishes a rollback that was interrupted, instead of going back twice.

    Raises:
        GateError: there is nothing to go back to, or it is not well either.
        UsageError: the state cannot be read or changed.
    """
    versions = Versions(place)
    if not versions.writes:
        raise UsageError(
            "staging has no roles, and so no version before. Use "
            f"{place.command('rollout --abort')}, or deploy and roll out the version that you want."
        )
    leading, *following = of(place)
    view = turns.look(leading, versions)
    failed = _failed(view)
    if failed is None:
        terminal.out.print("it is rolled back already", markup=False)
        return
    good = view.other(failed)
    if good is None or not good.deployment.healthy:
        before = failed.version.tags.get("previous_champion", "VERSION")
        raise GateError(
            f"{leading.name}: nothing that is well stands beside version {failed.version.number}. "
            "Deploy the champion before it, then roll back: "
            f"{place.command(f'deploy {before}')}."
        )
    if not place.az.dry_run:
        smoke.gate(place, leading, good.name, good.version.number, None)
    if not leading.splits or not view.share(failed):
        leading.move({good.name: 100})
    elif view.share(failed) != LAST:
        leading.move({good.name: 100 - LAST, failed.name: LAST})
    for endpoint in following:
        endpoint.move({require(endpoint, good.version.number): 100})
    versions.restore(good.version.number, failed.version.number, "rolled_back", why)
    leading.move({good.name: 100})
    if not place.az.dry_run:
        terminal.out.print(
            f"version {good.version.number} is champion again, version {failed.version.number} is "
            "rolled back",
            markup=False,
        )


def _failed(view: View) -> Side | None:
    """The side to take down; None where that is done already."""
    serving = view.settled
    if serving is None:
        if not view.traffic:
            raise GateError(f"{view.endpoint.name} serves nothing: there is nothing to take down.")
        return turns.newcomer(view)
    other = view.other(serving)
    if serving.version.role == "champion":
        if other and other.version.role == "rolled_back":
            return None
        if other and other.name in view.mirror:
            return other
        before = serving.version.tags.get("previous_champion")
        if before is None:
            raise GateError(
                f"version {serving.version.number} is the first champion: there is none to go "
                "back to. Train and roll out a better one."
            )
        if other is None or other.version.number != before:
            raise GateError(
                f"version {before}, champion before version {serving.version.number}, is no longer "
                f"deployed. Run {view.endpoint.place.command(f'deploy {before}')}, then roll back."
            )
    return serving
