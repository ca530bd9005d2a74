"""The cooldown of automatic retraining."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mlops_platform.core.errors import GateError
from mlops_platform.monitoring import cooldown
from mlops_platform.settings import Retrain

NOW = datetime(2026, 5, 8, 12, 0, tzinfo=UTC)
LIMITS = Retrain(cool_down_hours=24, per_week=3)
SOURCE = Path("conf/train.yml")


def check(*hours_ago: float) -> None:
    starts = [NOW - timedelta(hours=hours) for hours in hours_ago]
    cooldown.check_cooldown(starts, LIMITS, SOURCE, NOW)


@pytest.mark.parametrize("hours_ago", [[], [24], [25, 100], [25, 30, 169, 200, 300]])
def test_trainings_far_enough_apart_may_start(hours_ago: list[float]) -> None:
    check(*hours_ago)


def test_too_soon_after_the_last_one() -> None:
    with pytest.raises(GateError, match=r"can start at 2026-05-08 13:00 .*cool_down_hours"):
        check(23, 100)


def test_a_pause_may_be_longer_than_a_week() -> None:
    month = Retrain(cool_down_hours=720, per_week=3)
    assert cooldown.span(month) == timedelta(days=30)
    with pytest.raises(GateError, match=r"can start at 2026-05-28 12:00 .*cool_down_hours"):
        cooldown.check_cooldown([NOW - timedelta(days=10)], month, SOURCE, NOW)
    cooldown.check_cooldown([NOW - timedelta(days=31)], month, SOURCE, NOW)


def test_one_a_week_is_one_training() -> None:
    once = Retrain(cool_down_hours=1, per_week=1)
    with pytest.raises(
        GateError, match=r"^1 training started.*`uv run mlops retrain --why REASON`"
    ):
        cooldown.check_cooldown([NOW - timedelta(hours=30)], once, SOURCE, NOW)


def test_enough_for_one_week() -> None:
    with pytest.raises(GateError, match=r"3 trainings .*per_week.* at 2026-05-09 00:00"):
        check(30, 60, 156)
