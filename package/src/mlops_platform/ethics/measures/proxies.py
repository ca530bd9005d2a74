"""Do the features give away what must not decide?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import NAME_ONE, Measure, Value, nothing, word, worst
from mlops_platform.evaluation import metrics
from mlops_platform.evidence.ethics import GroupFinding

FOLDS = 3
TREES = 50
MOST_ROWS = 5_000


def _proxy_auc(case: Case, check: Metric) -> Value:
    """How well the features tell the groups of a sensitive column apart; 0.5 is chance.

    The area under the ROC curve of cross-validated predictions of the column, of several values
    the mean of one against the rest; the column that can be told best decides. The columns share
    the chance of a false alarm equally (Bonferroni).
    """
    columns = case.contract.named("sensitive")
    names = case.contract.numeric_features + case.contract.categorical_features
    if not columns or not names:
        why = "no sensitive column, or no feature to tell it by"
        return nothing(len(case.all_rows), why, NAME_ONE.format(role="sensitive"))
    found = [_column(case, check, column, names, len(columns)) for column in columns]
    told = [each for each in found if each.distance is not None]
    rows = min(len(case.all_rows), MOST_ROWS)
    if not told:
        return Value(None, None, None, rows, "every group is too small", found)
    decides = worst([each.word for each in found])
    best = max(
        [each for each in told if each.word == decides] or told, key=lambda each: each.distance or 0
    )
    return Value(best.distance, best.low, best.high, rows, best.group, found)


def _column(case: Case, check: Metric, column: str, names: list[str], columns: int) -> GroupFinding:
    rows = case.all_rows.dropna(subset=[column])
    if len(rows) > MOST_ROWS:
        rows = rows.sample(MOST_ROWS, random_state=case.train.seed)
    sizes = rows[column].value_counts()
    least = case.gates.guardrails.min_group_rows
    kept = rows[rows[column].isin(sizes[sizes >= least].index)]
    finding = GroupFinding(group=column, rows=len(kept))
    if kept[column].nunique() < 2:
        return finding
    truth, scores = _predicted(kept, column, names, case)
    auc = metrics.METRICS["roc_auc"]
    drawn = metrics.resamples(
        len(truth),
        lambda picked: auc.compute(truth[picked], scores[picked]),
        times=case.gates.resamples,
        seed=case.train.seed,
    )
    low, high = metrics.interval(drawn, 1 - (1 - case.gates.confidence) / columns)
    value = auc.compute(truth, scores)
    return finding.model_copy(
        update={
            "value": value,
            "distance": value,
            "low": low,
            "high": high,
            "word": word(low, high, check.max or 0.0, "max"),
        }
    )


def _predicted(
    rows: pd.DataFrame, column: str, names: list[str], case: Case
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the column (rows,), and cross-validated probabilities (rows, codes)."""
    codes, _ = pd.factorize(rows[column], sort=True)
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    categories = case.contract.categorical_features
    model = make_pipeline(
        make_column_transformer((encode, categories), remainder="passthrough"),
        RandomForestClassifier(TREES, min_samples_leaf=10, random_state=case.train.seed),
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=case.train.seed)
    scores = cross_val_predict(model, rows[names], codes, cv=folds, method="predict_proba")
    return codes, scores


MEASURES = [
    Measure(
        "proxy_auc",
        _proxy_auc,
        "Find the features that tell the group (drop them one by one), and do without or band them",
    )
]
