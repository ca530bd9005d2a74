"""Counts of current rows, chunk by chunk: enough to compare them with the training data.

What is kept depends on the training data alone, not on the number of current rows.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from scipy import stats

from mlops_platform.monitoring.reference import Distribution

BINS = 10
MAX_SAMPLE = 100_000
NEW_VALUES = "(new values)"
Shares = np.ndarray


class Numbers:
    """Current numbers beside the sample of the training data.

    The sample is reconstructed from its quantiles by linear interpolation, with at most 100,000
    rows. With 201 quantiles, this changes the distance by at most 0.005.
    """

    def __init__(self, training: Distribution) -> None:
        quantiles = np.array(training.quantiles)
        self.size = min(present_rows(training), MAX_SAMPLE)
        grid = np.linspace(0, 1, len(quantiles))
        self._sample = np.interp((np.arange(self.size) + 0.5) / self.size, grid, quantiles)
        self._points = np.unique(self._sample)
        self._up_to = np.zeros(len(self._points) + 1)
        self._below = np.zeros(len(self._points) + 1)
        edges = np.unique(np.quantile(quantiles, np.arange(1, BINS) / BINS))
        # Many rows have the smallest value: a bin below it shows values that are even smaller.
        self.many_smallest = bool(edges[0] == quantiles[0])
        self.names = [f"{edge:.4g}" for edge in edges]
        if self.many_smallest:
            edges = np.concatenate([[np.nextafter(edges[0], -np.inf)], edges])
        self._edges = edges
        self._bins = np.zeros(len(edges) + 1)

    def add(self, values: np.ndarray, counts: np.ndarray) -> None:
        """Take different numbers, and how often each is there; both (values,)."""
        self._up_to += _binned(self._points, values, counts, "left")
        self._below += _binned(self._points, values, counts, "right")
        self._bins += _binned(self._edges, values, counts, "left")

    def merge(self, other: Numbers) -> None:
        """Add what another has counted of other rows."""
        self._up_to += other._up_to
        self._below += other._below
        self._bins += other._bins

    @property
    def rows(self) -> int:
        """Numbers that were counted."""
        return int(self._bins.sum())

    def test(self) -> tuple[float, float]:
        """Distance and p-value of the two-sample Kolmogorov-Smirnov test, as in scipy.

        Unlike a one-sample test, it accounts for ties and for sampling error in the training data.
        Between two points of the sample its share is constant, so the distance is at a point or
        just below one.
        """
        at = np.searchsorted(self._sample, self._points, "right") / self.size
        below = np.searchsorted(self._sample, self._points, "left") / self.size
        distance = max(
            np.abs(np.cumsum(self._up_to)[:-1] / self.rows - at).max(),
            np.abs(np.cumsum(self._below)[:-1] / self.rows - below).max(),
        )
        rows, size = float(self.rows), float(self.size)
        # The asymptotic distribution, with the rounding of scipy.stats.ks_2samp.
        p_value = stats.kstwo.sf(distance, np.round(rows * size / (rows + size)))
        return float(distance), float(np.clip(p_value, 0, 1))

    def shares(self) -> tuple[Shares, Shares]:
        """The share of each bin in the training sample, and now; a bin includes its upper edge."""
        then = _binned(self._edges, self._sample, np.ones(self.size), "left")
        return then / self.size, self._bins / self.rows


class Categories:
    """Current values beside those of the training data; all others share one bin."""

    def __init__(self, training: Distribution) -> None:
        self._training = training
        self._counts: Counter[str] = Counter()

    def add(self, values: pd.Series) -> None:
        """Take values, (rows,)."""
        counts = values.value_counts()
        self._counts.update(dict(zip(map(str, counts.index), counts.tolist(), strict=True)))

    def merge(self, other: Categories) -> None:
        """Add what another has counted of other rows."""
        self._counts.update(other._counts)

    @property
    def rows(self) -> int:
        """Values that were counted."""
        return self._counts.total()

    @property
    def new_values(self) -> int:
        """Different values that training did not have."""
        return len(self._counts.keys() - (self._training.shares or {}).keys())

    def bins(self) -> list[str]:
        """The values of the training data, and one for new ones if there are any."""
        known = list(self._training.shares or {})
        return [*known, NEW_VALUES] if self.new_values else known

    def shares(self) -> tuple[Shares, Shares]:
        """The share of each bin in the training data, and now."""
        known = self._training.shares or {}
        counts = [self._counts[name] for name in known]
        if self.new_values:
            counts.append(self.rows - sum(counts))
        then = np.array([known.get(name, 0) for name in self.bins()])
        return then, np.array(counts) / self.rows

    def test(self) -> tuple[float, float]:
        """The total variation distance, and the p-value of the chi-square test.

        The distance is half the sum of the absolute differences of shares.
        """
        then, now = self.shares()
        table = np.array([then * present_rows(self._training), now * self.rows])
        p_value = float(stats.chi2_contingency(table, correction=False).pvalue)
        return float(np.abs(now - then).sum() / 2), p_value


def present_rows(training: Distribution) -> int:
    """Rows of the training data that have a value."""
    return round(training.rows * (1 - training.missing))


def _binned(edges: np.ndarray, values: np.ndarray, counts: np.ndarray, side: str) -> np.ndarray:
    places = np.searchsorted(edges, values, side)  # type: ignore[call-overload]
    return np.bincount(places, weights=counts, minlength=len(edges) + 1)
