"""Finds results that are too good or too bad to be true. A person looks at them; nothing stops."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlops_platform.data.contract import Contract
from mlops_platform.evaluation.metrics import METRICS
from mlops_platform.evidence import Measure, Verdict

GATE = "suspicion"
COLUMN_LIMIT = 0.99  # of ROC AUC, or R2, with one column
MODEL_LIMIT = 0.999  # with all of them
MAX_ROWS = 10_000
LEAVES = 32


def find(
    train: pd.DataFrame,
    test: pd.DataFrame,
    truth: tuple[np.ndarray, np.ndarray],
    *,
    decided: np.ndarray,
    measures: list[Measure],
    contract: Contract,
) -> list[Verdict]:
    """All suspicions; `truth` is the target of both sets, `decided` the codes for the test set."""
    alone = list(_columns_alone(train, test, truth, contract))
    return [
        *alone,
        *([] if alone else _too_good(measures)),
        *_never_decided(truth[1], decided, contract.labels),
    ]


def among(verdicts: list[Verdict]) -> list[Verdict]:
    """The suspicions among all verdicts of an evaluation."""
    return [each for each in verdicts if each.gate.startswith(f"{GATE}: ")]


def few_rows(fitted: np.ndarray, checked: np.ndarray, labels: list[str], enough: int) -> list[str]:
    """A sentence for each class with fewer than `enough` rows in the validation set.

    `fitted` and `checked` are codes of the training and the validation set.
    """
    return [
        f"class `{label}` has {(checked == code).sum()} of {len(checked)} rows of the validation "
        f"set and {(fitted == code).sum()} of {len(fitted)} of the training set: too few for a "
        "verdict. Collect more rows of it, make `split.validation` in conf/train.yml larger, or "
        "choose `average_precision` as `metric` in conf/gates.yml"
        for code, label in enumerate(labels)
        if (checked == code).sum() < enough
    ]


def _columns_alone(
    train: pd.DataFrame,
    test: pd.DataFrame,
    truth: tuple[np.ndarray, np.ndarray],
    contract: Contract,
) -> Iterator[Verdict]:
    """Columns from which a small tree gives the target nearly perfectly."""
    name = "roc_auc" if contract.labels else "r2"
    kept = [np.random.default_rng(0).permutation(len(each))[:MAX_ROWS] for each in (train, test)]
    fitted, checked = (values[rows] for values, rows in zip(truth, kept, strict=True))
    if len(np.unique(fitted)) < 2 or len(np.unique(checked)) < 2:
        return
    for column in contract.features:
        if contract.columns[column].kind == "text":
            continue
        known, new = _numbers(train[column].iloc[kept[0]], test[column].iloc[kept[1]])
        value = METRICS[name].compute(
            checked, _predict(known, fitted, new, len(contract.labels)).astype(float)
        )
        if value >= COLUMN_LIMIT:
            yield Verdict(
                gate=f"{GATE}: {column} alone",
                passed=False,
                blocks=False,
                value=value,
                limit=f"below {COLUMN_LIMIT}",
                message=f"column `{column}` alone gives {contract.target} nearly perfectly: "
                f"{name} {value:.4f}. Is it known before the outcome? If not, write "
                "`role: ignored` for it in conf/data.yml",
            )


def _numbers(train: pd.Series, test: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """A column of both sets as numbers (rows, 1); values that training lacks are missing."""
    if pd.api.types.is_numeric_dtype(train):
        pair = (train, test)
    else:
        codes = {value: code for code, value in enumerate(sorted(train.dropna().unique()))}
        pair = (train.map(codes), test.map(codes))
    first, second = (np.asarray(each, dtype=float).reshape(-1, 1) for each in pair)
    return first, second


def _predict(known: np.ndarray, truth: np.ndarray, new: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities (rows, classes), or values (rows,), by a tree with a few leaves."""
    options = {"max_leaf_nodes": LEAVES, "min_samples_leaf": 2, "random_state": 0}
    if not classes:
        values: np.ndarray = DecisionTreeRegressor(**options).fit(known, truth).predict(new)
        return values
    tree = DecisionTreeClassifier(**options).fit(known, truth)
    predicted = np.zeros((len(new), classes))
    predicted[:, tree.classes_] = tree.predict_proba(new)
    return predicted


def _too_good(measures: list[Measure]) -> Iterator[Verdict]:
    for measure in measures:
        if measure.name in ("roc_auc", "r2") and measure.value >= MODEL_LIMIT:
            yield Verdict(
                gate=f"{GATE}: {measure.name} too good to be true",
                passed=False,
                blocks=False,
                value=measure.value,
                limit=f"below {MODEL_LIMIT}",
                message=f"{measure.name} is {measure.value:.4f}, and no column alone explains it. "
                "Look for features that are made from the outcome, and for the same case in both "
                "the training and the test set",
            )


def _never_decided(truth: np.ndarray, decided: np.ndarray, labels: list[str]) -> Iterator[Verdict]:
    for code, label in enumerate(labels):
        rows = int((truth == code).sum())
        if rows and not (decided == code).any():
            advice = "Give the class more weight or more rows"
            if len(labels) == 2:
                advice += ", or choose a `threshold` in conf/train.yml (docs/gates.md)"
            yield Verdict(
                gate=f"{GATE}: never {label}",
                passed=False,
                blocks=False,
                value=0,
                limit="at least 1 row",
                message=f"the model never predicts `{label}`, which {rows} of {len(truth)} rows "
                f"of the test set have. {advice}",
            )
