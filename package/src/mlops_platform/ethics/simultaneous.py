"""Simultaneous confidence intervals for differences between groups.

A contrast is a statistic within a group minus the same statistic among all other rows. With many
contrasts and a separate interval each, some intervals would be wrong by chance. So one critical
value is estimated with the bootstrap of the largest contrast: single-step max-T of Westfall and
Young, Resampling-Based Multiple Testing (1993), chapter 2. It uses the correlation of the
contrasts, so its intervals are narrower than Bonferroni's. With probability `confidence`, all
intervals of a family cover their true values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
from scipy.stats import norm

from mlops_platform.evaluation import bootstrap, metrics

MAX_CELLS = 4_000_000  # resamples times rows in one batch: 32 MB
MIN_DEFINED = 0.9  # share of resamples that must be defined


class Statistic(Protocol):
    """A statistic of the rows in a mask (rows,), on the data and on resamples of it."""

    def __len__(self) -> int:
        """The number of rows."""

    def value(self, mask: np.ndarray) -> float:
        """On the data."""

    def resampled(self, mask: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """On each resample, (resamples,), of the counts of rows in it, (resamples, rows)."""

    def min_error(self, mask: np.ndarray) -> float:
        """The smallest standard error to assume."""


@dataclass(frozen=True)
class Mean:
    """A rate or a mean: the sum of `numerator` divided by the sum of `denominator`, each (rows,).

    `rate` is true for a share. `log` takes the logarithm, for ratios of rates, and adds 0.5 to both
    sums, as Haldane (1956) and Anscombe (1956) do, so that a count of zero is defined.
    """

    numerator: np.ndarray
    denominator: np.ndarray
    rate: bool = False
    log: bool = False

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.numerator)

    def value(self, mask: np.ndarray) -> float:
        """On the data; NaN if the denominator is zero."""
        ones = np.ones((1, len(mask)))
        return float(self.resampled(mask, ones)[0])

    def resampled(self, mask: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """On each resample."""
        top = counts @ (self.numerator * mask)
        bottom = counts @ (self.denominator * mask)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.log:
                return np.where(bottom > 0, np.log((top + 0.5) / (bottom + 0.5)), np.nan)
            return np.where(bottom > 0, top / bottom, np.nan)

    def min_error(self, mask: np.ndarray) -> float:
        """Of a rate: with two more successes and failures, as Agresti and Coull (1998).

        Without it, a group in which all rows are equal would have a standard error of zero.
        """
        if not self.rate:
            return 0.0
        rows = float((self.denominator * mask).sum()) + 4
        share = (float((self.numerator * mask).sum()) + 2) / rows
        error = float(np.sqrt(share * (1 - share) / rows))
        return error / share if self.log else error


@dataclass(frozen=True)
class Score:
    """A metric of truth and predictions."""

    metric: metrics.Metric
    truth: np.ndarray
    predicted: np.ndarray

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.truth)

    def value(self, mask: np.ndarray) -> float:
        """On the data."""
        return self.metric.compute(self.truth[mask], self.predicted[mask])

    def resampled(self, mask: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """On each resample."""
        compute = self.metric.on(self.truth[mask], self.predicted[mask])
        return np.array([compute(each) if each.any() else np.nan for each in counts[:, mask]])

    def min_error(self, mask: np.ndarray) -> float:
        """Zero: a metric of thirty or more rows varies between resamples."""
        return 0.0


@dataclass(frozen=True)
class Contrast:
    """A group as a mask (rows,), the statistic to compare, and its value within the group."""

    measure: str
    group: str
    mask: np.ndarray
    statistic: Statistic
    value: float

    @property
    def difference(self) -> float:
        """The group's statistic minus that of all other rows."""
        return self.value - self.statistic.value(~self.mask)


@dataclass(frozen=True)
class Interval:
    """A difference and its simultaneous interval; None if it cannot be estimated."""

    difference: float
    low: float | None
    high: float | None

    @property
    def distance(self) -> tuple[float, float | None, float | None]:
        """The absolute difference and its interval."""
        if self.low is None or self.high is None:
            return abs(self.difference), None, None
        low = max(self.low, -self.high, 0.0)
        return abs(self.difference), low, max(abs(self.low), abs(self.high))


def intervals(
    contrasts: Sequence[Contrast],
    *,
    times: int,
    seed: int,
    confidence: float,
    groups: np.ndarray | None = None,
) -> list[Interval]:
    """The simultaneous intervals of contrasts on the same rows.

    `groups`, (rows,), are codes of rows that are alike, such as those of one person: they are drawn
    together.
    """
    if not contrasts:
        return []
    rows = len(contrasts[0].mask)
    resampled = np.concatenate(
        [
            np.column_stack(
                [
                    contrast.statistic.resampled(contrast.mask, batch)
                    - contrast.statistic.resampled(~contrast.mask, batch)
                    for contrast in contrasts
                ]
            )
            for batch in _batches(rows, times, seed, groups)
        ]
    )
    estimates = np.array([contrast.difference for contrast in contrasts])
    defined = np.isfinite(resampled)
    estimable = np.isfinite(estimates) & (defined.mean(axis=0) >= MIN_DEFINED)
    deviations, errors = np.zeros(len(contrasts)), np.zeros(len(contrasts))
    for column in np.flatnonzero(estimable).tolist():
        contrast = contrasts[column]
        min_error = np.hypot(
            contrast.statistic.min_error(contrast.mask),
            contrast.statistic.min_error(~contrast.mask),
        )
        deviations[column] = resampled[defined[:, column], column].std(ddof=1)
        errors[column] = max(deviations[column], float(min_error))
    estimable &= errors > 0
    varies = deviations > 0
    # At least the normal quantile, which is right for one contrast; several need a larger one.
    critical = float(norm.ppf((1 + confidence) / 2))
    if varies.any():
        scaled = np.abs(resampled[:, varies] - estimates[varies]) / deviations[varies]
        largest = np.where(np.isfinite(scaled), scaled, 0).max(axis=1)
        critical = max(critical, float(np.quantile(largest, confidence)))
    return [
        Interval(
            float(estimate),
            float(estimate - critical * error) if has_interval else None,
            float(estimate + critical * error) if has_interval else None,
        )
        for estimate, error, has_interval in zip(estimates, errors, estimable, strict=True)
    ]


def _batches(rows: int, times: int, seed: int, groups: np.ndarray | None) -> Iterator[np.ndarray]:
    """Counts of the rows in resamples, (resamples, rows) in each batch."""
    resamples = bootstrap.resamples(rows, times, seed, groups)
    while batch := list(islice(resamples, max(1, MAX_CELLS // rows))):
        yield np.stack(batch)
