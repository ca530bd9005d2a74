"""Measures of fairness: differences between groups in quality, selection, errors and outcomes.

Each group of a sensitive column, or of a pair of them, is compared with all other rows. The groups
and their values come from fairlearn's MetricFrame, the intervals from `simultaneous`. All checks
on the same rows and the same kind of groups form one family of intervals. The families share the
probability of a false alarm equally.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame

from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import (
    ASSIGN_ROLE,
    Measure,
    Value,
    combine_verdicts,
    compare_with_limit,
    no_value,
)
from mlops_platform.ethics.simultaneous import Contrast, Interval, Mean, Score, Statistic, intervals
from mlops_platform.evidence.ethics import GroupFinding
from mlops_platform.models import dataset

NO_GROUP = "(no value)"
Statistics = dict[str, Statistic]


def _classes(run: EvaluatedRun) -> list[tuple[str, int]]:
    """Labels and codes to compute statistics for: with two classes, only the positive one."""
    labels = list(enumerate(run.contract.labels))
    return [(label, code) for code, label in (labels[1:] if len(labels) == 2 else labels)]


def _spread(run: EvaluatedRun) -> float:
    """The target's standard deviation on all rows: the unit of differences in regression."""
    return float(dataset.encode_target(run.all_rows, run.contract).std()) or 1.0


def _selection(run: EvaluatedRun, *, log: bool = False) -> Statistics:
    """Selection rate: the share of each predicted class; in regression, the mean prediction."""
    ones = np.ones(len(run.truth))
    if not run.contract.labels:
        return {"": Mean(run.predicted / _spread(run), ones)}
    chosen = run.decided
    return {
        label: Mean((chosen == code).astype(float), ones, rate=True, log=log)
        for label, code in _classes(run)
    }


def _selection_ratio(run: EvaluatedRun) -> Statistics:
    return _selection(run, log=True)


def _errors(run: EvaluatedRun) -> Statistics:
    """Equalized odds (Hardt, Price and Srebro, 2016): false negative and false positive rates."""
    chosen = run.decided
    statistics: Statistics = {}
    for label, code in _classes(run):
        true, predicted = run.truth == code, chosen == code
        statistics[f"missed {label}"] = Mean((true & ~predicted) * 1.0, true * 1.0, rate=True)
        statistics[f"false {label}"] = Mean((~true & predicted) * 1.0, ~true * 1.0, rate=True)
    return statistics


def _quality(run: EvaluatedRun) -> Statistics:
    """The metric that decides between champion and challenger."""
    return {"": Score(run.metric, run.truth, run.predicted)}


def _prediction_bias(run: EvaluatedRun) -> Statistics:
    """Calibration in the large: the mean of observed minus predicted.

    For probabilities of each class; in regression, in standard deviations of the target.
    """
    ones = np.ones(len(run.truth))
    if not run.contract.labels:
        return {"": Mean((run.truth - run.predicted) / _spread(run), ones)}
    return {
        label: Mean((run.truth == code) - run.predicted[:, code], ones)
        for label, code in _classes(run)
    }


def _outcomes(run: EvaluatedRun) -> Statistics:
    """Recorded outcomes in all rows, without the model.

    The discrimination score of Calders and Verwer, Three naive Bayes approaches for
    discrimination-free classification (2010); in regression, in standard deviations.
    """
    truth = dataset.encode_target(run.all_rows, run.contract)
    ones = np.ones(len(truth))
    if not run.contract.labels:
        return {"": Mean(truth / _spread(run), ones)}
    return {label: Mean((truth == code) * 1.0, ones, rate=True) for label, code in _classes(run)}


def _missing(run: EvaluatedRun) -> Statistics:
    """The share of all rows in which a feature is missing."""
    missing = run.all_rows[run.contract.features].isna().any(axis=1).to_numpy(dtype=float)
    return {"": Mean(missing, np.ones(len(missing)), rate=True)}


STATISTICS: dict[str, Callable[[EvaluatedRun], Statistics]] = {
    "quality_difference": _quality,
    "selection_difference": _selection,
    "selection_ratio": _selection_ratio,
    "error_rate_difference": _errors,
    "prediction_bias": _prediction_bias,
    "outcome_difference": _outcomes,
    "missing_difference": _missing,
}
ON_ALL_ROWS = {"outcome_difference", "missing_difference"}
IN_STANDARD_DEVIATIONS = {"selection_difference", "prediction_bias", "outcome_difference"}


def _family(check: MetricCheck) -> tuple[bool, str]:
    """Checks with the same key share rows and groups, and so a family of intervals."""
    return check.measure in ON_ALL_ROWS, check.over


class GroupStatistics(NamedTuple):
    """A group, the mask of its rows (rows,), and its value of each statistic."""

    name: str
    mask: np.ndarray
    values: dict[str, float]


def compare_groups(run: EvaluatedRun, check: MetricCheck) -> list[GroupFinding]:
    """Compare each group with all others in the check's measure; small groups have no interval."""
    family = _family(check)
    if family not in run.cache:
        run.cache[family] = _compute_family(run, check)
    small: list[GroupFinding]
    small, contrasts, estimates = run.cache[family]
    large = [
        _group_finding(contrast, interval, check)
        for contrast, interval in zip(contrasts, estimates, strict=True)
        if contrast.measure == check.measure
    ]
    return large + small


def _compute_family(
    run: EvaluatedRun, check: MetricCheck
) -> tuple[list[GroupFinding], list[Contrast], list[Interval]]:
    """Groups with too few rows, and the contrasts of all other groups with their intervals."""
    checks = [each for each in run.config.metrics if each.measure in STATISTICS]
    families = {_family(each) for each in checks} | {_family(check)}
    family = [each for each in checks if _family(each) == _family(check)]
    measures = {each.measure for each in family} | {check.measure}
    rows = run.all_rows if check.measure in ON_ALL_ROWS else run.rows
    min_rows = run.gates.guardrails.min_group_rows
    contrasts: list[Contrast] = []
    small: dict[str, GroupFinding] = {}
    for measure in sorted(measures):
        statistics = STATISTICS[measure](run)
        for group in _groups(rows, run.contract.named("sensitive"), check.over, statistics):
            if min(group.mask.sum(), (~group.mask).sum()) < min_rows:
                size = int(group.mask.sum())
                small[group.name] = GroupFinding(group=group.name, rows=size)
                continue
            for detail, statistic in statistics.items():
                name = f"{group.name}: {detail}" if len(statistics) > 1 else group.name
                value = group.values[detail]
                contrasts.append(Contrast(measure, name, group.mask, statistic, value))
    estimates = intervals(
        contrasts,
        times=run.gates.resamples,
        seed=run.train.seed,
        confidence=1 - (1 - run.gates.confidence) / len(families),
        groups=run.contract.group_codes(rows),
    )
    return list(small.values()), contrasts, estimates


def _groups(
    rows: pd.DataFrame, columns: list[str], over: str, statistics: Statistics
) -> Iterator[GroupStatistics]:
    """The groups that exist in the rows, with their statistics."""
    selections = [[column] for column in columns]
    if over == "intersections":
        selections = [list(pair) for pair in combinations(columns, 2)]
    indices = np.arange(len(rows))
    metrics: dict[str, Any] = {name: partial(_of_rows, each) for name, each in statistics.items()}
    for selected in selections:
        groups = rows[selected].fillna(NO_GROUP).astype(str).reset_index(drop=True)
        frame = MetricFrame(
            metrics=metrics, y_true=indices, y_pred=indices, sensitive_features=groups
        )
        for key, values in frame.by_group.iterrows():
            group = key if isinstance(key, tuple) else (key,)
            mask = (groups == list(group)).all(axis=1).to_numpy()
            if mask.any():  # MetricFrame also lists combinations without rows
                pairs = zip(selected, group, strict=True)
                name = ", ".join(f"{column} {value}" for column, value in pairs)
                of_group = {each: float(values[each]) for each in statistics}
                yield GroupStatistics(name, mask, of_group)


def _of_rows(statistic: Statistic, indices: np.ndarray, _: np.ndarray) -> float:
    """The statistic of the rows with these indices, which MetricFrame passes as `y_true`."""
    mask = np.zeros(len(statistic), dtype=bool)
    mask[indices] = True
    return statistic.value(mask)


def _group_finding(contrast: Contrast, interval: Interval, check: MetricCheck) -> GroupFinding:
    value = contrast.value
    distance, low, high = interval.distance
    if check.min is not None:  # the ratio of the smaller rate to the larger
        value, distance = float(np.exp(value)), float(np.exp(-distance))
        if low is not None and high is not None:
            low, high = float(np.exp(-high)), float(np.exp(-low))
    limit = check.max if check.min is None else check.min
    return GroupFinding(
        group=contrast.group,
        rows=int(contrast.mask.sum()),
        value=value if np.isfinite(value) else None,
        distance=distance if np.isfinite(distance) else None,
        low=low,
        high=high,
        word=compare_with_limit(low, high, limit or 0.0, "max" if check.min is None else "min"),
    )


def _measure(run: EvaluatedRun, check: MetricCheck) -> Value:
    """The group with the largest difference, and all groups."""
    groups = compare_groups(run, check)
    rows = len(run.all_rows if check.measure in ON_ALL_ROWS else run.rows)
    large = [group for group in groups if group.distance is not None and group.low is not None]
    if not groups:
        reason = "no sensitive column" if check.over == "columns" else "no two sensitive columns"
        return no_value(rows, f"conf/data.yml has {reason}", ASSIGN_ROLE.format(role="sensitive"))
    if not large:
        return Value(None, None, None, rows, "every group has too few rows", groups)
    verdict = combine_verdicts([group.word for group in groups])
    candidates = [group for group in large if group.word == verdict] or large
    sign = -1 if check.min is None else 1
    worst = min(candidates, key=lambda group: sign * (group.distance or 0.0))
    scaled = not run.contract.labels and check.measure in IN_STANDARD_DEVIATIONS
    description = worst.group + (", in standard deviations of the target" if scaled else "")
    return Value(worst.distance, worst.low, worst.high, rows, description, groups)


MEASURES = [
    Measure(
        name,
        _measure,
        "Find the cause of the difference with domain experts: the data or the model",
    )
    for name in STATISTICS
]
