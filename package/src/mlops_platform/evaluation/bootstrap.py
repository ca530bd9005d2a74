"""Bootstrap confidence intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

Array = np.ndarray


def estimates(
    rows: int,
    statistic: Callable[[Array], float | Sequence[float]],
    *,
    times: int,
    seed: int,
    groups: Array | None = None,
) -> Array:
    """Values of `statistic` on `times` resamples of the rows; (times,), or (times, values).

    `statistic` takes counts, (rows,): how often each row was drawn. `groups`, (rows,), are codes of
    groups that are drawn whole: as their rows are alike, there is less to learn from them than from
    as many rows of their own.

    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13; of groups: Davison
    and Hinkley, Bootstrap Methods and their Application (1997), section 3.8.
    """
    return np.array([statistic(counts) for counts in resamples(rows, times, seed, groups)])


def resamples(rows: int, times: int, seed: int, groups: Array | None = None) -> Iterator[Array]:
    """Counts of the rows in each of `times` resamples, (rows,) each, as floats."""
    rng = np.random.default_rng(seed)
    codes = None if groups is None else np.unique(groups, return_inverse=True)[1]
    number = rows if codes is None else int(codes.max()) + 1
    for _ in range(times):
        drawn = np.bincount(rng.integers(0, number, number), minlength=number).astype(float)
        yield drawn if codes is None else drawn[codes]


def interval(values: Array, confidence: float) -> tuple[float | None, float | None]:
    """The central interval of the estimates (times,) that are defined; None without any."""
    defined = values[np.isfinite(values)]
    if not len(defined):
        return None, None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)
