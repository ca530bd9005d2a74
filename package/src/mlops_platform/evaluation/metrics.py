"""Metrics by name, and their bootstrap confidence intervals.

Truth and predictions are arrays: for classification codes (n,) that index the contract's labels,
and probabilities (n, labels); for regression values (n,) and values (n,). The metrics use numpy
because a bootstrap calls them thousands of times, and scikit-learn's input checks take twenty times
as long as the computation. Tests compare them with scikit-learn's metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from mlops_platform.core.errors import UsageError
from mlops_platform.data.decision import decide
from mlops_platform.settings import Gates, Task

Array = np.ndarray


@dataclass(frozen=True)
class Metric:
    """A metric of a task, its direction, and the function that computes it.

    One `of_labels` compares labels, so that a threshold changes it; others use the probabilities.
    """

    name: str
    task: Task
    higher_is_better: bool
    compute: Callable[[Array, Array], float]
    of_labels: bool = False

    def gain(self, challenger: float, champion: float) -> float:
        """How much better the challenger is; negative if it is worse."""
        return challenger - champion if self.higher_is_better else champion - challenger

    def at(self, threshold: float | None) -> Metric:
        """The metric of the labels that a threshold decides."""
        if threshold is None or not self.of_labels:
            return self

        def compute(truth: Array, predicted: Array) -> float:
            decided = np.eye(predicted.shape[1])[decide(predicted, threshold)]
            return self.compute(truth, decided)

        return replace(self, compute=compute)


def _one_hot(truth: Array, predicted: Array) -> Array:
    encoded: Array = np.eye(predicted.shape[1])[truth]
    return encoded


def _average_classes(
    statistic: Callable[[Array, Array], float], truth: Array, predicted: Array
) -> float:
    """A metric of the positive class; with more than two classes, the macro mean of one-vs-rest.

    NaN if the truth has only one class.
    """
    present = np.unique(truth)
    if len(present) < 2:
        return np.nan
    codes = present if predicted.shape[1] > 2 else [1]
    return float(np.mean([statistic(truth == code, predicted[:, code]) for code in codes]))


def _roc_auc(true: Array, score: Array) -> float:
    """Area under the ROC curve as the Mann-Whitney statistic (Hanley and McNeil, 1982)."""
    positives, negatives = score[true], np.sort(score[~true])
    below, up_to = (np.searchsorted(negatives, positives, side) for side in ("left", "right"))
    return float((below + up_to).sum() / 2 / (len(positives) * len(negatives)))


def _average_precision(true: Array, score: Array) -> float:
    """Mean of the precision at each threshold, weighted by the increase of recall."""
    order = np.argsort(-score)
    last_of_ties = np.append(np.diff(score[order]) != 0, True)
    hits = np.cumsum(true[order])[last_of_ties]
    selected = np.flatnonzero(last_of_ties) + 1
    return float((np.diff(hits, prepend=0) * hits / selected).sum() / hits[-1])


def _log_loss(truth: Array, predicted: Array) -> float:
    """Mean negative log of the true class's probability, clipped at eps."""
    chosen = np.clip(predicted[np.arange(len(truth)), truth], np.finfo(float).eps, 1)
    return float(-np.log(chosen).mean())


def _brier(truth: Array, predicted: Array) -> float:
    """Brier score, summed over classes; halved for two classes, as in scikit-learn."""
    total = ((predicted - _one_hot(truth, predicted)) ** 2).sum(axis=1).mean()
    return float(total / 2 if predicted.shape[1] == 2 else total)


def _accuracy(truth: Array, predicted: Array) -> float:
    return float((decide(predicted) == truth).mean())


def _f1(truth: Array, predicted: Array) -> float:
    """F1 of the positive class; with more than two classes the macro mean; 0 without hits."""
    chosen = decide(predicted)
    codes = np.unique([truth, chosen]) if predicted.shape[1] > 2 else [1]
    scores = []
    for code in codes:
        hits = ((chosen == code) & (truth == code)).sum()
        scores.append(2 * hits / max((chosen == code).sum() + (truth == code).sum(), 1))
    return float(np.mean(scores))


def _mae(truth: Array, predicted: Array) -> float:
    return float(np.abs(truth - predicted).mean())


def _rmse(truth: Array, predicted: Array) -> float:
    return float(np.sqrt(((truth - predicted) ** 2).mean()))


def _r2(truth: Array, predicted: Array) -> float:
    total = ((truth - truth.mean()) ** 2).sum()
    return float(1 - ((truth - predicted) ** 2).sum() / total) if total else np.nan


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
        Metric("log_loss", "classification", False, _log_loss),
        Metric("brier", "classification", False, _brier),
        Metric("accuracy", "classification", True, _accuracy, of_labels=True),
        Metric("f1", "classification", True, _f1, of_labels=True),
        Metric("mae", "regression", False, _mae),
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


def bootstrap(
    rows: int,
    statistic: Callable[[Array], float],
    *,
    times: int,
    seed: int,
    groups: Array | None = None,
) -> Array:
    """Values of `statistic` on `times` resamples of row numbers; (times,) without NaN.

    `groups`, (rows,), are codes of groups that are drawn whole: as their rows are alike, there is
    less to learn from them than from as many rows of their own.

    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13; of groups: Davison
    and Hinkley, Bootstrap Methods and their Application (1997), section 3.8.
    """
    rng = np.random.default_rng(seed)
    resamples: Iterator[Array] = (rng.integers(0, rows, rows) for _ in range(times))
    if groups is not None:
        resamples = whole_groups(groups, times, rng)
    estimates = np.array([statistic(picked) for picked in resamples])
    finite: Array = estimates[np.isfinite(estimates)]
    return finite


def whole_groups(groups: Array, times: int, rng: np.random.Generator) -> Iterator[Array]:
    """Row numbers of `times` resamples of whole groups; `groups` are codes, (rows,)."""
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    for _ in range(times):
        drawn = rng.integers(0, len(members), len(members))
        yield np.concatenate([members[number] for number in drawn])


def percentile_interval(estimates: Array, confidence: float) -> tuple[float | None, float | None]:
    """The central interval of bootstrap estimates; None without estimates."""
    if not len(estimates):
        return None, None
    tail = (1 - confidence) / 2
    low, high = np.quantile(estimates, [tail, 1 - tail])
    return float(low), float(high)
