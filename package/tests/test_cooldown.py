"""How often a machine may start a training."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mlops_platform.core.errors import GateError
from mlops_platform.monitoring import cooldown
from mlops_platform.settings import Retrain

NOW = datetime(2026, 5, 8, 12, 0, tzinfo=UTC)
LIMITS = Retrain(cool_down_hours=24, per_week=3)
SOURCE = Path("conf/train.yml")


def require(*hours_ago: float) -> None:
    began = [NOW - timedelta(hours=hours) for hours in hours_ago]
    cooldown.require(began, LIMITS, SOURCE, NOW)


@pytest.mark.parametrize("hours_ago", [[], [24], [25, 100], [25, 30, 169, 200, 300]])
def test_what_is_far_enough_apart_may_begin(hours_ago: list[float]) -> None:
    require(*hours_ago)


def test_too_soon_after_the_last_one() -> None:
    with pytest.raises(GateError, match=r"may begin at 2026-05-08 13:00 .*cool_down_hours"):
        require(23, 100)


def test_one_a_week_is_one_training() -> None:
    once = Retrain(cool_down_hours=1, per_week=1)
    with pytest.raises(GateError, match=r"^1 training began.*`uv run mlops retrain --why REASON`"):
        cooldown.require([NOW - timedelta(hours=30)], once, SOURCE, NOW)


def test_enough_for_one_week() -> None:
    with pytest.raises(GateError, match=r"3 trainings .*per_week.* before 2026-05-09 00:00"):
        require(30, 60, 156)
