"""Measures of robustness: noise, missing values, unseen categories, and other seeds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import Measure, Value, bootstrap_value
from mlops_platform.evaluation import perturbations

UNSEEN = "(never seen)"


def _add_noise(run: EvaluatedRun, rows: pd.DataFrame) -> pd.DataFrame:
    return perturbations.add_noise(rows, run.contract, run.train.seed)


def _drop_values(run: EvaluatedRun, rows: pd.DataFrame) -> pd.DataFrame:
    return perturbations.drop_values(rows, run.contract, run.train.seed)


def _replace_categories(run: EvaluatedRun, rows: pd.DataFrame) -> pd.DataFrame:
    """Replace a tenth of the values of each category with one that training did not have."""
    rng = np.random.default_rng(run.train.seed)
    for name in run.contract.categorical_features:
        rows.loc[rng.random(len(rows)) < perturbations.SHARE, name] = UNSEEN
    return rows


def _loss_under(
    perturb: Callable[[EvaluatedRun, pd.DataFrame], pd.DataFrame], description: str
) -> Callable[[EvaluatedRun, MetricCheck], Value]:
    """A function that measures the loss of the primary metric on perturbed test rows."""

    def measure(run: EvaluatedRun, _: MetricCheck) -> Value:
        perturbed = run.predict(perturb(run, run.rows.copy()))

        before, after = (run.metric.on(run.truth, each) for each in (run.predicted, perturbed))
        return bootstrap_value(
            run,
            lambda counts: run.metric.gain(before(counts), after(counts)),
            f"loss of {run.metric.name} with {description}",
        )

    return measure


def _spread_over_seeds(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Largest difference of the primary metric between fits with different seeds."""
    predictions = [run.predicted, *(run.predict(run.rows, model) for model in run.refits)]
    fits = [run.metric.on(run.truth, each) for each in predictions]

    def spread(counts: np.ndarray) -> float:
        values = [compute(counts) for compute in fits]
        return max(values) - min(values)

    return bootstrap_value(run, spread, f"{run.metric.name} of {len(fits)} fits")


MEASURES = [
    Measure(
        "loss_under_noise",
        _loss_under(_add_noise, "noise on numbers"),
        "Regularize the model: fewer or smaller trees, or more rows per leaf (conf/train.yml)",
    ),
    Measure(
        "loss_under_missing",
        _loss_under(_drop_values, "a tenth of values missing"),
        "Improve the imputation in features.py, or require the values (`missing` in conf/data.yml)",
    ),
    Measure(
        "loss_under_unseen",
        _loss_under(_replace_categories, "a tenth of categories unseen"),
        "Let the encoder in features.py handle unknown categories",
    ),
    Measure(
        "spread_over_seeds",
        _spread_over_seeds,
        "Use more trees or more data, or average models of several seeds in model.py",
    ),
]
