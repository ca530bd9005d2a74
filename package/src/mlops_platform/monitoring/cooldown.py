"""How often a machine may start a training: data that jumps must not burn a budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlops_platform.core.errors import GateError
from mlops_platform.core.text import amount
from mlops_platform.settings import Retrain

WEEK = timedelta(days=7)


def require(
    began: list[datetime],
    limits: Retrain,
    source: Path,
    now: datetime,
    by_hand: str = "uv run mlops retrain --why REASON",
) -> None:
    """May a machine train now? `began` are the starts of all trainings, those by hand too.

    `by_hand` is the command with which a person may.

    Raises:
        GateError: the last one is too near, or there were enough within a week.
    """
    recent = sorted(start for start in began if start > now - WEEK)
    pause = timedelta(hours=limits.cool_down_hours)
    if recent and now - recent[-1] < pause:
        raise GateError(
            f"the last training began at {recent[-1]:%Y-%m-%d %H:%M} UTC; the next one may begin "
            f"at {recent[-1] + pause:%Y-%m-%d %H:%M} ({source}, `retrain.cool_down_hours`). "
            f"A person may at any time: `{by_hand}`."
        )
    if len(recent) >= limits.per_week:
        raise GateError(
            f"{amount(len(recent), 'training')} began within a week, and no more may ({source}, "
            f"`retrain.per_week`) before {recent[-limits.per_week] + WEEK:%Y-%m-%d %H:%M} UTC. "
            f"Look at why the data moves so often; a person may train with `{by_hand}`."
        )


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)
