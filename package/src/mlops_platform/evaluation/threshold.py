"""Chooses the probability from which the positive class is decided, on validation rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import Contract
from mlops_platform.data.decision import decide
from mlops_platform.evaluation import metrics
from mlops_platform.settings import Threshold, Train

MAX_CANDIDATES = 500


def require_fitting(train: Train, contract: Contract, conf: Path) -> None:
    """Check that `threshold` in conf/train.yml fits the target in conf/data.yml.

    Raises:
        UsageError: there are not two classes, or its metric does not depend on a threshold.
    """
    if train.threshold is None:
        return
    field = f"{conf / 'train.yml'}, field `threshold`"
    if len(contract.labels) != 2:
        count = f"{len(contract.labels)} classes" if contract.labels else "a number"
        raise UsageError(
            f"{field}: a threshold needs a target with two classes, and the target in "
            f"conf/data.yml is {count}. Remove it."
        )
    usable = [metric.name for metric in metrics.METRICS.values() if metric.of_labels]
    if train.threshold.metric is not None and train.threshold.metric not in usable:
        raise UsageError(
            f"{field}.metric: {train.threshold.metric} does not depend on a threshold; choose one "
            f"of {', '.join(usable)}, or a `cost`."
        )


def choose(truth: np.ndarray, predicted: np.ndarray, rule: Threshold) -> float:
    """The threshold with the best value of the rule; of equal ones the nearest to 0.5.

    `truth` are codes (rows,), `predicted` probabilities (rows, 2). Candidates are the probabilities
    of the rows, at most 500 of them, 0.5, and one above all of them.
    """
    positive = predicted[:, 1]
    shares = np.linspace(0, 1, MAX_CANDIDATES)
    candidates = np.unique(
        [*np.quantile(positive, shares, method="nearest"), 0.5, np.nextafter(positive.max(), 2)]
    )
    values = np.array([_value(truth, predicted, rule, each) for each in candidates])
    best = candidates[values >= values.max() - 1e-12]
    return float(best[np.abs(best - 0.5).argmin()])


def describe(rule: Threshold) -> str:
    """How a threshold was chosen, for people."""
    if rule.cost is None:
        return f"the best {rule.metric} on the validation set"
    return (
        f"the lowest cost on the validation set, {rule.cost.false_positive:g} for a false positive "
        f"and {rule.cost.false_negative:g} for a false negative"
    )


def _value(truth: np.ndarray, predicted: np.ndarray, rule: Threshold, candidate: float) -> float:
    """The metric, or the negative cost of all rows."""
    if rule.cost is None:
        metric = metrics.METRICS[rule.metric or ""].at(candidate)
        value = metric.compute(truth, predicted)
        return value if metric.higher_is_better else -value
    chosen = decide(predicted, candidate)
    false_positives = ((chosen == 1) & (truth == 0)).sum()
    false_negatives = ((chosen == 0) & (truth == 1)).sum()
    return -float(
        rule.cost.false_positive * false_positives + rule.cost.false_negative * false_negatives
    )
