"""Groups against all others, with intervals that hold for all of them at once.

A contrast is a statistic within a group minus the same statistic among all other rows. Many groups
and measures make many contrasts, and with an interval each, some would be wrong by chance. So one
critical value is taken from the bootstrap of the largest of them: single-step max-T of Westfall
and Young, Resampling-Based Multiple Testing (1993), chapter 2. It knows that contrasts depend on
each other, and asks for less than Bonferroni where they do. With probability `confidence`, all
intervals of a family cover their truths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.stats import norm

from mlops_platform.evaluation import metrics

CELLS = 4_000_000  # draws times rows at once: 32 MB
DEFINED = 0.9  # share of draws that must be defined


@dataclass(frozen=True)
class Draws:
    """Some bootstrap draws of row numbers, (draws, rows), and how often each row is in them."""

    picked: np.ndarray
    counts: np.ndarray


class Statistic(Protocol):
    """A number of the rows in a mask (rows,): on the rows as they are, and on draws of them."""

    def __len__(self) -> int:
        """How many rows there are."""

    def value(self, inside: np.ndarray) -> float:
        """On the rows as they are."""

    def drawn(self, inside: np.ndarray, draws: Draws) -> np.ndarray:
        """On each draw, (draws,)."""

    def floor(self, inside: np.ndarray) -> float:
        """The least standard error that is believed."""


@dataclass(frozen=True)
class Mean:
    """The sum of `top` by the sum of `bottom`, each (rows,): a rate, or a mean.

    `rate` says that it is a share, and `log` takes its logarithm, for ratios of rates; half a case
    is added there, as Haldane (1956) and Anscombe (1956) do, so that it is defined without a case.
    """

    top: np.ndarray
    bottom: np.ndarray
    rate: bool = False
    log: bool = False

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.top)

    def value(self, inside: np.ndarray) -> float:
        """On the rows as they are; NaN where nothing is below the line."""
        ones = np.ones((1, len(inside)))
        return float(self.drawn(inside, Draws(np.empty((1, 0)), ones))[0])

    def drawn(self, inside: np.ndarray, draws: Draws) -> np.ndarray:
        """On each draw."""
        top = draws.counts @ (self.top * inside)
        bottom = draws.counts @ (self.bottom * inside)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.log:
                return np.where(bottom > 0, np.log((top + 0.5) / (bottom + 0.5)), np.nan)
            return np.where(bottom > 0, top / bottom, np.nan)

    def floor(self, inside: np.ndarray) -> float:
        """Of a rate: with two successes and two failures more, as Agresti and Coull (1998).

        A group in which all are alike has no spread to draw from, and is not certain for it.
        """
        if not self.rate:
            return 0.0
        rows = float((self.bottom * inside).sum()) + 4
        share = (float((self.top * inside).sum()) + 2) / rows
        error = float(np.sqrt(share * (1 - share) / rows))
        return error / share if self.log else error


@dataclass(frozen=True)
class Score:
    """A metric of truth and predictions."""

    metric: metrics.Metric
    truth: np.ndarray
    predicted: np.ndarray

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.truth)

    def value(self, inside: np.ndarray) -> float:
        """On the rows as they are."""
        return self.metric.compute(self.truth[inside], self.predicted[inside])

    def drawn(self, inside: np.ndarray, draws: Draws) -> np.ndarray:
        """On each draw."""
        picks = (picked[inside[picked]] for picked in draws.picked)
        return np.array(
            [
                self.metric.compute(self.truth[picked], self.predicted[picked])
                if len(picked)
                else np.nan
                for picked in picks
            ]
        )

    def floor(self, inside: np.ndarray) -> float:
        """None: metrics of thirty rows and more spread."""
        return 0.0


@dataclass(frozen=True)
class Contrast:
    """A group, as a mask (rows,), its own value, and the statistic to hold it against others by."""

    measure: str
    group: str
    inside: np.ndarray
    statistic: Statistic
    value: float

    @property
    def difference(self) -> float:
        """The group's statistic minus that of the others."""
        return self.value - self.statistic.value(~self.inside)


@dataclass(frozen=True)
class Interval:
    """A difference and its simultaneous interval; None where it cannot be told."""

    difference: float
    low: float | None
    high: float | None

    @property
    def distance(self) -> tuple[float, float | None, float | None]:
        """Its size, whatever its sign, with the interval of the size."""
        if self.low is None or self.high is None:
            return abs(self.difference), None, None
        least = max(self.low, -self.high, 0.0)
        return abs(self.difference), least, max(abs(self.low), abs(self.high))


def intervals(
    contrasts: Sequence[Contrast], *, times: int, seed: int, confidence: float
) -> list[Interval]:
    """The interval of each contrast; all of them are over the same rows."""
    if not contrasts:
        return []
    rows = len(contrasts[0].inside)
    drawn = np.concatenate(
        [
            np.column_stack(
                [
                    contrast.statistic.drawn(contrast.inside, draws)
                    - contrast.statistic.drawn(~contrast.inside, draws)
                    for contrast in contrasts
                ]
            )
            for draws in _draws(rows, times, seed)
        ]
    )
    estimates = np.array([contrast.difference for contrast in contrasts])
    defined = np.isfinite(drawn)
    told = np.isfinite(estimates) & (defined.mean(axis=0) >= DEFINED)
    spreads, errors = np.zeros(len(contrasts)), np.zeros(len(contrasts))
    for column in np.flatnonzero(told).tolist():
        contrast = contrasts[column]
        least = np.hypot(
            contrast.statistic.floor(contrast.inside), contrast.statistic.floor(~contrast.inside)
        )
        spreads[column] = drawn[defined[:, column], column].std(ddof=1)
        errors[column] = max(spreads[column], float(least))
    told &= errors > 0
    spread = spreads > 0
    # For one contrast that is nearly normal, it is the normal's; for several, larger.
    critical = float(norm.ppf((1 + confidence) / 2))
    if spread.any():
        sizes = np.abs(drawn[:, spread] - estimates[spread]) / spreads[spread]
        largest = np.where(np.isfinite(sizes), sizes, 0).max(axis=1)
        critical = max(critical, float(np.quantile(largest, confidence)))
    return [
        Interval(
            float(estimate),
            float(estimate - critical * error) if known else None,
            float(estimate + critical * error) if known else None,
        )
        for estimate, error, known in zip(estimates, errors, told, strict=True)
    ]


def _draws(rows: int, times: int, seed: int) -> Iterator[Draws]:
    rng = np.random.default_rng(seed)
    at_once = max(1, CELLS // rows)
    for begin in range(0, times, at_once):
        picked = rng.integers(0, rows, (min(at_once, times - begin), rows))
        counts = np.stack([np.bincount(each, minlength=rows) for each in picked]).astype(float)
        yield Draws(picked, counts)
