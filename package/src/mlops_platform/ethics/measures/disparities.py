"""How groups of people differ: in service, in selection, in errors, in what was recorded of them.

Each group of a sensitive column, or of a pair of them, is held against all other rows. Which
groups there are, and each group's own value, comes from fairlearn's MetricFrame; the intervals
come from `simultaneous`. All checks of conf/ethics.yml that look at the same rows and kind of
groups share one family of intervals, and the families share the chance of a false alarm equally.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame

from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.simultaneous import Contrast, Interval, Mean, Score, Statistic, intervals
from mlops_platform.ethics.value import NAME_ONE, Measure, Value, nothing, word, worst
from mlops_platform.evidence.ethics import GroupFinding
from mlops_platform.models import dataset

NONE = "(no value)"
Statistics = dict[str, Statistic]


def _classes(case: Case) -> list[tuple[str, int]]:
    """Labels and codes that statistics are taken of: of two classes, the positive one says all."""
    labels = list(enumerate(case.contract.labels))
    return [(label, code) for code, label in (labels[1:] if len(labels) == 2 else labels)]


def _spread(case: Case) -> float:
    """The target's standard deviation among all rows: the unit of differences of numbers."""
    return float(dataset.truth(case.all_rows, case.contract).std()) or 1.0


def _selection(case: Case, *, log: bool = False) -> Statistics:
    """The share of a group for which each class is predicted; of a number, the mean prediction."""
    ones = np.ones(len(case.truth))
    if not case.contract.labels:
        return {"": Mean(case.predicted / _spread(case), ones)}
    chosen = case.predicted.argmax(axis=1)
    return {
        label: Mean((chosen == code).astype(float), ones, rate=True, log=log)
        for label, code in _classes(case)
    }


def _selection_ratio(case: Case) -> Statistics:
    return _selection(case, log=True)


def _errors(case: Case) -> Statistics:
    """Equalised odds (Hardt, Price and Srebro, 2016): misses and false alarms of each class."""
    chosen = case.predicted.argmax(axis=1)
    found: Statistics = {}
    for label, code in _classes(case):
        true, said = case.truth == code, chosen == code
        found[f"missed {label}"] = Mean((true & ~said) * 1.0, true * 1.0, rate=True)
        found[f"false {label}"] = Mean((~true & said) * 1.0, ~true * 1.0, rate=True)
    return found


def _quality(case: Case) -> Statistics:
    """The metric that decides between champion and challenger."""
    return {"": Score(case.metric, case.truth, case.predicted)}


def _prediction_bias(case: Case) -> Statistics:
    """Mean of what happened minus what was predicted: calibration in the large, per group.

    Of each class's probability; of numbers, in standard deviations of the target.
    """
    ones = np.ones(len(case.truth))
    if not case.contract.labels:
        return {"": Mean((case.truth - case.predicted) / _spread(case), ones)}
    return {
        label: Mean((case.truth == code) - case.predicted[:, code], ones)
        for label, code in _classes(case)
    }


def _outcomes(case: Case) -> Statistics:
    """Recorded outcomes among all rows, whatever a model says of them.

    The discrimination score of Calders and Verwer, Three naive Bayes approaches for
    discrimination-free classification (2010); of numbers, in standard deviations.
    """
    truth = dataset.truth(case.all_rows, case.contract)
    ones = np.ones(len(truth))
    if not case.contract.labels:
        return {"": Mean(truth / _spread(case), ones)}
    return {label: Mean((truth == code) * 1.0, ones, rate=True) for label, code in _classes(case)}


def _missing(case: Case) -> Statistics:
    """Rows that lack the value of a feature, among all rows."""
    lacking = case.all_rows[case.contract.features].isna().any(axis=1).to_numpy(dtype=float)
    return {"": Mean(lacking, np.ones(len(lacking)), rate=True)}


STATISTICS: dict[str, Callable[[Case], Statistics]] = {
    "quality_difference": _quality,
    "selection_difference": _selection,
    "selection_ratio": _selection_ratio,
    "error_rate_difference": _errors,
    "prediction_bias": _prediction_bias,
    "outcome_difference": _outcomes,
    "missing_difference": _missing,
}
OF_ALL_ROWS = {"outcome_difference", "missing_difference"}
IN_SPREADS = {"selection_difference", "prediction_bias", "outcome_difference"}  # of numbers


def _family(check: Metric) -> tuple[bool, str]:
    """Checks with the same answer share rows and groups, and so a family of intervals."""
    return check.measure in OF_ALL_ROWS, check.over


class People(NamedTuple):
    """A group, the mask of its rows (rows,), and its own value of each statistic."""

    name: str
    inside: np.ndarray
    values: dict[str, float]


def findings(case: Case, check: Metric) -> list[GroupFinding]:
    """Each group of the check's measure, the small ones too."""
    family = _family(check)
    if family not in case.kept:
        case.kept[family] = _contrasts(case, check)
    small, contrasts, found = case.kept[family]
    held = [
        _finding(contrast, interval, check)
        for contrast, interval in zip(contrasts, found, strict=True)
        if contrast.measure == check.measure
    ]
    return held + small


def _contrasts(
    case: Case, check: Metric
) -> tuple[list[GroupFinding], list[Contrast], list[Interval]]:
    """Groups too small to tell, and the contrasts of all others with their intervals."""
    mine = [each for each in case.page.metrics if each.measure in STATISTICS]
    families = {_family(each) for each in mine} | {_family(check)}
    measures = {each.measure for each in mine if _family(each) == _family(check)} | {check.measure}
    rows = case.all_rows if check.measure in OF_ALL_ROWS else case.rows
    least = case.gates.guardrails.min_group_rows
    contrasts: list[Contrast] = []
    small: dict[str, GroupFinding] = {}
    for measure in sorted(measures):
        statistics = STATISTICS[measure](case)
        for group in _groups(rows, case.contract.named("sensitive"), check.over, statistics):
            if min(group.inside.sum(), (~group.inside).sum()) < least:
                size = int(group.inside.sum())
                small[group.name] = GroupFinding(group=group.name, rows=size)
                continue
            for detail, statistic in statistics.items():
                name = f"{group.name}: {detail}" if len(statistics) > 1 else group.name
                value = group.values[detail]
                contrasts.append(Contrast(measure, name, group.inside, statistic, value))
    found = intervals(
        contrasts,
        times=case.gates.resamples,
        seed=case.train.seed,
        confidence=1 - (1 - case.gates.confidence) / len(families),
    )
    return list(small.values()), contrasts, found


def _groups(
    rows: pd.DataFrame, columns: list[str], over: str, statistics: Statistics
) -> Iterator[People]:
    """Each group that is among the rows."""
    picks = [[column] for column in columns]
    if over == "intersections":
        picks = [list(pair) for pair in combinations(columns, 2)]
    numbers = np.arange(len(rows))
    asked: dict[str, Any] = {name: partial(_within, each) for name, each in statistics.items()}
    for picked in picks:
        people = rows[picked].fillna(NONE).astype(str).reset_index(drop=True)
        frame = MetricFrame(
            metrics=asked, y_true=numbers, y_pred=numbers, sensitive_features=people
        )
        for key, values in frame.by_group.iterrows():
            names = key if isinstance(key, tuple) else (key,)
            inside = (people == list(names)).all(axis=1).to_numpy()
            if inside.any():  # two columns may have a pair of values that nobody has
                shown = zip(picked, names, strict=True)
                name = ", ".join(f"{column} {value}" for column, value in shown)
                yield People(name, inside, {each: float(values[each]) for each in statistics})


def _within(statistic: Statistic, picked: np.ndarray, _: np.ndarray) -> float:
    """The statistic of the rows with these numbers; MetricFrame hands on what it was given."""
    inside = np.zeros(len(statistic), dtype=bool)
    inside[picked] = True
    return statistic.value(inside)


def _finding(contrast: Contrast, interval: Interval, check: Metric) -> GroupFinding:
    value = contrast.value
    size, low, high = interval.distance
    if check.min is not None:  # a ratio of the smaller to the larger
        value, size = float(np.exp(value)), float(np.exp(-size))
        if low is not None and high is not None:
            low, high = float(np.exp(-high)), float(np.exp(-low))
    limit = check.max if check.min is None else check.min
    return GroupFinding(
        group=contrast.group,
        rows=int(contrast.inside.sum()),
        value=value if np.isfinite(value) else None,
        distance=size if np.isfinite(size) else None,
        low=low,
        high=high,
        word=word(low, high, limit or 0.0, "max" if check.min is None else "min"),
    )


def _measure(case: Case, check: Metric) -> Value:
    """The group that is farthest from the others, and all groups."""
    groups = findings(case, check)
    rows = len(case.all_rows if check.measure in OF_ALL_ROWS else case.rows)
    told = [group for group in groups if group.distance is not None and group.low is not None]
    if not groups:
        why = "no sensitive column" if check.over == "columns" else "no two sensitive columns"
        return nothing(rows, f"conf/data.yml has {why}", NAME_ONE.format(role="sensitive"))
    if not told:
        return Value(None, None, None, rows, "every group is too small", groups)
    decides = worst([group.word for group in groups])
    far = [group for group in told if group.word == decides] or told
    sign = -1 if check.min is None else 1
    worst_of = min(far, key=lambda group: sign * (group.distance or 0.0))
    spread = not case.contract.labels and check.measure in IN_SPREADS
    about = worst_of.group + (", in standard deviations of the target" if spread else "")
    return Value(worst_of.distance, worst_of.low, worst_of.high, rows, about, groups)


MEASURES = [
    Measure(
        name,
        _measure,
        "Find out with people who know the field where the difference comes from: data or model",
    )
    for name in STATISTICS
]
