"""The endpoint: good answers, and a clear refusal of everything else."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlops_platform.models.team import Team
from mlops_platform.serving import app as endpoint
from mlops_platform.serving.requests import MAX_FAULTS, MAX_ROWS
from mlops_platform.serving.scorer import Scorer

from package.tests import models
from package.tests.workspaces import TEAM

CREDIT = models.conf_of("credit_risk") / "data.yml"
ROW = {
    "loan_id": "L1",
    "income": 2000.0,
    "debt_ratio": 0.3,
    "years_employed": None,
    "late_payments": 1,
    "housing": "rent",
    "purpose": "car",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.train("credit_risk", tmp_path_factory.mktemp("credit") / "model")


@pytest.fixture(scope="module")
def scorer(model: Path) -> Scorer:
    return Scorer(model, "credit-risk", "3", TEAM)


@pytest.fixture
def client(scorer: Scorer) -> TestClient:
    return TestClient(endpoint.create(scorer))


def refusal(client: TestClient, content: bytes | str) -> list[dict]:
    """The faults of a request that must be refused."""
    answer = client.post("/score", content=content)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert (problem["model"], problem["version"]) == ("credit-risk", "3")
    assert 1 <= len(problem["faults"]) <= MAX_FAULTS
    assert len(answer.content) < 10_000
    return problem["faults"]


# ---------------------------------------------------------------- answers


def test_rows_are_answered_in_their_order(client, scorer):
    rows = models.good_rows("credit_risk", CREDIT, 30)
    answer = client.post("/score", json={"rows": rows})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    expected = {"model": "credit-risk", "version": "3", "predictions": scorer.rows(rows)}
    assert answer.json() == expected
    assert [one["id"] for one in answer.json()["predictions"]] == [row["loan_id"] for row in rows]


def test_regression_answers_values(tmp_path):
    folder = models.train("energy_demand", tmp_path / "model")
    scorer = Scorer(folder, "energy-demand", "1", Team("energy_demand"))
    client = TestClient(endpoint.create(scorer))
    rows = models.good_rows("energy_demand", folder / "contract.yml", 3)
    answer = client.post("/score", json={"rows": rows}).json()
    assert answer["predictions"] == scorer.rows(rows)
    assert all(isinstance(one["value"], float) for one in answer["predictions"])
    schema = client.get("/openapi.json").json()["components"]["schemas"]
    assert "value" in schema["ValuePrediction"]["properties"]


def test_health_names_the_model(client):
    answer = client.get("/health")
    assert answer.json() == {"status": "ready", "model": "credit-risk", "version": "3"}


def test_the_example_of_openapi_is_a_request_that_works(client):
    page = client.get("/openapi.json").json()
    body = page["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert client.post("/score", json=body["example"]).status_code == 200
    row = body["properties"]["rows"]["items"]
    assert row["additionalProperties"] is False
    assert row["properties"]["purpose"]["enum"] == ["car", "home", "study", "other"]
    assert row["properties"]["debt_ratio"]["maximum"] == 1
    answers = page["paths"]["/score"]["post"]["responses"]
    assert set(answers) == {"200", "408", "413", "415", "422", "500"}


def test_metrics_count_requests_rows_and_faults(client):
    client.post("/score", json={"rows": [ROW, ROW]})
    client.post("/score", json={"rows": [ROW | {"income": -1, "hobby": 1}]})
    client.get("/nowhere/42")
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    lines = set(page.text.splitlines())
    assert 'mlops_requests_total{path="/score",status="200"} 1.0' in lines
    assert 'mlops_requests_total{path="/score",status="422"} 1.0' in lines
    assert 'mlops_requests_total{path="other",status="404"} 1.0' in lines
    assert 'mlops_request_seconds_count{path="/score"} 2.0' in lines
    assert "mlops_rows_scored_total 2.0" in lines
    assert 'mlops_rejects_total{field="income"} 1.0' in lines
    assert 'mlops_rejects_total{field="other"} 1.0' in lines
    assert 'mlops_model{model="credit-risk",version="3"} 1.0' in lines


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("income", -1, "greater than or equal to 0"),
        ("debt_ratio", 1.5, "less than or equal to 1"),
        ("late_payments", 51, "less than or equal to 50"),
        ("late_payments", 1.5, "valid integer"),
        ("late_payments", 10**400, "less than or equal to 50"),
        ("late_payments", True, "valid integer"),
        ("income", 10**400, "valid number"),
        ("income", float("nan"), "finite number"),
        ("income", float("inf"), "finite number"),
        ("income", float("-inf"), "finite number"),
        ("income", "2000", "valid number"),
        ("income", [2000], "valid number"),
        ("income", {"value": 2000}, "valid number"),
        ("debt_ratio", None, "valid number"),
        ("purpose", "boat", "'car', 'home', 'study' or 'other'"),
        ("purpose", 1, "'car', 'home', 'study' or 'other'"),
        ("loan_id", 17, "valid string"),
        ("loan_id", "x" * 10_001, "at most 10000 characters"),
        ("hobby", "chess", "Extra inputs are not permitted"),
        ("sex", "female", "Extra inputs are not permitted"),
        ("outcome", "repaid", "Extra inputs are not permitted"),
    ],
)
def test_a_value_that_breaks_the_contract_is_named(client, field, value, message):
    body = json.dumps({"rows": [ROW, ROW | {field: value}]})
    (fault,) = refusal(client, body)
    assert (fault["row"], fault["field"]) == (2, field)
    assert message in fault["message"]


def test_a_feature_that_is_missing_is_named(client):
    row = {name: value for name, value in ROW.items() if name != "purpose"}
    (fault,) = refusal(client, json.dumps({"rows": [row]}))
    assert (fault["row"], fault["field"], fault["message"]) == (1, "purpose", "Field required")


def test_a_feature_that_may_be_missing_may_be_left_out(client, scorer):
    row = {name: value for name, value in ROW.items() if name != "years_employed"}
    answer = client.post("/score", json={"rows": [row]})
    assert answer.json()["predictions"] == scorer.rows([ROW])


@pytest.mark.parametrize(
    ("content", "field", "message"),
    [
        (b"", None, "is not JSON"),
        (b"rows", None, "is not JSON"),
        (b'{"rows": [', None, "is not JSON"),
        (b'{"rows": []}{}', None, "is not JSON"),
        (b"\xff\xfe\x00", None, "is not JSON"),
        (json.dumps({"rows": [ROW]}).encode("utf-16"), None, "is not JSON"),
        (b'{"rows": "\\ud800"}', None, "is not JSON"),
        (b"[" * 100_000, None, "is not JSON"),
        (b'{"rows":' * 50_000, None, "is not JSON"),
        (b"9" * 100_000, None, "is not JSON"),
        (b"null", None, 'expected {"rows"'),
        (b"[]", None, 'expected {"rows"'),
        (b"3", None, 'expected {"rows"'),
        (b"{}", "rows", "a list of 1 to 1000 rows"),
        (b'{"rows": []}', "rows", "a list of 1 to 1000 rows"),
        (b'{"rows": {}}', "rows", "a list of 1 to 1000 rows"),
        (b'{"rows": null}', "rows", "a list of 1 to 1000 rows"),
        (b'{"row": {}}', "row", "not a known field"),
        (b'{"rows": [{}], "version": 2}', "version", "not a known field"),
    ],
)
def test_a_body_of_another_shape_is_refused(client, content, field, message):
    (fault,) = refusal(client, content)
    assert (fault["row"], fault["field"]) == (None, field)
    assert message in fault["message"]


@pytest.mark.parametrize("row", [None, 3, "x", [], [ROW]])
def test_a_row_that_is_no_object_is_refused(client, row):
    (fault,) = refusal(client, json.dumps({"rows": [ROW, row]}))
    assert (fault["row"], fault["field"]) == (2, None)


def test_as_many_rows_as_allowed_and_one_more(client):
    row = {name: value for name, value in ROW.items() if name != "loan_id"}
    answer = client.post("/score", json={"rows": [row] * MAX_ROWS})
    assert len(answer.json()["predictions"]) == MAX_ROWS
    (fault,) = refusal(client, json.dumps({"rows": [row] * (MAX_ROWS + 1)}))
    assert fault["field"] == "rows"


def test_a_body_full_of_faults_is_refused_quickly_and_briefly(client):
    began = time.perf_counter()
    assert len(refusal(client, json.dumps({"rows": [{}] * MAX_ROWS}))) == MAX_FAULTS
    many = {f"field {number}": 0 for number in range(50_000)}
    assert len(refusal(client, json.dumps({"rows": [many]}))) == MAX_FAULTS
    long_name = json.dumps({"rows": [ROW | {"x" * 100_000: 1}]})
    assert len(refusal(client, long_name)[0]["field"]) < 300
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/nowhere/2471", 404, None),
        ("GET", "/score/", 404, None),
        ("GET", "/redoc", 404, None),
        ("GET", "/score", 405, "POST"),
        ("BREW", "/score", 405, "POST"),
        ("POST", "/ready", 405, "GET"),
        ("PUT", "/docs", 405, "GET"),
    ],
)
def test_other_paths_and_methods_are_problems_too(client, method, path, status, allowed):
    answer = client.request(method, path, follow_redirects=False)
    assert (answer.status_code, answer.headers.get("allow")) == (status, allowed)
    assert answer.json().keys() == {"model", "version", "error", "faults"}
    assert "2471" not in answer.text


def stream(app: object, blocks: Iterator[bytes] | None) -> tuple[int, dict, int]:
    """POST a body block by block; returns status, headers, and how many bytes were taken.

    Without blocks, the body never comes.
    """
    taken, sent = 0, []

    async def receive() -> dict:
        nonlocal taken
        if blocks is None:
            await asyncio.Event().wait()
        block = next(blocks, None)
        taken += len(block or b"")
        return {"type": "http.request", "body": block or b"", "more_body": block is not None}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/score",
        "raw_path": b"/score",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-length", b"10")],  # a lie
    }
    asyncio.run(app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, taken


def test_an_endless_body_is_cut_off(scorer):
    endless = iter(lambda: b" " * 65_536, None)
    status, headers, taken = stream(endpoint.create(scorer), endless)
    assert status == 413
    assert headers["connection"] == "close"
    assert endpoint.MAX_BYTES < taken <= endpoint.MAX_BYTES + 65_536


def test_a_body_of_just_the_longest_length_is_read(client):
    body = json.dumps({"rows": [ROW]}).encode()
    padded = body + b" " * (endpoint.MAX_BYTES - len(body))
    assert client.post("/score", content=padded).status_code == 200
    answer = client.post("/score", content=padded + b" ")
    assert answer.status_code == 413
    assert "1000000 bytes" in answer.json()["error"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
changed_rows = st.builds(
    lambda name, value: ROW | {name: value}, st.sampled_from([*ROW, "sex", ""]), json_values
)
bodies = st.one_of(
    st.binary(max_size=200),
    json_values.map(json.dumps),
    st.fixed_dictionaries({"rows": st.lists(json_values, max_size=3)}).map(json.dumps),
    st.fixed_dictionaries({"rows": st.lists(changed_rows, max_size=3)}).map(json.dumps),
)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=bodies)
def test_no_body_breaks_the_endpoint(client, body):
    answer = client.post("/score", content=body)
    assert answer.status_code in {200, 413, 422}
    answer.json()


# ---------------------------------------------------------------- faults of ours, and logs


def test_an_unexpected_error_is_answered_and_logged_without_values(scorer, monkeypatch, caplog):
    def explode(frame: object) -> None:
        raise ValueError(f"cannot convert {ROW['income']}")

    monkeypatch.setattr(scorer._model, "predict_proba", explode)
    with caplog.at_level("DEBUG"):
        client = TestClient(endpoint.create(scorer))
        answer = client.post("/score", json={"rows": [ROW]})
        metrics = client.get("/metrics").text
    assert answer.status_code == 500
    assert answer.json()["error"] == "an unexpected error, see the server's log"
    assert "explode" not in answer.text
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "ValueError" in line.getMessage() and "in explode" in line.getMessage()
    assert "2000" not in caplog.text
    assert 'mlops_requests_total{path="/score",status="500"} 1.0' in metrics.splitlines()


def test_a_prediction_that_json_cannot_hold_is_our_fault(scorer, monkeypatch):
    monkeypatch.setattr(scorer, "rows", lambda rows: [{"value": float("nan")}])
    assert (
        TestClient(endpoint.create(scorer)).post("/score", json={"rows": [ROW]}).status_code == 500
    )


def test_health_answers_while_rows_are_scored(scorer, monkeypatch):
    healthy, predict, in_time = threading.Event(), scorer.predict, []

    def slow(frame: object) -> object:
        in_time.append(healthy.wait(timeout=10))
        return predict(frame)

    monkeypatch.setattr(scorer, "predict", slow)

    async def ask() -> int:
        transport = httpx.ASGITransport(endpoint.create(scorer))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            scoring = asyncio.create_task(client.post("/score", json={"rows": [ROW]}))
            await asyncio.sleep(0.1)
            assert (await client.get("/health")).status_code == 200
            healthy.set()
            return (await scoring).status_code

    assert asyncio.run(ask()) == 200
    assert in_time == [True]
