"""Measures of proxies: how well the features predict a sensitive column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import (
    ASSIGN_ROLE,
    Measure,
    Value,
    combine_verdicts,
    compare_with_limit,
    no_value,
)
from mlops_platform.evaluation import bootstrap, metrics
from mlops_platform.evidence.ethics import GroupFinding
from mlops_platform.models import folds

FOLDS = 3
TREES = 50
MAX_ROWS = 5_000


def _proxy_auc(run: EvaluatedRun, check: MetricCheck) -> Value:
    """ROC AUC of a model that predicts a sensitive column from the features; 0.5 is chance.

    Predictions are cross-validated; with several groups it is the one-vs-rest mean. The column
    with the highest value decides. The columns share the probability of a false alarm equally
    (Bonferroni).
    """
    columns = run.contract.named("sensitive")
    names = run.contract.numeric_features + run.contract.categorical_features
    if not columns or not names:
        reason = "no sensitive column, or no feature to predict it from"
        return no_value(len(run.all_rows), reason, ASSIGN_ROLE.format(role="sensitive"))
    results = [_measure_column(run, check, column, names, len(columns)) for column in columns]
    measured = [each for each in results if each.distance is not None]
    rows = min(len(run.all_rows), MAX_ROWS)
    if not measured:
        return Value(None, None, None, rows, "every group has too few rows", results)
    verdict = combine_verdicts([each.word for each in results])
    candidates = [each for each in measured if each.word == verdict] or measured
    worst = max(candidates, key=lambda each: each.distance or 0)
    return Value(worst.distance, worst.low, worst.high, rows, worst.group, results)


def _measure_column(
    run: EvaluatedRun, check: MetricCheck, column: str, names: list[str], columns: int
) -> GroupFinding:
    rows = run.all_rows.dropna(subset=[column])
    if len(rows) > MAX_ROWS:
        rows = rows.sample(MAX_ROWS, random_state=run.train.seed)
    sizes = rows[column].value_counts()
    min_rows = run.gates.guardrails.min_group_rows
    large = rows[rows[column].isin(sizes[sizes >= min_rows].index)]
    finding = GroupFinding(group=column, rows=len(large))
    if large[column].nunique() < 2:
        return finding
    truth, scores = _cross_validate(large, column, names, run)
    auc = metrics.METRICS["roc_auc"]
    estimates = bootstrap.estimates(
        len(truth),
        auc.on(truth, scores),
        times=run.gates.resamples,
        seed=run.train.seed,
        groups=run.contract.group_codes(large),
    )
    low, high = bootstrap.interval(estimates, 1 - (1 - run.gates.confidence) / columns)
    value = auc.compute(truth, scores)
    return finding.model_copy(
        update={
            "value": value,
            "distance": value,
            "low": low,
            "high": high,
            "word": compare_with_limit(low, high, check.max or 0.0, "max"),
        }
    )


def _cross_validate(
    rows: pd.DataFrame, column: str, names: list[str], run: EvaluatedRun
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the column (rows,), and cross-validated probabilities (rows, codes)."""
    codes, _ = pd.factorize(rows[column], sort=True)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    categories = run.contract.categorical_features
    model = make_pipeline(
        make_column_transformer((encoder, categories), remainder="passthrough"),
        RandomForestClassifier(TREES, min_samples_leaf=10, random_state=run.train.seed),
    )
    cv: Any = StratifiedKFold(FOLDS, shuffle=True, random_state=run.train.seed)
    if run.contract.named("group"):
        cv = folds.of_rows(rows, run.contract, FOLDS, run.train.seed)
    scores = cross_val_predict(model, rows[names], codes, cv=cv, method="predict_proba")
    return codes, scores


MEASURES = [
    Measure(
        "proxy_auc",
        _proxy_auc,
        "Find the features that predict the group (drop them one by one), and drop or bin them",
    )
]
