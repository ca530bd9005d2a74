"""The classes of a model are numbers: the codes of the contract's labels, the positive one last.

XGBoost takes nothing else, and scorers such as `f1` take class 1 for the positive one. What a team
writes with the labels' texts is translated here.
"""

from __future__ import annotations

import copy
from typing import Any


def translate_settings(estimator: Any, labels: list[str]) -> None:
    """Replace labels by their codes in the options of an estimator and of the estimators in it.

    These are `pos_label`, `class_weight`, and scorers made with `pos_label`.
    """
    for name, value in estimator.get_params(deep=True).items():
        translated = _translate(name.rpartition("__")[2], value, labels)
        if translated is not value:
            estimator.set_params(**{name: translated})


def _translate(option: str, value: Any, labels: list[str]) -> Any:
    if option == "pos_label" and isinstance(value, str) and value in labels:
        return labels.index(value)
    if option == "class_weight" and isinstance(value, dict) and set(value) <= set(labels):
        return {labels.index(label): weight for label, weight in value.items()}
    if option in ("param_grid", "param_distributions"):
        return _in_search(value, labels)
    if option in ("scoring", "metric") and isinstance(value, dict):
        found = {name: _translate(option, each, labels) for name, each in value.items()}
        return found if found != value else value
    options = getattr(value, "_kwargs", {})  # of a scorer, which has no other name for it
    if isinstance(options, dict) and options.get("pos_label") in labels:
        scorer = copy.copy(value)
        scorer._kwargs = {**options, "pos_label": labels.index(options["pos_label"])}
        return scorer
    return value


def _in_search(value: Any, labels: list[str]) -> Any:
    """What a search tries: values by name, or several of these; other distributions stay."""
    if isinstance(value, list):
        found: Any = [_in_search(each, labels) for each in value]
    elif isinstance(value, dict):
        found = {name: _values(name, values, labels) for name, values in value.items()}
    else:
        return value
    return found if found != value else value


def _values(name: str, values: Any, labels: list[str]) -> Any:
    if not isinstance(values, list | tuple):
        return values
    return [_translate(name.rpartition("__")[2], each, labels) for each in values]
