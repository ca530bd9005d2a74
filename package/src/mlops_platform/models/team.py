"""Calls the project's own package, which the team writes and conf/project.yml names.

- data.py, all optional: derive(rows) -> DataFrame, the derived columns; select(rows) -> DataFrame,
  the rows to train on; load(path) -> DataFrame, the former way to read files, for training alone
- features.py: build(contract) -> transformer; shared by training and scoring
- model.py: build(parameters, seed) -> estimator; scikit-learn's fit and predict

All other modules call the team's code through this one, so that errors in it are reported with
file and line.
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
from types import ModuleType
from typing import Any

import pandas as pd

from mlops_platform.core.errors import CodeError, UsageError
from mlops_platform.data.contract import Contract
from mlops_platform.settings import Project, load_project

LIBRARIES = tuple(
    Path(path).resolve()
    for path in {*site.getsitepackages(), *map(sysconfig.get_path, ("stdlib", "purelib"))}
)
PLATFORM = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Team:
    """The team's importable package, such as `credit_risk`.

    `trusted` are names of its functions and classes, and of estimators of libraries, that a model's
    file may hold; its own estimators need no name there.
    """

    package: str
    trusted: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder of the package's modules.

        Raises:
            UsageError: the package does not exist.
        """
        try:
            spec = importlib.util.find_spec(self.package)
        except (ImportError, ValueError):
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise UsageError(
                f"conf/project.yml: the package `{self.package}` cannot be found. Its name comes "
                "from the field `name`; if yours is different, add `package: NAME`."
            )
        return Path(next(iter(spec.submodule_search_locations)))

    def load_raw(self, path: Path) -> pd.DataFrame:
        """Load the raw data with the team's code, as one frame."""
        if not path.exists():
            raise UsageError(f"{path}: does not exist. Name a file or folder with raw data.")
        return self._table("load", path)

    def select(self, raw: pd.DataFrame) -> pd.DataFrame:
        """The raw rows to train on, numbered from 0; all of them without `select` in data.py."""
        return self._table("select", raw) if self.has("data", "select") else raw

    def derive(self, typed: pd.DataFrame, contract: Contract) -> pd.DataFrame:
        """The derived columns, (rows, derived), of typed rows that have what is requested.

        Raises:
            UsageError: `derive` in data.py fails, or returns other rows, or lacks a column. Columns
                that the contract does not have are left out: a model's contract may be older than
                the code.
        """
        place = f"{self.path('data')}, derive()"
        made = self.call("data", "derive", typed.copy())
        if not isinstance(made, pd.DataFrame):
            raise UsageError(f"{place}: must return a DataFrame, got {type(made).__name__}.")
        if not made.index.equals(typed.index):
            raise UsageError(
                f"{place}: returns {len(made)} rows for {len(typed)}, or with another index. "
                "Return one row for each, with `index=rows.index`; select() leaves rows out."
            )
        for name in contract.derived:
            if (count := list(made.columns).count(name)) != 1:
                raise UsageError(
                    f"{place}: returns the column `{name}` {count} times, `derived` in "
                    "conf/data.yml needs it once."
                )
        return made[list(contract.derived)]

    def _table(self, function: str, argument: Any) -> pd.DataFrame:
        """The table that a function of data.py returns, with rows numbered from 0."""
        frame = self.call("data", function, argument)
        if not isinstance(frame, pd.DataFrame):
            raise UsageError(
                f"{self.path('data')}, {function}(): must return a DataFrame, got "
                f"{type(frame).__name__}."
            )
        self._require_plain_index(frame, function)
        return frame.reset_index(drop=True)

    def _require_plain_index(self, frame: pd.DataFrame, function: str) -> None:
        """Refuse an index that holds a column: its values would be lost."""
        index = frame.index
        if pd.api.types.is_integer_dtype(index.dtype) and index.name in (None, *frame.columns):
            return
        named = f"the index `{index.name}`" if index.name else "an index that is no row number"
        raise UsageError(
            f"{self.path('data')}, {function}(): returns a table with {named}, which would be "
            "lost. Return it as a column: `reset_index()`. If no index was meant, rows have a "
            "field more than the header, and pandas takes the first one as an index: remove the "
            "separator at the end of the rows."
        )

    def build_features(self, contract: Contract) -> Any:
        """Build the team's transformer, not fitted."""
        transformer = self.call("features", "build", contract)
        self._require("features", transformer, "fit", "transform")
        return transformer

    def build_model(self, parameters: dict[str, Any], seed: int) -> Any:
        """Build the team's estimator, not fitted."""
        estimator = self.call("model", "build", parameters, seed)
        self._require("model", estimator, "fit", "predict")
        return estimator

    def has(self, module: str, function: str) -> bool:
        """Whether the team's package has this function; its module is optional, too.

        Raises:
            CodeError: the module cannot be imported.
        """
        try:
            if importlib.util.find_spec(f"{self.package}.{module}") is None:
                return False
        except ImportError:
            return False
        return hasattr(self._import(module), function)

    def _import(self, module: str) -> ModuleType:
        try:
            return importlib.import_module(f"{self.package}.{module}")
        except (Exception, SystemExit) as error:
            raise CodeError(
                f"{self.path(module)} cannot be imported: {_describe(error)}"
            ) from error

    def call(self, module: str, function: str, *arguments: Any) -> Any:
        """Call a function of the team's package.

        Raises:
            UsageError: no such module or function, or it raised an error; with file and line.
        """
        file = self.path(module)
        target: Callable[..., Any] | None = getattr(self._import(module), function, None)
        if not callable(target):
            raise UsageError(
                f"{file} has no function `{function}`. docs/contract.md shows its signature."
            )
        try:
            return target(*arguments)
        except UsageError:
            raise
        except (Exception, SystemExit) as error:
            raise CodeError(f"{file}, {function}(): {_describe(error)}") from error

    def find(self, name: str) -> Any:
        """What the package defines under a full name; None for anything else.

        What a module only imports, such as `credit_risk.data.Path`, is not its own, and what
        stands within a function cannot be found by another process.
        """
        module, _, attribute = name.rpartition(".")
        if not self.owns(name):
            return None
        try:
            found = getattr(importlib.import_module(module), attribute, None)
        except ImportError:
            return None
        where = (getattr(found, "__module__", None), getattr(found, "__qualname__", None))
        return found if where == (module, attribute) else None

    def owns(self, name: str) -> bool:
        """Whether it is the full name of something in the package."""
        return name.startswith(f"{self.package}.")

    def path(self, module: str) -> str:
        """The path of a module of the team, relative to the project."""
        return f"src/{self.package}/{module}.py"

    def _require(self, module: str, estimator: Any, *methods: str) -> None:
        missing = [method for method in methods if not hasattr(estimator, method)]
        if missing:
            raise UsageError(
                f"{self.path(module)}, build(): {type(estimator).__name__} has no "
                f"{' and no '.join(missing)}. Return an object with scikit-learn's API."
            )


def load_team(conf: Path) -> Team:
    """The team of the project that `conf` belongs to."""
    return of_project(load_project(conf))


def of_project(project: Project) -> Team:
    """The team of a project."""
    return Team(project.package_name, tuple(project.trusted))


def fit(pipeline: Any, rows: pd.DataFrame, target: pd.Series) -> None:
    """Fit the team's pipeline; a target of integers has classes."""
    try:
        pipeline.fit(rows, target)
    except Exception as error:
        advice = "Check the parameters in conf/train.yml and the columns in conf/data.yml."
        if not pd.api.types.is_float_dtype(target) and not hasattr(pipeline, "predict_proba"):
            advice = "The target has classes: build() in model.py must return a classifier."
        raise CodeError(
            f"features.py and model.py: fitting failed: {_describe(error)}. {advice}"
        ) from error


def predict(pipeline: Any, method: str, rows: pd.DataFrame) -> Any:
    """Call `predict` or `predict_proba` of the team's fitted pipeline."""
    try:
        return getattr(pipeline, method)(rows)
    except Exception as error:
        raise CodeError(
            f"features.py and model.py: {method} failed on {len(rows)} rows: "
            f"{_describe(error)}. Rows may have missing values, and values that training did not "
            "have; a classifier needs `predict_proba`."
        ) from error


def _describe(error: BaseException) -> str:
    """The error, and the last line of the team's code in its traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame)]
    line = f" (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""
    return f"{type(error).__name__}: {str(error).strip().rstrip('.')}{line}"


def _is_own(frame: traceback.FrameSummary) -> bool:
    """Whether the code is part of the team's package, not of a library or this package."""
    path = Path(frame.filename)
    if not path.is_file():  # compiled or evaluated code
        return False
    path = path.resolve()
    installed = any(path.is_relative_to(folder) for folder in LIBRARIES)
    return not installed and not path.is_relative_to(PLATFORM)
