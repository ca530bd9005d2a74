"""Measures of explanations: the stability of feature importance over rows and seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import spearmanr

from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import Measure, Value, no_value
from mlops_platform.evaluation import bootstrap
from mlops_platform.evaluation.perturbations import with_values

REPEATS = 20


def _explanation_stability(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Mean rank correlation (Spearman) between reported and repeated feature importance.

    Each repeat uses the model or a refit with another seed, and a resample of the test rows. Its
    permutation importances (Breiman, 2001) are compared with those in evaluation.json. The
    interval is a bootstrap over the repeats.
    """
    known = {each.feature: each.mean for each in run.evaluation.importance}
    names = [name for name in run.contract.features if name in known]
    if len(names) < 3:
        return no_value(len(run.rows), "a ranking needs at least three features")
    reported = np.array([known[name] for name in names])
    rng = np.random.default_rng(run.train.seed)
    models = [run.model, *run.refits]
    correlations = np.array(
        [
            spearmanr(
                reported, _importance(run, models[number % len(models)], names, rng)
            ).statistic
            for number in range(REPEATS)
        ]
    )
    if not np.isfinite(correlations).all():
        return no_value(len(run.rows), "no feature has an influence on the model")
    means = bootstrap.estimates(
        REPEATS,
        lambda counts: float(counts @ correlations / REPEATS),
        times=run.gates.resamples,
        seed=run.train.seed,
    )
    low, high = bootstrap.interval(means, run.gates.confidence)
    description = f"rank correlation of feature importance in {REPEATS} repeats"
    return Value(float(correlations.mean()), low, high, len(run.rows), description)


def _importance(
    run: EvaluatedRun, model: Any, names: list[str], rng: np.random.Generator
) -> np.ndarray:
    """Permutation importance on resampled rows: the loss of the primary metric, (names,)."""
    indices = rng.integers(0, len(run.rows), len(run.rows))
    rows, truth = run.rows.iloc[indices].reset_index(drop=True), run.truth[indices]
    before = run.metric.compute(truth, run.predict(rows, model))
    losses = []
    for name in names:
        shuffled = with_values(rows, name, rows[name].to_numpy()[rng.permutation(len(rows))])
        after = run.metric.compute(truth, run.predict(shuffled, model))
        losses.append(run.metric.gain(before, after))
    return np.array(losses)


MEASURES = [
    Measure(
        "explanation_stability",
        _explanation_stability,
        "Drop correlated features, or use a smaller model (conf/train.yml)",
    )
]
