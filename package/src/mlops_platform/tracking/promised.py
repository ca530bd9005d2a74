"""What the test set promised of a version: metrics and their intervals, in its tags."""

from __future__ import annotations

from typing import NamedTuple

from mlops_platform.evidence import Evaluation

INTERVALS = "test_intervals"  # `roc_auc 0.71 0.84; brier 0.1 0.2`: Azure reads braces as an object
SPREAD = "test_spread"  # `roc_auc 0.01 5`: of the primary metric over 5 blocks of time


class Figure(NamedTuple):
    """A metric on the test set, its interval, and its spread over blocks of time.

    None where it was not recorded.
    """

    value: float
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    blocks: int = 0


def to_tags(measured: Evaluation) -> dict[str, str]:
    """Tags with the intervals of all metrics, and the spread of the primary one."""
    known = [each for each in measured.measures if each.low is not None and each.high is not None]
    tags = {INTERVALS: "; ".join(f"{each.name} {each.low:.6g} {each.high:.6g}" for each in known)}
    if measured.spread is not None:
        tags[SPREAD] = f"{measured.metric} {measured.spread:.6g} {measured.blocks}"
    return tags


def of_version(tags: dict[str, str], metric: str) -> Figure | None:
    """The test figure of a metric; None if the version has none."""
    try:
        value = float(tags[f"test_{metric}"])
    except (KeyError, ValueError):
        return None
    low, high = _numbers(tags.get(INTERVALS, ""), metric)
    spread, blocks = _numbers(tags.get(SPREAD, ""), metric)
    return Figure(value, low, high, spread, int(blocks or 0))


def _numbers(text: str, metric: str) -> tuple[float | None, float | None]:
    """The two numbers that a tag has for a metric."""
    for part in text.split(";"):
        words = part.split()
        if len(words) == 3 and words[0] == metric:
            try:
                return float(words[1]), float(words[2])
            except ValueError:
                break
    return None, None
