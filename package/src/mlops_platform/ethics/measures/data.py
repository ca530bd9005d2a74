"""Measures of data quality and of leakage between training and test set."""

from __future__ import annotations

import pandas as pd

from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import ASSIGN_ROLE, Measure, Value, exact_value, no_value


def _broken_rules(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Rules of the data contract that the raw data violates."""
    findings = run.validation.findings
    names = ", ".join(f"{finding.column} ({finding.rule})" for finding in findings[:3])
    return exact_value(len(findings), run.validation.rows, names or "rules of conf/data.yml")


def _missing_shift(run: EvaluatedRun, _: MetricCheck) -> Value:
    """The largest change of a feature's share of missing values between training and test."""
    train, test = (
        run.parts[part][run.contract.features].isna().mean() for part in ("train", "test")
    )
    shift = (test - train).abs()
    return exact_value(float(shift.max()), len(run.parts["test"]), f"`{shift.idxmax()}`")


def _overlap_ids(run: EvaluatedRun, _: MetricCheck) -> Value:
    """The share of test rows whose id is also in the training or validation set."""
    names = run.contract.named("id")
    if not names:
        rows = len(run.parts["test"])
        return no_value(rows, "conf/data.yml has no id column", ASSIGN_ROLE.format(role="id"))
    seen = pd.concat([run.parts["train"], run.parts["validation"]])[names[0]]
    test = run.parts["test"][names[0]]
    return exact_value(float(test.isin(set(seen)).mean()), len(test), f"`{names[0]}`")


def _overlap_rows(run: EvaluatedRun, _: MetricCheck) -> Value:
    """The share of test rows that are duplicates of training or validation rows."""
    columns = [*run.contract.features, run.contract.target]
    seen = pd.concat([run.parts["train"], run.parts["validation"]])[columns]
    known = set(pd.util.hash_pandas_object(seen, index=False))
    test = pd.util.hash_pandas_object(run.parts["test"][columns], index=False)
    return exact_value(
        float(test.isin(known).mean()), len(test), "duplicates of features and target"
    )


def _smallest_group(run: EvaluatedRun, _: MetricCheck) -> Value:
    """The number of test rows in the smallest sensitive group of the contract."""
    test = run.parts["test"]
    sizes = {
        f"{column} {value}": int((test[column] == value).sum())
        for column in run.contract.named("sensitive")
        for value in run.contract.columns[column].values or []
    }
    if not sizes:
        reason = "conf/data.yml has no sensitive column"
        return no_value(len(test), reason, ASSIGN_ROLE.format(role="sensitive"))
    smallest = min(sizes, key=lambda name: sizes[name])
    return exact_value(sizes[smallest], len(test), smallest)


MEASURES = [
    Measure(
        "broken_rules",
        _broken_rules,
        "Fix the data, or the rule in conf/data.yml if the rule is wrong",
    ),
    Measure(
        "missing_shift",
        _missing_shift,
        "Find out why the share of missing values changed, and fix the source",
    ),
    Measure("overlap_ids", _overlap_ids, "Split `by: id` in conf/train.yml, and delete outputs/"),
    Measure("overlap_rows", _overlap_rows, "Drop the duplicates in data.py, and run the pipeline"),
    Measure(
        "smallest_group",
        _smallest_group,
        "Collect more rows of this group, or use a larger test set (conf/train.yml)",
    ),
]
