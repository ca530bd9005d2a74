"""Measures of model quality: gain over baseline and champion, and calibration."""

from __future__ import annotations

import numpy as np

from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import Measure, Value, bootstrap_value, exact_value, no_value
from mlops_platform.models import dataset

BINS = 10


def _gain_over_constant(run: EvaluatedRun, _: MetricCheck) -> Value:
    """The gain of the primary metric over a constant baseline, on the test set."""
    baseline = run.predict(run.rows, dataset.fit_baseline(run.parts["train"], run.contract))

    of_model, of_baseline = (run.metric.on(run.truth, each) for each in (run.predicted, baseline))
    return bootstrap_value(
        run,
        lambda counts: run.metric.gain(of_model(counts), of_baseline(counts)),
        f"gain of {run.metric.name} over a constant",
    )


def _gain_over_champion(run: EvaluatedRun, _: MetricCheck) -> Value:
    """The gain over the champion, from comparison.json."""
    comparison = run.comparison
    if comparison is None:
        return no_value(len(run.rows), "the run was not compared with a champion")
    rows = run.evaluation.rows
    if comparison.champion is None:
        return exact_value(0, rows, "there is no champion yet")
    description = f"gain of {comparison.metric} over version {comparison.champion}"
    return Value(comparison.difference, comparison.low, comparison.high, rows, description)


def _calibration_error(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Expected calibration error in ten bins of equal count (Naeini et al., 2015).

    With several classes, of the class with the largest error; in regression, in standard
    deviations of the target. The error is biased upwards, and more so in the bootstrap: with few
    rows the check is too strict, never too lenient.
    """
    labels, truth, predicted = run.contract.labels, run.truth, run.predicted
    if labels:
        codes = range(1 if len(labels) == 2 else 0, len(labels))
        pairs = [(truth == code, predicted[:, code]) for code in codes]
        unit = 1.0
    else:
        pairs = [(truth, predicted)]
        unit = float(truth.std()) or 1.0

    orders = [np.argsort(score, kind="stable") for _, score in pairs]

    def error(counts: np.ndarray) -> float:
        number = counts.astype(int)
        return (
            max(
                _bin_error(np.repeat(true[order] - score[order], number[order]))
                for (true, score), order in zip(pairs, orders, strict=True)
            )
            / unit
        )

    return bootstrap_value(run, error, "distance of predicted and observed")


def _bin_error(errors: np.ndarray) -> float:
    """Of the errors in the order of the scores: the mean distance of a bin from zero."""
    gaps = [abs(float(part.sum())) for part in np.array_split(errors, BINS)]
    return sum(gaps) / len(errors)


MEASURES = [
    Measure(
        "gain_over_constant",
        _gain_over_constant,
        "Review the features and the target in conf/data.yml, features.py and model.py",
    ),
    Measure(
        "gain_over_champion",
        _gain_over_champion,
        "Keep the champion, and train a better challenger",
    ),
    Measure(
        "calibration_error",
        _calibration_error,
        "Calibrate the model in model.py (sklearn.calibration), or give it more data",
    ),
]
