"""Reads the train, validation and test sets; fits a model to them, and predicts with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor

from mlops_platform.core.errors import UsageError
from mlops_platform.data import typed_rows
from mlops_platform.data.contract import Contract
from mlops_platform.models import codes, folds, team


def read_part(folder: Path, part: str, contract: Contract) -> pd.DataFrame:
    """Read one part of the split, with the contract's types.

    Raises:
        UsageError: it is not there, or lacks a column of the contract.
    """
    path = folder / f"{part}.parquet"
    if not path.is_file():
        raise UsageError(f"{path}: does not exist. Run the step `prepare` first.")
    frame = typed_rows.read(path)
    if lacking := [name for name in contract.columns if name not in frame.columns]:
        raise UsageError(
            f"{path}: has no column `{lacking[0]}` of conf/data.yml. Run the step `prepare` again."
        )
    return frame[list(contract.columns)]


def encode_target(frame: pd.DataFrame, contract: Contract) -> np.ndarray:
    """The target as numbers, (rows,): codes that index the labels, or values."""
    target = frame[contract.target]
    if not contract.labels:
        return np.asarray(target, dtype=float)
    codes = {label: code for code, label in enumerate(contract.labels)}
    return np.asarray(target.map(codes), dtype=int)


def fit(pipeline: Any, rows: pd.DataFrame, contract: Contract) -> None:
    """Fit the team's pipeline; the target of classification is codes that index the labels.

    Raises:
        UsageError: the team's features or model cannot be fitted to these rows, or divide groups.
    """
    if contract.labels:
        codes.translate_settings(pipeline, contract.labels)
    target = pd.Series(encode_target(rows, contract), index=rows.index, name=contract.target)
    with folds.kept_together(pipeline, rows, contract):
        team.fit(pipeline, rows[contract.features], target)


def fit_baseline(rows: pd.DataFrame, contract: Contract) -> Any:
    """Fit a constant baseline, which predicts the class shares or the mean for every row."""
    model = DummyClassifier(strategy="prior") if contract.labels else DummyRegressor()
    return model.fit(rows[contract.features], rows[contract.target])


def predict(model: Any, rows: pd.DataFrame, labels: list[str]) -> np.ndarray:
    """Probabilities (rows, labels) in the labels' order, or values (rows,) without labels.

    The classes of a model are codes of the labels; those of releases before 2.0 are their texts.

    Raises:
        UsageError: the team's features or model cannot predict these rows.
    """
    if not labels:
        return _check_finite(np.asarray(team.predict(model, "predict", rows), dtype=float))
    predicted = team.predict(model, "predict_proba", rows)
    probabilities = np.zeros((len(rows), len(labels)))
    for position, known in enumerate(model.classes_):
        code = labels.index(known) if isinstance(known, str) else int(known)
        probabilities[:, code] = predicted[:, position]
    return _check_finite(probabilities)


def _check_finite(predicted: np.ndarray) -> np.ndarray:
    if invalid := int(np.isnan(predicted).reshape(len(predicted), -1).any(axis=1).sum()):
        raise UsageError(
            f"model.py: the model predicts NaN for {invalid} of {len(predicted)} rows. "
            "Check how it and features.py handle missing and large values."
        )
    return predicted
