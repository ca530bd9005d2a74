"""What a measure returns, and what becomes of it beside a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mlops_platform.ethics.limits import bound_of
from mlops_platform.evaluation import metrics
from mlops_platform.evidence.ethics import Bound, GroupFinding, Word

if TYPE_CHECKING:
    from mlops_platform.ethics.case import Case
    from mlops_platform.ethics.page import Metric

NAME_ONE = (
    "Give a column of conf/data.yml the role `{role}`; or the owner takes the check out of "
    "conf/ethics.yml."
)
SHOWN = 3


@dataclass(frozen=True)
class Value:
    """A value and its interval; all None where there is nothing to measure.

    `rows` were looked at, `about` says in a few words what the value is of.
    """

    value: float | None
    low: float | None
    high: float | None
    rows: int
    about: str = ""
    groups: list[GroupFinding] = field(default_factory=list)
    then: str = ""  # what to do, where it is not what the measure says


@dataclass(frozen=True)
class Measure:
    """A measure by name, and what to do when it fails.

    `unknown` says what to do when there is not enough evidence.
    """

    name: str
    compute: Callable[[Case, Metric], Value]
    then: str
    unknown: str = (
        "More rows decide it: a larger test set (conf/train.yml), or more data; or a waiver."
    )

    @property
    def bound(self) -> Bound:
        """The kind of limit that it is compared with."""
        return bound_of(self.name)


def counted(value: float, rows: int, about: str = "") -> Value:
    """A value that no chance is in."""
    return Value(float(value), float(value), float(value), rows, about)


def nothing(rows: int, why: str, then: str = "") -> Value:
    """No value, why, and what to do where more rows would not help."""
    return Value(None, None, None, rows, why, then=then)


def listed(seen: Sequence[str]) -> str:
    """The first few of what was found, and how many more there are."""
    more = f" and {len(seen) - SHOWN} more" if len(seen) > SHOWN else ""
    return ", ".join(seen[:SHOWN]) + more


def bootstrapped(
    case: Case, value: float, statistic: Callable[[np.ndarray], float], about: str = ""
) -> Value:
    """A value of the test rows with the bootstrap interval of `statistic`, a function of rows."""
    rows = len(case.truth)
    if not np.isfinite(value):
        return nothing(rows, "is not defined on these rows")
    drawn = metrics.resamples(rows, statistic, times=case.gates.resamples, seed=case.train.seed)
    low, high = metrics.interval(drawn, case.gates.confidence)
    return Value(float(value), low, high, rows, about)


def word(low: float | None, high: float | None, limit: float, bound: Bound) -> Word:
    """Inside the limit with the whole interval, outside with the whole, or neither."""
    if low is None or high is None:
        return "insufficient evidence"
    if bound == "min":
        return "passed" if low >= limit else "failed" if high < limit else "insufficient evidence"
    return "passed" if high <= limit else "failed" if low > limit else "insufficient evidence"


def worst(words: Sequence[Word]) -> Word:
    """One failure fails; else one group without enough evidence leaves the question open."""
    if "failed" in words:
        return "failed"
    return "passed" if words and set(words) == {"passed"} else "insufficient evidence"
