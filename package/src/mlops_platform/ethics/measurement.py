"""Measurements with confidence intervals, and their comparison with a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mlops_platform.ethics.limits import bound_of
from mlops_platform.evaluation import bootstrap
from mlops_platform.evidence.ethics import Bound, CheckVerdict, GroupFinding

if TYPE_CHECKING:
    from mlops_platform.ethics.config import MetricCheck
    from mlops_platform.ethics.evaluated_run import EvaluatedRun

ASSIGN_ROLE = (
    "Give a column of conf/data.yml the role `{role}`; or the owner removes the check from "
    "conf/ethics.yml."
)
MAX_NAMES = 3


@dataclass(frozen=True)
class Value:
    """A measured value with its confidence interval; all None if it cannot be measured.

    `rows` is the number of rows (or files) it was computed from, `description` says in a few words
    what was measured. `next_step` overrides the measure's own next step.
    """

    value: float | None
    low: float | None
    high: float | None
    rows: int
    description: str = ""
    groups: list[GroupFinding] = field(default_factory=list)
    next_step: str = ""


@dataclass(frozen=True)
class Measure:
    """A measure by name, the function that computes it, and the next step when it fails.

    `if_insufficient` is the next step when there is not enough evidence.
    """

    name: str
    compute: Callable[[EvaluatedRun, MetricCheck], Value]
    next_step: str
    if_insufficient: str = (
        "Use more rows: a larger test set (conf/train.yml), or more data. Or add a waiver."
    )

    @property
    def bound(self) -> Bound:
        """Whether the limit is a minimum or a maximum."""
        return bound_of(self.name)


def exact_value(value: float, rows: int, description: str = "") -> Value:
    """A value without sampling error."""
    return Value(float(value), float(value), float(value), rows, description)


def no_value(rows: int, reason: str, next_step: str = "") -> Value:
    """A value that cannot be measured, with the reason; the next step if more rows do not help."""
    return Value(None, None, None, rows, reason, next_step=next_step)


def first_few(names: Sequence[str]) -> str:
    """The first names, and the number of the others."""
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more


def bootstrap_value(
    run: EvaluatedRun, statistic: Callable[[np.ndarray], float], description: str = ""
) -> Value:
    """The value of `statistic` on the test rows, with its bootstrap interval.

    `statistic` takes counts, (rows,): how often each row was drawn.
    """
    rows = len(run.truth)
    value = statistic(np.ones(rows))
    if not np.isfinite(value):
        return no_value(rows, "is not defined on these rows")
    estimates = bootstrap.estimates(
        rows,
        statistic,
        times=run.gates.resamples,
        seed=run.train.seed,
        groups=run.contract.group_codes(run.rows),
    )
    low, high = bootstrap.interval(estimates, run.gates.confidence)
    return Value(float(value), low, high, rows, description)


def compare_with_limit(
    low: float | None, high: float | None, limit: float, bound: Bound
) -> CheckVerdict:
    """Passed or failed if the whole interval is on one side of the limit, else insufficient."""
    if low is None or high is None:
        return "insufficient evidence"
    if bound == "min":
        return "passed" if low >= limit else "failed" if high < limit else "insufficient evidence"
    return "passed" if high <= limit else "failed" if low > limit else "insufficient evidence"


def combine_verdicts(verdicts: Sequence[CheckVerdict]) -> CheckVerdict:
    """Failed if one failed; passed only if all passed."""
    if "failed" in verdicts:
        return "failed"
    return "passed" if verdicts and set(verdicts) == {"passed"} else "insufficient evidence"
