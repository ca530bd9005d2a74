"""Is the data what it says, and is the test set a test?"""

from __future__ import annotations

import pandas as pd

from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import NAME_ONE, Measure, Value, counted, nothing


def _broken_rules(case: Case, _: Metric) -> Value:
    """Rules of the data contract that the raw data broke."""
    broken = case.validation.findings
    named = ", ".join(f"{found.column} ({found.rule})" for found in broken[:3])
    return counted(len(broken), case.validation.rows, named or "rules of conf/data.yml")


def _missing_shift(case: Case, _: Metric) -> Value:
    """The largest rise or fall of a feature's share of missing values, from training to test."""
    then, now = (
        case.parts[part][case.contract.features].isna().mean() for part in ("train", "test")
    )
    shift = (now - then).abs()
    return counted(float(shift.max()), len(case.parts["test"]), f"`{shift.idxmax()}`")


def _overlap_ids(case: Case, _: Metric) -> Value:
    """Ids of the test set that the model has learned or been chosen by, as a share."""
    names = case.contract.named("id")
    if not names:
        rows = len(case.parts["test"])
        return nothing(rows, "conf/data.yml names no id", NAME_ONE.format(role="id"))
    seen = pd.concat([case.parts["train"], case.parts["validation"]])[names[0]]
    test = case.parts["test"][names[0]]
    return counted(float(test.isin(set(seen)).mean()), len(test), f"`{names[0]}`")


def _overlap_rows(case: Case, _: Metric) -> Value:
    """Rows of the test set with features and target like a row before, as a share."""
    columns = [*case.contract.features, case.contract.target]
    seen = pd.concat([case.parts["train"], case.parts["validation"]])[columns]
    known = set(pd.util.hash_pandas_object(seen, index=False))
    test = pd.util.hash_pandas_object(case.parts["test"][columns], index=False)
    return counted(float(test.isin(known).mean()), len(test), "features and target alike")


def _smallest_group(case: Case, _: Metric) -> Value:
    """Rows of the smallest group that the contract names, in the test set."""
    test = case.parts["test"]
    sizes = {
        f"{column} {value}": int((test[column] == value).sum())
        for column in case.contract.named("sensitive")
        for value in case.contract.columns[column].values or []
    }
    if not sizes:
        why = "conf/data.yml has no sensitive column"
        return nothing(len(test), why, NAME_ONE.format(role="sensitive"))
    smallest = min(sizes, key=lambda name: sizes[name])
    return counted(sizes[smallest], len(test), smallest)


MEASURES = [
    Measure(
        "broken_rules",
        _broken_rules,
        "Mend the data, or the rule in conf/data.yml where the rule is wrong",
    ),
    Measure(
        "missing_shift",
        _missing_shift,
        "Find out why values are missing now, or were then; mend the source",
    ),
    Measure("overlap_ids", _overlap_ids, "Split `by: id` in conf/train.yml, and delete outputs/"),
    Measure("overlap_rows", _overlap_rows, "Drop the copies in data.py, and run the pipeline"),
    Measure(
        "smallest_group",
        _smallest_group,
        "Collect rows of this group, or make the test set larger in conf/train.yml",
    ),
]
