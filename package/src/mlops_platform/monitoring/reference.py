"""Distributions of the training data, kept with the model so that drift can be measured later.

Numbers become quantiles and categories become shares: no row of the training data is kept.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from mlops_platform.data.contract import Contract

QUANTILES = 201
OTHER = "(missing)"


class Distribution(BaseModel):
    """One column at training: evenly spaced quantiles, or the share of each value.

    `missing` is a share of all rows; `shares` are of the rows that have a value.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    rows: int
    missing: float
    quantiles: list[float] | None = None
    shares: dict[str, float] | None = None


class Reference(BaseModel):
    """reference.json: the features of the training set, and predictions for rows not learned."""

    model_config = ConfigDict(extra="forbid")

    shape: Literal["reference/1"] = "reference/1"
    features: list[Distribution]
    predictions: list[Distribution]


def describe(values: pd.Series, name: str) -> Distribution:
    """The distribution of one column."""
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


def describe_all(rows: pd.DataFrame, predictions: np.ndarray, contract: Contract) -> Reference:
    """The reference of a model: its features that have a distribution, and its predictions."""
    names = contract.numeric_features + contract.categorical_features
    return Reference(
        features=[describe(rows[name], name) for name in names],
        predictions=[
            describe(values, name) for name, values in columns_of(predictions, contract.labels)
        ],
    )


def columns_of(predictions: np.ndarray, labels: list[str]) -> list[tuple[str, pd.Series]]:
    """Predictions as named columns: of two probabilities one says it all.

    Probabilities are rounded to hundredths. A sure model's lie close to 0 and 1, and there bins and
    ranks would tell differences apart that mean nothing.
    """
    if not labels:
        return [("prediction", pd.Series(predictions))]
    shown = labels[1:] if len(labels) == 2 else labels
    return [
        (f"probability of {label}", pd.Series(predictions[:, labels.index(label)].round(2)))
        for label in shown
    ]
