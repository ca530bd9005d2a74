"""What models see: typed rows from the files that `prepare` wrote, and predictions as arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor

from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import Contract
from mlops_platform.models import team


def read_part(folder: Path, part: str, contract: Contract) -> pd.DataFrame:
    """One part of the split, with the contract's types."""
    path = folder / f"{part}.csv"
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file. Run the step `prepare` first.")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    return contract.typed(frame)[0]


def truth(frame: pd.DataFrame, contract: Contract) -> np.ndarray:
    """The target as numbers, (rows,): codes that index the labels, or values."""
    target = frame[contract.target]
    if not contract.labels:
        return target.to_numpy(dtype=float)
    codes = {label: code for code, label in enumerate(contract.labels)}
    return target.map(codes).to_numpy(dtype=int)


def constant(rows: pd.DataFrame, contract: Contract) -> Any:
    """The baseline: a model that says the same of every row, the classes' shares or the mean."""
    model = DummyClassifier(strategy="prior") if contract.labels else DummyRegressor()
    return model.fit(rows[contract.features], rows[contract.target])


def predict(model: Any, rows: pd.DataFrame, labels: list[str]) -> np.ndarray:
    """Probabilities (rows, labels) in the labels' order, or values (rows,) without labels.

    Raises:
        UsageError: the team's features or model cannot predict these rows.
    """
    if not labels:
        return _numbers(np.asarray(team.predict(model, "predict", rows), dtype=float))
    given = team.predict(model, "predict_proba", rows)
    probabilities = np.zeros((len(rows), len(labels)))
    for position, label in enumerate(model.classes_):
        probabilities[:, labels.index(str(label))] = given[:, position]
    return _numbers(probabilities)


def _numbers(predicted: np.ndarray) -> np.ndarray:
    if lacking := int(np.isnan(predicted).reshape(len(predicted), -1).any(axis=1).sum()):
        raise UsageError(
            f"model.py: the model predicts no number (NaN) for {lacking} of "
            f"{len(predicted)} rows. Look at how it and features.py treat gaps and large values."
        )
    return predicted
