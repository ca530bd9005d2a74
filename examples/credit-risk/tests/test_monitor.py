"""The monitor: quiet on data like the training data, loud on data that moved."""

import contextlib

import pytest
from mlops_platform import evidence
from mlops_platform.core.errors import GateError
from mlops_platform.data.reader import write
from mlops_platform.pipelines.outputs import newest

from .conftest import changed, first


def watch(workspace, rows) -> evidence.DriftReport:
    write(rows, workspace.root / "today.csv", workspace.contract.source)
    with contextlib.suppress(GateError):
        workspace.pipeline("monitor", current=workspace.root / "today.csv")
    path = newest(workspace.root / "outputs" / "monitor") / "drift" / "evidence" / "drift.json"
    return evidence.read(evidence.DriftReport, path)


def test_our_own_data_has_not_drifted(served, raw):
    assert watch(served, raw).verdict == "stable"


def test_a_shift_is_named(served, raw, contract):
    judged = [column.column for column in watch(served, raw).columns if column.bins]
    names = [name for name in contract.numeric_features if name in judged and name in raw]
    if not names:
        pytest.skip("no number whose distribution is judged")
    name = names[0]
    values = contract.typed(raw)[0][name]
    report = watch(served, changed(raw, name, values + 2 * values.std()))
    assert report.verdict == "drift"
    assert name in [column.column for column in report.columns if column.drifted]


def test_missing_values_are_noticed(served, raw, contract):
    name = first(contract, role="feature")
    report = watch(served, changed(raw, name, raw[name].where(raw.index % 2 == 0)))
    assert name in [column.column for column in report.columns if column.drifted]


def test_a_handful_of_rows_is_no_evidence(served, raw):
    assert watch(served, raw.head(10)).verdict == "insufficient evidence"


def test_drift_ends_the_monitor_with_an_alarm(served, raw, contract):
    name = first(contract, role="feature")
    write(changed(raw, name, None), served.root / "today.csv", contract.source)
    with pytest.raises(GateError, match=name):
        served.pipeline("monitor", current=served.root / "today.csv")
