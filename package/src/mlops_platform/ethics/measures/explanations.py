"""Would we explain the model in the same way, had chance drawn other rows or another seed?"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import spearmanr

from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import Measure, Value, nothing
from mlops_platform.evaluation import metrics

DRAWS = 20


def _explanation_stability(case: Case, _: Metric) -> Value:
    """Spearman's rank correlation of the features' importance, among draws of rows and seeds.

    Each draw takes a fit, of the model itself or of the ones with other seeds, and rows of the
    test set with replacement; its permutation importances (Breiman, 2001) are held against those
    in evaluation.json. The value is the mean, the interval the bootstrap's, of means of draws.
    """
    known = {each.feature: each.mean for each in case.evaluation.importance}
    names = [name for name in case.contract.features if name in known]
    if len(names) < 3:
        return nothing(len(case.rows), "fewer than three features have no order to speak of")
    reported = np.array([known[name] for name in names])
    rng = np.random.default_rng(case.train.seed)
    fits = [case.model, *case.reseeded]
    correlations = np.array(
        [
            spearmanr(reported, _importance(case, fits[draw % len(fits)], names, rng)).statistic
            for draw in range(DRAWS)
        ]
    )
    if not np.isfinite(correlations).all():
        return nothing(len(case.rows), "no feature matters to the model")
    drawn = metrics.resamples(
        DRAWS,
        lambda picked: float(correlations[picked].mean()),
        times=case.gates.resamples,
        seed=case.train.seed,
    )
    low, high = metrics.interval(drawn, case.gates.confidence)
    about = f"rank correlation of importances in {DRAWS} draws"
    return Value(float(correlations.mean()), low, high, len(case.rows), about)


def _importance(case: Case, model: Any, names: list[str], rng: np.random.Generator) -> np.ndarray:
    """How much the deciding metric loses when a feature is shuffled, (names,)."""
    picked = rng.integers(0, len(case.rows), len(case.rows))
    rows, truth = case.rows.iloc[picked].reset_index(drop=True), case.truth[picked]
    before = case.metric.compute(truth, case.predict(rows, model))
    lost = []
    for name in names:
        shuffled = rows.assign(**{name: rows[name].to_numpy()[rng.permutation(len(rows))]})
        after = case.metric.compute(truth, case.predict(shuffled, model))
        lost.append(case.metric.gain(before, after))
    return np.array(lost)


MEASURES = [
    Measure(
        "explanation_stability",
        _explanation_stability,
        "Drop features that say the same as others, or make the model smaller in conf/train.yml",
    )
]
