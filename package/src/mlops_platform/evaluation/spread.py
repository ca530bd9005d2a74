"""How much a metric varies over time anyhow: winters may be harder to predict than summers.

A later window that is worse than the whole test set need not be a broken model. The test set is cut
into blocks of consecutive times; what their metrics vary beyond the chance of drawing their rows is
the spread tau of the random-effects model of R. DerSimonian and N. Laird, Meta-analysis in clinical
trials (1986).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from mlops_platform.evaluation import bootstrap
from mlops_platform.evaluation.metrics import Metric

BLOCKS = 6  # at most
BLOCK_ROWS = 50  # at least: fewer say little
TIMES = 200


class Spread(NamedTuple):
    """The standard deviation `tau` of a metric over blocks of time, and the number of blocks."""

    tau: float
    blocks: int


def over_time(
    times: pd.Series,
    truth: np.ndarray,
    predicted: np.ndarray,
    *,
    metric: Metric,
    seed: int,
    alike: np.ndarray | None = None,
) -> Spread | None:
    """The spread of a metric, in its unit; None if there are not three blocks.

    Args:
        times: of the rows, (rows,); rows of one time stay together.
        truth: codes of labels or values, (rows,).
        predicted: probabilities, (rows, labels), or values, (rows,).
        metric: at the threshold of the model.
        seed: of the bootstrap, which gives the variance within a block.
        alike: codes of groups that are drawn whole, (rows,).
    """
    values, variances = [], []
    for rows in _blocks(times):
        value = metric.compute(truth[rows], predicted[rows])
        estimates = bootstrap.estimates(
            len(rows),
            metric.on(truth[rows], predicted[rows]),
            times=TIMES,
            seed=seed,
            groups=None if alike is None else alike[rows],
        )
        defined = estimates[np.isfinite(estimates)]
        if np.isfinite(value) and len(defined) > TIMES // 2:
            values.append(value)
            variances.append(float(np.var(defined)))
    if len(values) < 3 or not all(variances):
        return None
    return Spread(_between(np.array(values), np.array(variances)), len(values))


def _between(values: np.ndarray, variances: np.ndarray) -> float:
    """The standard deviation between blocks, by the method of moments; 0 if chance explains all."""
    weights = 1 / variances
    mean = (weights * values).sum() / weights.sum()
    excess = (weights * (values - mean) ** 2).sum() - (len(values) - 1)
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    return float(np.sqrt(max(0.0, excess / scale)))


def _blocks(times: pd.Series) -> list[np.ndarray]:
    """Row numbers of consecutive times, in blocks of about the same size."""
    counts = times.value_counts().sort_index()
    number = min(BLOCKS, len(times) // BLOCK_ROWS, len(counts))
    if number < 3:
        return []
    middle = counts.cumsum() - counts / 2
    block = (middle / len(times) * number).astype(int).clip(upper=number - 1)
    own = times.map(block).to_numpy()
    found = [np.flatnonzero(own == each) for each in range(number)]
    return [rows for rows in found if len(rows) >= BLOCK_ROWS // 2]
