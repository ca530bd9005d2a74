"""Reads the state of each tile on this machine, with a URL also from a running endpoint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from mlops_platform.dashboard import facts, machine, model, service
from mlops_platform.dashboard.facts import Facts
from mlops_platform.dashboard.states import State
from mlops_platform.dashboard.tiles import TILES, Name, Tile

READERS: dict[Name, Callable[[Tile, Facts], State]] = {
    "progress": model.progress,
    "compute": machine.compute,
    "quota": machine.of_quota,
    "errors": service.errors,
    "availability": service.availability,
    "drift": model.drift,
    "truth": model.truth,
    "cost": machine.cost,
}


def read(conf: Path, url: str | None = None, now: datetime | None = None) -> list[State]:
    """The states of the tiles that the project has, in their order.

    Raises:
        UsageError: settings, evidence or journal are damaged, or the URL is no endpoint.
    """
    gathered = facts.gather(conf, url, now or datetime.now(UTC))
    return [READERS[tile.name](tile, gathered) for tile in TILES if gathered.has(tile.needs)]
