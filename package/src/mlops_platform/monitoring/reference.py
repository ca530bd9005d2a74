"""Distributions of the training data, saved with the model to detect drift later.

Numbers become quantiles and categories become shares; no row of the training data is saved.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from mlops_platform.data.contract import Contract

QUANTILES = 201


class Distribution(BaseModel):
    """A column of the training data: evenly spaced quantiles, or the share of each value.

    `missing` is a share of all rows; `shares` are shares of the rows with a value.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    rows: int
    missing: float
    quantiles: list[float] | None = None
    shares: dict[str, float] | None = None


class Reference(BaseModel):
    """reference.json: distributions of the training features and of out-of-sample predictions."""

    model_config = ConfigDict(extra="forbid")

    shape: Literal["reference/1"] = "reference/1"
    features: list[Distribution]
    predictions: list[Distribution]


def describe(values: pd.Series, name: str) -> Distribution:
    """Compute the distribution of a column."""
    present = values.dropna()
    missing = float(values.isna().mean())
    if pd.api.types.is_numeric_dtype(values):
        grid = np.linspace(0, 1, QUANTILES)
        quantiles = np.quantile(present, grid).tolist() if len(present) else []
        return Distribution(name=name, rows=len(values), missing=missing, quantiles=quantiles)
    shares = present.value_counts(normalize=True).sort_index()
    return Distribution(
        name=name,
        rows=len(values),
        missing=missing,
        shares={str(value): float(share) for value, share in shares.items()},
    )


def build_reference(rows: pd.DataFrame, predictions: np.ndarray, contract: Contract) -> Reference:
    """Compute the reference of a model: its numeric and categorical features, its predictions."""
    names = contract.numeric_features + contract.categorical_features
    return Reference(
        features=[describe(rows[name], name) for name in names],
        predictions=[
            describe(values, name)
            for name, values in prediction_columns(predictions, contract.labels)
        ],
    )


def prediction_columns(predictions: np.ndarray, labels: list[str]) -> list[tuple[str, pd.Series]]:
    """Predictions as named columns; with two classes, only the positive probability.

    Probabilities are rounded to hundredths. Those of a confident model are close to 0 and 1, where
    bins and ranks would react to differences that do not matter.
    """
    if not labels:
        return [("prediction", pd.Series(predictions))]
    selected = labels[1:] if len(labels) == 2 else labels
    return [
        (f"probability of {label}", pd.Series(predictions[:, labels.index(label)].round(2)))
        for label in selected
    ]
