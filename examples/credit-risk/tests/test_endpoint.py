"""The endpoint: good requests are answered as the model predicts, bad ones name the field."""

import pytest
from fastapi.testclient import TestClient
from mlops_platform import settings
from mlops_platform.models import artifact, dataset
from mlops_platform.serving import app, consumers, store
from mlops_platform.serving.scorer import Scorer

from .conftest import TEAM


@pytest.fixture(scope="module")
def scorer(served):
    return Scorer(*store.fetch(served.conf, "champion"))


@pytest.fixture(scope="module")
def client(scorer):
    with TestClient(app.create(scorer)) as client:
        yield client


def fields_refused(answer) -> set[str]:
    return {fault["field"] for fault in answer.json()["faults"]}


def test_it_is_ready_and_says_who_answers(client):
    assert client.get("/health").json()["version"] == "1"
    assert "mlops_requests_total" in client.get("/metrics").text


def test_a_row_gets_what_the_model_predicts(client, scorer, served, contract):
    rows = dataset.read_part(served.step("prepare") / "data", "test", contract).head(20)
    model = artifact.load(served.step("train") / "model", TEAM)
    expected = dataset.predict(model, rows[contract.features], contract.labels)
    for position, (_, row) in enumerate(rows.iterrows()):
        sent = {}
        for name in contract.requested:
            value = None if row.isna()[name] else row[name]
            kind = contract.raw[name].kind if value is not None else ""
            sent[name] = {"integer": int, "date": str}.get(kind, lambda same: same)(value)
        [prediction] = client.post("/score", json={"rows": [sent]}).json()["predictions"]
        if contract.labels:
            given = [prediction["probabilities"][label] for label in contract.labels]
        else:
            given = prediction["value"]
        assert given == pytest.approx(expected[position].tolist(), abs=1e-12)


def test_each_consumer_finds_what_it_reads(client, scorer, served):
    for name, consumer in settings.load_consumers(served.conf).items():
        answer = client.post("/score", content=consumers.body(consumer, scorer.contract)).json()
        assert consumers.faults(consumer, answer) == [], name


def test_an_unknown_field_is_refused(client, scorer):
    answer = client.post("/score", json={"rows": [scorer.requests.example() | {"surprise": 1}]})
    assert answer.status_code == 422
    assert fields_refused(answer) == {"surprise"}


def test_each_requested_column_is_checked(client, scorer, contract):
    for name in contract.requested:
        row = scorer.requests.example() | {name: {"not": "a value"}}
        answer = client.post("/score", json={"rows": [row]})
        assert answer.status_code == 422
        assert fields_refused(answer) == {name}


def test_numbers_outside_their_range_are_refused(client, scorer, contract):
    for name in contract.requested:
        column = contract.raw[name]
        if column.numeric and column.max is not None:
            row = scorer.requests.example() | {name: int(column.max) + 1}
            assert fields_refused(client.post("/score", json={"rows": [row]})) == {name}


def test_what_is_no_request_is_refused(client):
    for body in (b"", b"{", b"[]", b'{"rows": []}', b'{"rows": [NaN]}'):
        assert client.post("/score", content=body).status_code == 422
    assert client.post("/score", content=b" " * 2_000_000).status_code == 413
