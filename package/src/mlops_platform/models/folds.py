"""Folds that keep the rows of one group together, also within the team's model.

Where conf/data.yml has a column with `role: group`, no fold may tear its groups: a model would be
chosen, calibrated or stacked by what it knows of the same group.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import Contract

DEFAULT = 5  # scikit-learn's own, where `cv` is None

Fold = tuple[np.ndarray, np.ndarray]  # row numbers to fit, and to predict


def of_rows(rows: pd.DataFrame, contract: Contract, folds: int, seed: int) -> list[Fold]:
    """Folds of rows drawn with a seed; of groups, as many as there are at most.

    Raises:
        UsageError: all rows are of one group.
    """
    names = contract.named("group")
    if not names:
        drawn = np.random.default_rng(seed).permutation(len(rows)) % folds
        return [(np.flatnonzero(drawn != n), np.flatnonzero(drawn == n)) for n in range(folds)]
    return _of_groups(rows[names[0]], folds, seed)


def _of_groups(groups: pd.Series, folds: int, seed: int) -> list[Fold]:
    codes, known = pd.factorize(groups, sort=True)
    if len(known) < 2:
        raise UsageError(
            f"conf/data.yml, field `columns.{groups.name}`: all {len(groups)} rows of the training "
            "set are of one group, and a model is checked on groups that it has not seen. Add "
            "rows of others, or write `role: ignored`."
        )
    drawn = GroupKFold(min(folds, len(known)), shuffle=True, random_state=seed)
    return list(drawn.split(codes, groups=codes))


class _Fixed:
    """What scikit-learn takes as `cv`: folds that are drawn already."""

    def __init__(self, folds: list[Fold], rows: int, former: Any) -> None:
        self.folds, self.rows, self.former = folds, rows, former

    def split(self, rows: Any, *_: Any, **__: Any) -> Iterator[Fold]:
        """The folds of all rows."""
        found = rows.shape[0] if hasattr(rows, "shape") else len(rows)
        if found != self.rows:
            raise ValueError(f"folds of {self.rows} rows by group cannot divide {found} rows")
        yield from self.folds

    def get_n_splits(self, *_: Any, **__: Any) -> int:
        """How many folds there are."""
        return len(self.folds)


@contextmanager
def kept_together(pipeline: Any, rows: pd.DataFrame, contract: Contract) -> Iterator[None]:
    """While the pipeline is fitted to `rows`, each `cv` of scikit-learn's gives folds of groups.

    A number of folds stays; a splitter that takes groups gets them. Afterwards `cv` is as before.

    Raises:
        UsageError: a `cv` that cannot keep groups together.
    """
    names = contract.named("group")
    if not names:
        yield
        return
    groups = rows[names[0]]
    folded = {
        name: _Fixed(_folds(name, cv, groups), len(rows), cv)
        for name, cv in _settings(pipeline).items()
    }
    pipeline.set_params(**folded)
    try:
        yield
    finally:
        _restore(pipeline, set())


def _settings(pipeline: Any) -> dict[str, Any]:
    """Each `cv` of an estimator of scikit-learn, by its name in `get_params`."""
    values = pipeline.get_params(deep=True)
    found = {}
    for name, value in values.items():
        owner, _, field = name.rpartition("__")
        ours = type(values.get(owner)).__module__.startswith("sklearn.")
        if field == "cv" and ours and not isinstance(value, str):
            found[name] = value
    for name in found:
        for other in found:
            if other != name and name.startswith(other.removesuffix("cv")):
                raise UsageError(
                    f"model.py and features.py: `{name}` divides what `{other}` has divided, and "
                    "rows of one group (conf/data.yml, `role: group`) would be torn apart. Use "
                    "one of the two alone."
                )
    return found


def _folds(name: str, cv: Any, groups: pd.Series) -> list[Fold]:
    if cv is None or (isinstance(cv, int) and not isinstance(cv, bool)):
        return _of_groups(groups, cv or DEFAULT, seed=0)
    if "Group" not in type(cv).__name__ or not hasattr(cv, "split"):
        raise UsageError(
            f"model.py and features.py: `{name}` is {cv!r}, which puts rows of one group "
            f"(`{groups.name}`, `role: group` in conf/data.yml) into several folds. Write the "
            "number of folds, which are then folds of groups, or a GroupKFold."
        )
    return list(cv.split(groups.to_frame(), groups=groups))


def _restore(part: Any, seen: set[int]) -> None:
    """Give each `cv` its former value, also in what the fit copied."""
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, dict):
        inner: list[Any] = list(part.values())
    elif isinstance(part, (list, tuple)):
        inner = list(part)
    elif hasattr(part, "get_params") and hasattr(part, "__dict__"):
        for name, value in list(vars(part).items()):
            if isinstance(value, _Fixed):  # a search has a second one
                setattr(part, name, value.former)
        inner = list(vars(part).values())
    else:
        return
    for each in inner:
        _restore(each, seen)
