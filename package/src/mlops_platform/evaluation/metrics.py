"""Metrics by name.

Truth and predictions are arrays: for classification codes (n,) that index the contract's labels,
and probabilities (n, labels); for regression values (n,) and values (n,). A metric is prepared once
on them, and computed for counts (n,), how often each row was drawn: a bootstrap asks for thousands
of values, and sorting and comparing is done before them. Tests compare with scikit-learn's metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from mlops_platform.core.errors import UsageError
from mlops_platform.data.decision import decide
from mlops_platform.settings import Gates, Task

Array = np.ndarray
OfCounts = Callable[[Array], float]


@dataclass(frozen=True)
class Metric:
    """A metric of a task, its direction, and the function that prepares it.

    One `of_labels` compares labels, so that a threshold changes it; others use the probabilities.
    """

    name: str
    task: Task
    higher_is_better: bool
    on: Callable[[Array, Array], OfCounts]
    of_labels: bool = False

    def compute(self, truth: Array, predicted: Array) -> float:
        """The value on all rows, each once; NaN where it is not defined."""
        return self.on(truth, predicted)(np.ones(len(truth)))

    def gain(self, challenger: float, champion: float) -> float:
        """How much better the challenger is; negative if it is worse."""
        return challenger - champion if self.higher_is_better else champion - challenger

    def at(self, threshold: float | None) -> Metric:
        """The metric of the labels that a threshold decides."""
        if threshold is None or not self.of_labels:
            return self

        def on(truth: Array, predicted: Array) -> OfCounts:
            return self.on(truth, np.eye(predicted.shape[1])[decide(predicted, threshold)])

        return replace(self, on=on)


def _average_classes(
    statistic: Callable[[Array, Array], OfCounts], truth: Array, predicted: Array
) -> OfCounts:
    """A metric of the positive class; with more than two classes, the macro mean of one-vs-rest.

    NaN if the truth has only one class.
    """
    classes = predicted.shape[1]
    of_class = {
        code: statistic(truth == code, predicted[:, code])
        for code in (range(classes) if classes > 2 else [1])
    }

    def value(counts: Array) -> float:
        present = np.flatnonzero(np.bincount(truth, counts, classes))
        if len(present) < 2:
            return np.nan
        codes = present.tolist() if classes > 2 else [1]
        return float(np.mean([of_class[code](counts) for code in codes]))

    return value


def _roc_auc(true: Array, score: Array) -> OfCounts:
    """Area under the ROC curve as the Mann-Whitney statistic (Hanley and McNeil, 1982)."""
    order = np.argsort(score)
    true, last = true[order], _last_of_ties(score[order])

    def value(counts: Array) -> float:
        drawn = counts[order]
        positives = np.diff(np.cumsum(drawn * true)[last], prepend=0)
        negatives = np.cumsum(drawn * ~true)[last]
        below = np.append(0, negatives[:-1])
        pairs = _total(positives, below + negatives) / 2
        return pairs / float(positives.sum() * negatives[-1])

    return value


def _average_precision(true: Array, score: Array) -> OfCounts:
    """Mean of the precision at each threshold, weighted by the increase of recall."""
    order = np.argsort(-score)
    true, last = true[order], _last_of_ties(score[order])

    def value(counts: Array) -> float:
        drawn = counts[order]
        hits, selected = np.cumsum(drawn * true)[last], np.cumsum(drawn)[last]
        return float((np.diff(hits, prepend=0) * hits / np.maximum(selected, 1)).sum() / hits[-1])

    return value


def _last_of_ties(ordered: Array) -> Array:
    """The position of the last of each run of equal scores."""
    positions: Array = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    return positions


def _total(counts: Array, values: Array) -> float:
    """The sum of values, each so often; `@` would start threads, which cost more than they save."""
    return float(np.einsum("i,i", counts, values))


def _mean(of_row: Callable[[Array, Array], Array]) -> Callable[[Array, Array], OfCounts]:
    """A metric that is the mean of a value of each row."""

    def on(truth: Array, predicted: Array) -> OfCounts:
        values = of_row(truth, predicted)
        return lambda counts: _total(counts, values) / float(counts.sum())

    return on


def _log_loss(truth: Array, predicted: Array) -> Array:
    """Negative log of the true class's probability, clipped at eps."""
    chosen = np.clip(predicted[np.arange(len(truth)), truth], np.finfo(float).eps, 1)
    loss: Array = -np.log(chosen)
    return loss


def _brier(truth: Array, predicted: Array) -> Array:
    """Brier score, summed over classes; halved for two classes, as in scikit-learn."""
    classes = predicted.shape[1]
    total: Array = ((predicted - np.eye(classes)[truth]) ** 2).sum(axis=1)
    return total / 2 if classes == 2 else total


def _accuracy(truth: Array, predicted: Array) -> Array:
    hits: Array = decide(predicted) == truth
    return hits.astype(float)


def _f1(truth: Array, predicted: Array) -> OfCounts:
    """F1 of the positive class; with more than two classes the macro mean; 0 without hits."""
    classes = predicted.shape[1]
    cells = truth * classes + decide(predicted)

    def value(counts: Array) -> float:
        matrix = np.bincount(cells, counts, classes**2).reshape(classes, classes)
        rows = matrix.sum(axis=0) + matrix.sum(axis=1)
        scores = 2 * matrix.diagonal() / np.maximum(rows, 1)
        return float(scores[rows > 0].mean() if classes > 2 else scores[1])

    return value


def _squared_error(truth: Array, predicted: Array) -> Array:
    error: Array = (truth - predicted) ** 2
    return error


def _rmse(truth: Array, predicted: Array) -> OfCounts:
    mean = _mean(_squared_error)(truth, predicted)
    return lambda counts: float(np.sqrt(mean(counts)))


def _r2(truth: Array, predicted: Array) -> OfCounts:
    errors = _squared_error(truth, predicted)

    def value(counts: Array) -> float:
        total = _total(counts, (truth - _total(counts, truth) / counts.sum()) ** 2)
        return 1 - _total(counts, errors) / total if total else np.nan

    return value


TWO_CLASSES_BRIER = 0.25  # of a guess between two classes, and the limit of a new project

METRICS = {
    metric.name: metric
    for metric in (
        Metric("roc_auc", "classification", True, partial(_average_classes, _roc_auc)),
        Metric(
            "average_precision",
            "classification",
            True,
            partial(_average_classes, _average_precision),
        ),
        Metric("log_loss", "classification", False, _mean(_log_loss)),
        Metric("brier", "classification", False, _mean(_brier)),
        Metric("accuracy", "classification", True, _mean(_accuracy), of_labels=True),
        Metric("f1", "classification", True, _f1, of_labels=True),
        Metric("mae", "regression", False, _mean(lambda truth, value: np.abs(truth - value))),
        Metric("rmse", "regression", False, _rmse),
        Metric("r2", "regression", True, _r2),
    )
}


def metrics_for_task(task: Task) -> list[Metric]:
    """All metrics of a task."""
    return [metric for metric in METRICS.values() if metric.task == task]


def get_metric(name: str, task: Task, field: str) -> Metric:
    """The metric with this name; `field` is the file and field of the name, for the message."""
    known = [metric.name for metric in metrics_for_task(task)]
    if name not in known:
        raise UsageError(
            f"{field}: unknown metric '{name}' for {task}; choose one of {', '.join(known)}."
        )
    return METRICS[name]


def primary_metric(gates: Gates, task: Task, conf: Path) -> Metric:
    """The metric in conf/gates.yml that compares models; checks all metrics of the file."""
    field = f"{conf / 'gates.yml'}, field `quality`"
    for limit in gates.quality:
        bound = "min" if get_metric(limit.metric, task, field).higher_is_better else "max"
        same = [each for each in gates.quality if each.metric == limit.metric]
        if all(getattr(each, bound) is None for each in same):
            better = "higher" if bound == "min" else "lower"
            raise UsageError(f"{field}: for {limit.metric}, {better} is better. Add a `{bound}`.")
    return get_metric(gates.metric, task, f"{conf / 'gates.yml'}, field `metric`")


def require_fitting(gates: Gates, classes: int, conf: Path) -> None:
    """Check the limits of metrics that more than two classes change, for so many classes.

    A guess, the same probability for each class, must not pass; and 0.25 as the largest Brier score
    is the guess of two classes, whose score is half a sum.

    Raises:
        UsageError: a limit is one for two classes; a line for each.
    """
    if classes <= 2:
        return
    guess = {
        "log_loss": np.log(classes),
        "brier": 1 - 1 / classes,
        "accuracy": 1 / classes,
        "roc_auc": 0.5,
    }
    problems = []
    for limit in gates.quality:
        if limit.metric not in guess:
            continue
        field = f"{conf / 'gates.yml'}, field `quality`: {limit.metric}"
        known, higher = guess[limit.metric], METRICS[limit.metric].higher_is_better
        bound = limit.min if higher else limit.max
        if bound is None:  # a limit on the other side is for too good a result
            continue
        if (bound <= known) if higher else (bound >= known):
            problems.append(
                f"{field} of a guess between {classes} classes is {known:.4g}, which passes the "
                f"limit {bound:g}. Write a stricter one."
            )
        elif limit.metric == "brier" and bound == TWO_CLASSES_BRIER:
            problems.append(
                f"{field} is a sum over {classes} classes here, from 0 to 2, and a guess has "
                f"{known:.4g}; {bound:g} is the limit for two classes. Write another one."
            )
    if problems:
        raise UsageError("\n".join(problems))
