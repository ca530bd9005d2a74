"""Distributions of the data that a version was made of, saved with the model to detect drift later.

They are of all rows, also of those that it was checked and tested on: after a split by time the
newest ones. Numbers become quantiles, texts become quantiles of their number of words, and
categories become shares; no row of the data is saved.
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

    `missing` is a share of all rows; `shares` are shares of the rows with a value. `words`: the
    quantiles are of the number of words of a text. `clock`: the column rises or falls with the
    time, as a year does, so that new rows always differ and only its missing values are judged.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    rows: int
    missing: float
    quantiles: list[float] | None = None
    shares: dict[str, float] | None = None
    words: bool = False
    clock: bool = False


class Reference(BaseModel):
    """reference.json: distributions of the features, and of the model's predictions.

    `predictions` are for rows that it has not seen, those of the validation and the test set.
    `learned` are for the training rows, of which it is surer; versions of before have none, and
    their `predictions` are of other fits.
    """

    model_config = ConfigDict(extra="forbid")

    shape: Literal["reference/1"] = "reference/1"
    features: list[Distribution]
    predictions: list[Distribution]
    learned: list[Distribution] = []


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


def build_reference(
    rows: pd.DataFrame,
    predictions: np.ndarray,
    contract: Contract,
    learned: np.ndarray | None = None,
) -> Reference:
    """Compute the reference of a model: its features, and its predictions.

    Args:
        rows: typed rows, (rows, columns).
        predictions: for rows that the model has not seen, (unseen rows, labels) or (unseen rows,).
        contract: that of the model.
        learned: for rows that it was fitted to.
    """
    names = contract.numeric_features + contract.categorical_features + contract.text_features
    clocks = _clocks(rows, contract)
    features = []
    for name in names:
        words = name in contract.text_features
        found = describe(count_words(rows[name]) if words else rows[name], name)
        features.append(found.model_copy(update={"words": words, "clock": name in clocks}))
    return Reference(
        features=features,
        predictions=_predictions(predictions, contract),
        learned=[] if learned is None else _predictions(learned, contract),
    )


def count_words(texts: pd.Series) -> pd.Series:
    """The number of words of each text; missing where the text is."""
    return texts.astype(object).str.split().str.len().astype("float64")


def _clocks(rows: pd.DataFrame, contract: Contract) -> set[str]:
    """Numbers that only rise, or only fall, with the column of the time.

    Two rows at least differ from the most frequent value: a single one may be last by chance.
    """
    found = set()
    for time in contract.named("time"):
        for name in contract.numeric_features:
            known = rows[[time, name]].dropna()
            if len(known) < 2 + known[name].value_counts().max():
                continue
            for values in (known[name], -known[name]):
                ordered = known.assign(value=values).sort_values([time, "value"])["value"]
                if ordered.is_monotonic_increasing:
                    found.add(name)
    return found


def _predictions(predictions: np.ndarray, contract: Contract) -> list[Distribution]:
    columns = prediction_columns(predictions, contract.labels)
    return [describe(values, name) for name, values in columns]


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
