"""Does the model stay as good when the rows, or the draw of its training, are a little other?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import Measure, Value, bootstrapped

NOISE = 0.1  # standard deviations
SHARE = 0.1  # of the values
UNSEEN = "(never seen)"


def _noisy(case: Case, rows: pd.DataFrame) -> pd.DataFrame:
    """Each number is off by noise of a tenth of its standard deviation, within its range."""
    rng = np.random.default_rng(case.train.seed)
    for name in case.contract.numeric_features:
        column = case.contract.columns[name]
        noise = rng.normal(0, NOISE * float(rows[name].std()), len(rows))
        rows[name] = (rows[name] + noise).clip(column.min, column.max)
    return rows


def _blanked(case: Case, rows: pd.DataFrame) -> pd.DataFrame:
    """A tenth of the values is missing, in the features that may lack one."""
    rng = np.random.default_rng(case.train.seed)
    for name in case.contract.features:
        if case.contract.columns[name].missing:
            rows.loc[rng.random(len(rows)) < SHARE, name] = np.nan
    return rows


def _unseen(case: Case, rows: pd.DataFrame) -> pd.DataFrame:
    """A tenth of the values of each category is one that training never saw."""
    rng = np.random.default_rng(case.train.seed)
    for name in case.contract.categorical_features:
        rows.loc[rng.random(len(rows)) < SHARE, name] = UNSEEN
    return rows


def _loss_under(
    disturb: Callable[[Case, pd.DataFrame], pd.DataFrame], about: str
) -> Callable[[Case, Metric], Value]:
    """How much of the deciding metric is lost on disturbed rows of the test set."""

    def loss(case: Case, _: Metric) -> Value:
        after = case.predict(disturb(case, case.rows.copy()))

        def lost(picked: np.ndarray | slice = slice(None)) -> float:
            truth = case.truth[picked]
            before, now = (
                case.metric.compute(truth, each[picked]) for each in (case.predicted, after)
            )
            return case.metric.gain(before, now)

        return bootstrapped(case, lost(), lost, f"loss of {case.metric.name} with {about}")

    return loss


def _spread_over_seeds(case: Case, _: Metric) -> Value:
    """Largest difference of the deciding metric among fits with other seeds."""
    fits = [case.predicted, *(case.predict(case.rows, model) for model in case.reseeded)]

    def spread(picked: np.ndarray | slice = slice(None)) -> float:
        truth = case.truth[picked]
        values = [case.metric.compute(truth, each[picked]) for each in fits]
        return max(values) - min(values)

    return bootstrapped(case, spread(), spread, f"{case.metric.name} of {len(fits)} fits")


MEASURES = [
    Measure(
        "loss_under_noise",
        _loss_under(_noisy, "noise on numbers"),
        "Make the model smoother: fewer, smaller trees, or more rows a leaf (conf/train.yml)",
    ),
    Measure(
        "loss_under_missing",
        _loss_under(_blanked, "a tenth of values missing"),
        "Fill gaps better in features.py, or ask for the values (`missing` in conf/data.yml)",
    ),
    Measure(
        "loss_under_unseen",
        _loss_under(_unseen, "a tenth of categories unseen"),
        "Let the encoder in features.py know unknown categories",
    ),
    Measure(
        "spread_over_seeds",
        _spread_over_seeds,
        "Use more trees or more data, or average models of several seeds in model.py",
    ),
]
