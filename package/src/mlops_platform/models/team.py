"""The project's own package, which a team writes: found by `conf/project.yml`, called by name.

- data.py: load(path) -> DataFrame; raw files to the columns of conf/data.yml
- features.py: build(contract) -> transformer; shared by training and scoring
- model.py: build(parameters, seed) -> estimator; scikit-learn's fit and predict

Every other module reaches the team's code through this one, so that an error in it is reported
with its file and line.
"""

from __future__ import annotations

import importlib
import importlib.util
import site
import sysconfig
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import Contract
from mlops_platform.settings import load_project

LIBRARIES = tuple(
    Path(path).resolve()
    for path in {*site.getsitepackages(), *map(sysconfig.get_path, ("stdlib", "purelib"))}
)
PLATFORM = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Team:
    """The team's importable package, such as `credit_risk`."""

    package: str

    @property
    def folder(self) -> Path:
        """The folder of the package's modules.

        Raises:
            UsageError: there is no such package here.
        """
        try:
            found = importlib.util.find_spec(self.package)
        except (ImportError, ValueError):
            found = None
        if found is None or not found.submodule_search_locations:
            raise UsageError(
                f"conf/project.yml: the package `{self.package}` cannot be found. It is named "
                "after the field `name`; where yours has another name, add `package: NAME`."
            )
        return Path(next(iter(found.submodule_search_locations)))

    def load_raw(self, path: Path) -> pd.DataFrame:
        """The team's raw data as one frame."""
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder to read data from.")
        frame = self.call("data", "load", path)
        if not isinstance(frame, pd.DataFrame):
            raise UsageError(
                f"{self.path('data')}, load(): must return a DataFrame, got {type(frame).__name__}."
            )
        return frame.reset_index(drop=True)

    def build_features(self, contract: Contract) -> Any:
        """The team's transformer, not fitted."""
        transformer = self.call("features", "build", contract)
        self._require("features", transformer, "fit", "transform")
        return transformer

    def build_model(self, parameters: dict[str, Any], seed: int) -> Any:
        """The team's estimator, not fitted."""
        estimator = self.call("model", "build", parameters, seed)
        self._require("model", estimator, "fit", "predict")
        return estimator

    def call(self, module: str, function: str, *arguments: Any) -> Any:
        """Call a function of the team's.

        Raises:
            UsageError: no such module or function, or it raised; with file, line and what to do.
        """
        where = self.path(module)
        try:
            loaded = importlib.import_module(f"{self.package}.{module}")
        except (Exception, SystemExit) as error:
            raise UsageError(f"{where} cannot be imported: {_line_of(error)}") from error
        target: Callable[..., Any] | None = getattr(loaded, function, None)
        if not callable(target):
            raise UsageError(
                f"{where} has no function `{function}`. docs/contract.md shows its shape."
            )
        try:
            return target(*arguments)
        except UsageError:
            raise
        except (Exception, SystemExit) as error:
            raise UsageError(f"{where}, {function}(): {_line_of(error)}") from error

    def path(self, module: str) -> str:
        """Where a module of the team's lies in the project."""
        return f"src/{self.package}/{module}.py"

    def _require(self, module: str, thing: Any, *methods: str) -> None:
        missing = [method for method in methods if not hasattr(thing, method)]
        if missing:
            raise UsageError(
                f"{self.path(module)}, build(): {type(thing).__name__} has no "
                f"{' and no '.join(missing)}. Return an object with scikit-learn's API."
            )


def of(conf: Path) -> Team:
    """The team of the project that `conf` belongs to."""
    return Team(load_project(conf).package_name)


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
            f"features.py and model.py: fitting failed: {_line_of(error)}. {advice}"
        ) from error


def predict(pipeline: Any, method: str, rows: pd.DataFrame) -> Any:
    """`predict` or `predict_proba` of the team's fitted pipeline."""
    try:
        return getattr(pipeline, method)(rows)
    except Exception as error:
        raise UsageError(
            f"features.py and model.py: {method} failed on {len(rows)} rows: "
            f"{_line_of(error)}. Rows may hold gaps and values that training did not have; a "
            "model of classes needs `predict_proba`."
        ) from error


def _line_of(error: BaseException) -> str:
    """What was raised, and the last line of the team's own code on the way there."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame)]
    line = f" (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""
    return f"{type(error).__name__}: {str(error).strip().rstrip('.')}{line}"


def _is_own(frame: traceback.FrameSummary) -> bool:
    """Whether the code is neither a library's nor this package's."""
    path = Path(frame.filename)
    if not path.is_file():  # compiled code, or text that was evaluated
        return False
    path = path.resolve()
    installed = any(path.is_relative_to(folder) for folder in LIBRARIES)
    return not installed and not path.is_relative_to(PLATFORM)
