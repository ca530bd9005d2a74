"""Is the model fit for its purpose: better than a constant, and than what serves, and honest?"""

from __future__ import annotations

import numpy as np

from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import Measure, Value, bootstrapped, counted, nothing
from mlops_platform.models import dataset

BINS = 10


def _gain_over_constant(case: Case, _: Metric) -> Value:
    """How much better than a constant the model is, in the deciding metric, on the test set.

    A metric that a constant does not have, like r2 of no spread, counts as 0 for it.
    """
    constant = dataset.constant(case.parts["train"], case.contract)
    baseline = case.predict(case.rows, constant)

    def gain(picked: np.ndarray | slice = slice(None)) -> float:
        truth = case.truth[picked]
        model, other = (
            case.metric.compute(truth, each[picked]) for each in (case.predicted, baseline)
        )
        return case.metric.gain(model, other)

    return bootstrapped(case, gain(), gain, f"gain of {case.metric.name} over a constant")


def _gain_over_champion(case: Case, _: Metric) -> Value:
    """How much better than the champion, as the step `compare` found it."""
    compared = case.comparison
    if compared is None:
        return nothing(len(case.rows), "the run was not compared with a champion")
    if compared.champion is None:
        return counted(0, case.evaluation.rows, "there is no champion yet")
    about = f"gain of {compared.metric} over version {compared.champion}"
    return Value(compared.difference, compared.low, compared.high, case.evaluation.rows, about)


def _calibration_error(case: Case, _: Metric) -> Value:
    """Mean distance of what is predicted and what happens, in ten bins of equal count.

    Expected calibration error (Naeini, Cooper and Hauskrecht, 2015), of the class for which it is
    largest; of numbers, in standard deviations of the target. Chance alone makes it larger than
    zero, and larger still in the bootstrap: few rows are judged too strictly, never too mildly.
    """
    labels, truth, predicted = case.contract.labels, case.truth, case.predicted
    if labels:
        codes = range(1 if len(labels) == 2 else 0, len(labels))
        pairs = [(labels[code], truth == code, predicted[:, code]) for code in codes]
        unit = 1.0
    else:
        pairs = [("the prediction", truth, predicted)]
        unit = float(truth.std()) or 1.0

    def error(picked: np.ndarray | slice = slice(None)) -> float:
        return max(_expected_error(true[picked], said[picked]) for _, true, said in pairs) / unit

    return bootstrapped(case, error(), error, "distance of predicted and observed")


def _expected_error(true: np.ndarray, said: np.ndarray) -> float:
    order = np.argsort(said, kind="stable")
    gaps = [
        len(part) * abs(float(true[part].mean() - said[part].mean()))
        for part in np.array_split(order, BINS)
        if len(part)
    ]
    return sum(gaps) / len(order)


MEASURES = [
    Measure(
        "gain_over_constant",
        _gain_over_constant,
        "Look at the features and the target in conf/data.yml, and at features.py and model.py",
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
