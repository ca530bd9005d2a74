"""Predictions for the rows of the fit, by models that have not seen them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mlops_platform.data.contract import Contract
from mlops_platform.models import dataset, folds

FOLDS = 5


def predict(
    make: Callable[[], Pipeline], rows: pd.DataFrame, contract: Contract, seed: int
) -> np.ndarray:
    """Out-of-fold predictions, by 5-fold cross-validation: (rows, labels), or (rows,) values.

    Groups are whole.

    They are the reference for drift. A model is overconfident on the rows that it was fitted on:
    compared with those predictions, a forest would drift on its first day.

    Args:
        make: gives an unfitted pipeline.
        rows: typed rows, with the target.
        contract: that of the model.
        seed: draws the folds.

    Raises:
        UsageError: the team's features or model cannot be fitted to a part of the rows.
    """
    predicted = np.zeros((len(rows), len(contract.labels)) if contract.labels else len(rows))
    for learned, unseen in folds.of_rows(rows, contract, FOLDS, seed):
        fitted = make()
        dataset.fit(fitted, rows.iloc[learned], contract)
        table = rows.iloc[unseen][contract.features]
        predicted[unseen] = dataset.predict(fitted, table, contract.labels)
    return predicted
