"""What callers send, and what they miss in an answer."""

import json
from pathlib import Path

import pytest
import yaml
from mlops_platform import settings
from mlops_platform.data.contract import load_contract
from mlops_platform.serving import consumers
from mlops_platform.serving.requests import Requests

from package.tests.workspaces import CREDIT

CONTRACT = load_contract(CREDIT / "conf" / "data.yml", "classification")
ANSWER = {"version": "3", "predictions": [{"label": "repaid", "value": 2, "id": None}]}


def consumer(folder: Path, **fields: object) -> settings.Consumer:
    text = yaml.safe_dump({"consumers": {"desk": {"reads": {"version": "text"}, **fields}}})
    (folder / "consumers.yml").write_text(text)
    return settings.load_consumers(folder)["desk"]


@pytest.mark.parametrize(
    ("path", "kind", "missed"),
    [
        ("version", "text", None),
        ("predictions.0.label", "text", None),
        ("predictions.0.value", "number", None),
        ("version", "number", "`version`: expected a number, got '3'"),
        ("predictions.0.value", "text", "`predictions.0.value`: expected a text, got 2"),
        ("predictions.0.id", "text", "`predictions.0.id`: expected a text, got None"),
        ("predictions.1.label", "text", "`predictions.1.label`: there is no `1` in [{"),
        ("predictions.-1.label", "text", "there is no `-1`"),
        ("predictions.label", "text", "there is no `label` in [{"),
        ("version.number", "text", "there is no `number` in '3'"),
        ("score", "number", "`score`: there is no `score` in {'version'"),
    ],
)
def test_a_field_is_there_and_of_its_kind(tmp_path, path, kind, missed):
    found = consumers.faults(consumer(tmp_path, reads={path: kind}), ANSWER)
    assert len(found) == (missed is not None)
    assert all(str(missed) in fault for fault in found)


@pytest.mark.parametrize("value", [True, float("nan"), float("inf"), "2", None, [2]])
def test_what_is_no_number(tmp_path, value):
    asks = consumer(tmp_path, reads={"value": "number"})
    assert len(consumers.faults(asks, {"value": value})) == 1


@pytest.mark.parametrize("answer", [None, "text", [], 3])
def test_what_is_no_answer(tmp_path, answer):
    assert len(consumers.faults(consumer(tmp_path), answer)) == 1


def test_a_refused_request_is_the_fault(tmp_path):
    refused = {"version": "3", "error": "breaks the contract", "faults": [{"field": "age"}]}
    (fault,) = consumers.faults(consumer(tmp_path), refused)
    assert fault == "its request is rejected: [{'field': 'age'}]"


def test_the_contracts_example_is_sent_or_the_rows_of_its_own(tmp_path):
    example = json.loads(consumers.body(consumer(tmp_path), CONTRACT))
    assert example == {"rows": [Requests(CONTRACT).example()]}
    rows = [{"age": 41, "month": "2026-01-31"}, {"age": None}]
    text = "consumers: {desk: {reads: {version: text}, sends: [{age: 41, month: 2026-01-31}, "
    (tmp_path / "consumers.yml").write_text(text + "{age: null}]}}")
    own = settings.load_consumers(tmp_path)["desk"]
    assert json.loads(consumers.body(own, CONTRACT)) == {"rows": rows}


def test_nobody_needs_to_call(tmp_path):
    (tmp_path / "consumers.yml").write_text("consumers: {}")
    assert settings.load_consumers(tmp_path) == {}
