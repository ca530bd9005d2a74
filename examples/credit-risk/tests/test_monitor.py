"""The monitor: quiet on data like the training data, loud on data that moved."""

import contextlib

import pytest
from mlops_platform import evidence
from mlops_platform.core.errors import GateError
from mlops_platform.pipelines.outputs import newest


def watch(workspace, rows) -> evidence.DriftReport:
    rows.to_csv(workspace.root / "today.csv", index=False)
    with contextlib.suppress(GateError):
        workspace.pipeline("monitor", current=workspace.root / "today.csv")
    path = newest(workspace.root / "outputs" / "monitor") / "drift" / "evidence" / "drift.json"
    return evidence.read(evidence.DriftReport, path)


def test_our_own_data_has_not_drifted(served, raw):
    assert watch(served, raw).verdict == "stable"


def test_a_shift_is_named(served, raw, contract):
    name = contract.numeric_features[0]
    values = contract.typed(raw)[0][name]
    report = watch(served, raw.assign(**{name: values + 2 * values.std()}))
    assert report.verdict == "drift"
    assert name in [column.column for column in report.columns if column.drifted]


def test_missing_values_are_noticed(served, raw, contract):
    name = contract.features[0]
    report = watch(served, raw.assign(**{name: raw[name].where(raw.index % 2 == 0)}))
    assert name in [column.column for column in report.columns if column.drifted]


def test_a_handful_of_rows_is_no_evidence(served, raw):
    assert watch(served, raw.head(10)).verdict == "insufficient evidence"


def test_drift_ends_the_monitor_with_an_alarm(served, raw, contract):
    name = contract.features[0]
    raw.assign(**{name: None}).to_csv(served.root / "today.csv", index=False)
    with pytest.raises(GateError, match=name):
        served.pipeline("monitor", current=served.root / "today.csv")
