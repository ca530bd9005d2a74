"""Perturbed rows: how much worse is the model with small errors in the data?

`evaluate` and the ethics checks use the same ones with the same seed, so that both get the same
figure for the same rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mlops_platform.data.contract import Contract

NOISE = 0.1  # standard deviations
SHARE = 0.1  # of the values


def with_values(rows: pd.DataFrame, name: str, values: Any) -> pd.DataFrame:
    """Rows with other values in a column, whose name may be one that `assign` cannot take."""
    changed = rows.copy(deep=False)
    changed[name] = values
    return changed


def add_noise(rows: pd.DataFrame, contract: Contract, seed: int) -> pd.DataFrame:
    """Rows with noise of a tenth of the standard deviation on each number, within its range."""
    rng, noisy = np.random.default_rng(seed), rows.copy()
    for name in contract.numeric_features:
        column = contract.columns[name]
        noise = rng.normal(0, NOISE * float(rows[name].std()), len(rows))
        noisy[name] = (rows[name] + noise).clip(column.min, column.max)
    return noisy


def drop_values(rows: pd.DataFrame, contract: Contract, seed: int) -> pd.DataFrame:
    """Rows without a tenth of the values, in the features that allow missing values."""
    rng, without = np.random.default_rng(seed), rows.copy()
    for name in contract.features:
        if contract.columns[name].missing:
            without.loc[rng.random(len(rows)) < SHARE, name] = np.nan
    return without
