"""Performance by group of the sensitive columns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlops_platform import evidence, settings
from mlops_platform.data.contract import Contract
from mlops_platform.evaluation import bootstrap, metrics


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
    """The primary metric within each group of each sensitive column; small groups have none."""
    groups, alike = [], contract.group_codes(rows)
    for column in contract.named("sensitive"):
        for group in contract.columns[column].values or []:
            members = np.flatnonzero((rows[column] == group).to_numpy())
            value = low = high = None
            if len(members) >= limits.guardrails.min_group_rows:
                measured = metric.compute(truth[members], predicted[members])
                if np.isfinite(measured):
                    value = measured
                    estimates = bootstrap.estimates(
                        len(members),
                        metric.on(truth[members], predicted[members]),
                        times=limits.resamples,
                        seed=seed,
                        groups=None if alike is None else alike[members],
                    )
                    low, high = bootstrap.interval(estimates, limits.confidence)
            groups.append(
                evidence.Group(
                    column=column, group=group, rows=len(members), value=value, low=low, high=high
                )
            )
    return groups
