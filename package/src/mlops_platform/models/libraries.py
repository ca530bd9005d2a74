"""Estimators of LightGBM, XGBoost and CatBoost in a model's file: in their own formats.

skops keeps what `__getstate__` of such an estimator gives, and gives it back to `__setstate__`:
LightGBM's model as text, XGBoost's as UBJSON and CatBoost's as cbm, each read by the library's own
parser. Nothing of it is pickle. These parsers are C++ and expect a file of their own: a changed
file could crash the process, so a version's hash is checked before its model is loaded.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError

TYPES = {
    "lightgbm.basic": ("Booster",),
    "lightgbm.sklearn": ("LGBMClassifier", "LGBMRegressor"),
    "xgboost.core": ("Booster",),
    "xgboost.sklearn": ("XGBClassifier", "XGBRFClassifier", "XGBRFRegressor", "XGBRegressor"),
    "catboost.core": ("CatBoostClassifier", "CatBoostRegressor"),
}
# How skops gives such a type its state; others would call its constructor or a method of it.
LOADER = "ObjectNode"


def is_known(name: str) -> bool:
    """Whether it is the full name of a type above."""
    module, _, attribute = name.rpartition(".")
    return attribute in TYPES.get(module, ())


def require_own_format(file: Path, names: Iterable[str]) -> None:
    """Check that a model's file gives each of these types its state, and no more.

    Raises:
        UsageError: it calls the constructor or a method of one.
    """
    checked = set(names)
    if not checked:
        return
    with zipfile.ZipFile(file) as archive:
        schema = json.loads(archive.read("schema.json"))
    for node in _nodes(schema):
        name = f"{node.get('__module__')}.{node.get('__class__')}"
        if name in checked and node["__loader__"] != LOADER:
            raise UsageError(
                f"{file}: calls {name}, where a saved model only has its state. The file was "
                "changed after it was saved: train the model again."
            )


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """All objects that a model's file builds."""
    if isinstance(schema, dict):
        if "__loader__" in schema:
            yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for each in schema:
            yield from _nodes(each)


def requirements(names: Iterable[str]) -> list[str]:
    """The installed packages that these types come from, as `name==version`, sorted."""
    modules = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    if not modules:
        return []
    known = importlib.metadata.packages_distributions()
    found = {package for module in modules for package in known.get(module, ())[:1]}
    return sorted(f"{package}=={importlib.metadata.version(package)}" for package in found)
