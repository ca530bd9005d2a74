"""Limits automatic retraining, so that unstable data does not use up a budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlops_platform.core.errors import GateError
from mlops_platform.core.text import pluralize
from mlops_platform.settings import Retrain

WEEK = timedelta(days=7)


def span(limits: Retrain) -> timedelta:
    """How far back trainings count."""
    return max(WEEK, timedelta(hours=limits.cool_down_hours))


def check_cooldown(
    starts: list[datetime],
    limits: Retrain,
    source: Path,
    now: datetime,
    manual_command: str = "uv run mlops retrain --why REASON",
) -> None:
    """Check that an automatic training may start now.

    `starts` are the start times of all trainings, manual ones too. `manual_command` is the command
    for a manual training, which has no limit.

    Raises:
        GateError: the last training is too recent, or there were too many within a week.
    """
    pause = timedelta(hours=limits.cool_down_hours)
    if starts and now - max(starts) < pause:
        raise GateError(
            f"the last training started at {max(starts):%Y-%m-%d %H:%M} UTC; the next one can "
            f"start at {max(starts) + pause:%Y-%m-%d %H:%M} ({source}, `retrain.cool_down_hours`). "
            f"You can start one at any time: `{manual_command}`."
        )
    recent = sorted(start for start in starts if start > now - WEEK)
    if len(recent) >= limits.per_week:
        raise GateError(
            f"{pluralize(len(recent), 'training')} started within a week, and the next one can "
            f"start ({source}, `retrain.per_week`) at "
            f"{recent[-limits.per_week] + WEEK:%Y-%m-%d %H:%M} UTC. Find out why the data drifts "
            f"so often. You can start one at any time: `{manual_command}`."
        )


def time_to_wait(
    starts: list[datetime], limits: Retrain, source: Path, now: datetime, manual_command: str
) -> str:
    """Why an automatic training must wait; empty if it may start. See `check_cooldown`."""
    try:
        check_cooldown(starts, limits, source, now, manual_command)
    except GateError as error:
        return str(error)
    return ""


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)
