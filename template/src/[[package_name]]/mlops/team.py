# Managed: belongs to the standard, `copier update` changes it.
"""The team's three modules, found by the package that this folder lives in.

- data.py: load(path) -> DataFrame; raw files to the columns of conf/data.yml
- features.py: build(contract) -> transformer; shared by training and scoring
- model.py: build(parameters, seed) -> estimator; scikit-learn's fit and predict

Everything else in the standard reaches the team's code through this module, so that a fault in
it is reported with its file and line.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from .contract import Contract
from .errors import UsageError

PACKAGE = __name__.rsplit(".", 2)[0]
FOLDER = Path(__file__).parent.parent


def call(module: str, function: str, *arguments: Any) -> Any:
    """Call a function of the team's.

    Raises:
        UsageError: no such module or function, or it raised; with file, line and what to do.
    """
    where = f"src/{PACKAGE}/{module}.py"
    try:
        loaded = importlib.import_module(f"{PACKAGE}.{module}")
    except (Exception, SystemExit) as error:
        raise UsageError(f"{where} cannot be imported: {_line_of(error)}") from error
    target: Callable[..., Any] | None = getattr(loaded, function, None)
    if not callable(target):
        raise UsageError(f"{where} has no function `{function}`. docs/contract.md shows its shape.")
    try:
        return target(*arguments)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(f"{where}, {function}(): {_line_of(error)}") from error


def load_raw(path: Path) -> pd.DataFrame:
    """The team's raw data as one frame."""
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder to read data from.")
    frame = call("data", "load", path)
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(
            f"src/{PACKAGE}/data.py, load(): must return a DataFrame, got {type(frame).__name__}."
        )
    return frame.reset_index(drop=True)


def build_features(contract: Contract) -> Any:
    """The team's transformer, not fitted."""
    transformer = call("features", "build", contract)
    _require("features", transformer, "fit", "transform")
    return transformer


def build_model(parameters: dict[str, Any], seed: int) -> Any:
    """The team's estimator, not fitted."""
    estimator = call("model", "build", parameters, seed)
    _require("model", estimator, "fit", "predict")
    return estimator


def fit(pipeline: Any, rows: pd.DataFrame, target: pd.Series) -> None:
    """Fit the team's pipeline."""
    try:
        pipeline.fit(rows, target)
    except Exception as error:
        advice = (
            "Compare their parameters with conf/train.yml and their columns with conf/data.yml."
        )
        if not pd.api.types.is_numeric_dtype(target) and not hasattr(pipeline, "predict_proba"):
            advice = "The target has classes: build() in model.py must return a classifier."
        raise UsageError(
            f"src/{PACKAGE}/features.py and model.py: fitting failed: {_line_of(error)}. {advice}"
        ) from error


def predict(pipeline: Any, method: str, rows: pd.DataFrame) -> Any:
    """`predict` or `predict_proba` of the team's fitted pipeline."""
    try:
        return getattr(pipeline, method)(rows)
    except Exception as error:
        raise UsageError(
            f"src/{PACKAGE}/features.py and model.py: {method} failed on {len(rows)} rows: "
            f"{_line_of(error)}. Rows may hold gaps and values that training did not have; a "
            "model of classes needs `predict_proba`."
        ) from error


def _require(module: str, thing: Any, *methods: str) -> None:
    lacking = [method for method in methods if not hasattr(thing, method)]
    if lacking:
        raise UsageError(
            f"src/{PACKAGE}/{module}.py, build(): {type(thing).__name__} has no "
            f"{' and no '.join(lacking)}. Return an object with scikit-learn's API."
        )


def _line_of(error: BaseException) -> str:
    """What was raised, and the last line of the team's own code on the way there."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).parent == FOLDER
    ]
    line = f" (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""
    return f"{type(error).__name__}: {str(error).strip().rstrip('.')}{line}"
