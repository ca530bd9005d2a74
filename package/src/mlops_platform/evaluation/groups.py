"""Quality of service for each group of a sensitive column."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlops_platform import evidence, settings
from mlops_platform.data.contract import Contract
from mlops_platform.evaluation import metrics


def by_group(
    rows: pd.DataFrame,
    truth: np.ndarray,
    predicted: np.ndarray,
    *,
    metric: metrics.Metric,
    contract: Contract,
    limits: settings.Gates,
    seed: int,
) -> list[evidence.Group]:
    """The deciding metric within each value of each sensitive column; small groups are named."""
    groups = []
    for column in contract.named("sensitive"):
        for group in contract.columns[column].values or []:
            inside = np.flatnonzero((rows[column] == group).to_numpy())
            value = low = high = None
            if len(inside) >= limits.guardrails.min_group_rows:
                measure = metric.compute(truth[inside], predicted[inside])
                if np.isfinite(measure):
                    value = measure
                    drawn = metrics.resamples(
                        len(inside),
                        lambda picked, inside=inside: metric.compute(  # type: ignore[misc]
                            truth[inside[picked]], predicted[inside[picked]]
                        ),
                        times=limits.resamples,
                        seed=seed,
                    )
                    low, high = metrics.interval(drawn, limits.confidence)
            groups.append(
                evidence.Group(
                    column=column, group=group, rows=len(inside), value=value, low=low, high=high
                )
            )
    return groups
