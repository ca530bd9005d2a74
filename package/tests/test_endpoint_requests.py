"""What the endpoint reads of a request besides its rows: encodings, keys of JSON, identity, key."""

import asyncio
import io
import json
import logging
import re
import threading
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from mlops_platform.core.errors import UsageError
from mlops_platform.serving import app as endpoint
from mlops_platform.serving import keys, log, page
from mlops_platform.serving.scorer import Scorer

from package.tests import models
from package.tests.test_app import ROW, stream
from package.tests.workspaces import TEAM

BODY = json.dumps({"rows": [ROW]}).encode()
KEY = "k" * keys.SHORTEST
UUID = "8c1d1f7e-5f0a-4c35-9b3a-1d2e3f405162"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.train("credit_risk", tmp_path_factory.mktemp("credit") / "model")


@pytest.fixture(scope="module")
def scorer(model: Path) -> Scorer:
    return Scorer(model, "credit-risk", "3", TEAM)


@pytest.fixture
def client(scorer: Scorer) -> TestClient:
    return TestClient(endpoint.create(scorer))


def headers(*pairs: tuple[str, str]) -> list[tuple[str, str]]:
    """Headers of which one may come twice."""
    return list(pairs)


# ---------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON; Charset="UTF-8"',
        "application/json;",
    ],
)
def test_json_in_utf_8_is_read(client, kind):
    assert client.post("/score", content=BODY, headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize(
    ("given", "named", "accepted"),
    [
        ([("Content-Encoding", "gzip")], "'gzip'", ("accept-encoding", "identity")),
        ([("Content-Encoding", "br")], "'br'", ("accept-encoding", "identity")),
        ([("Content-Encoding", "identity, gzip")], "gzip'", ("accept-encoding", "identity")),
        (
            [("Content-Encoding", "identity"), ("Content-Encoding", "gzip")],
            "'gzip'",
            ("accept-encoding", "identity"),
        ),
        ([("Content-Type", "text/csv")], "'text/csv'", ("accept", "application/json")),
        ([("Content-Type", "json")], "'json'", ("accept", "application/json")),
        (
            [("Content-Type", "application/json; charset=latin-1")],
            "charset=latin-1",
            ("accept", "application/json"),
        ),
        (
            [("Content-Type", "application/json"), ("Content-Type", "text/plain")],
            "text/plain",
            ("accept", "application/json"),
        ),
    ],
)
def test_other_types_and_encodings_are_refused_by_name(client, given, named, accepted):
    answer = client.post("/score", content=BODY, headers=headers(*given))
    assert answer.status_code == 415
    assert named in answer.json()["error"]
    assert answer.headers[accepted[0]] == accepted[1]


def test_the_mark_of_utf_8_is_passed_over(client):
    answer = client.post("/score", content=b"\xef\xbb\xbf" + BODY)
    assert answer.json() == client.post("/score", content=BODY).json()
    assert client.post("/score", content=b"\xef\xbb\xbf" * 2 + BODY).status_code == 422


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (BODY.decode().encode("utf-16"), "UTF-16"),
        (BODY.decode().encode("utf-16-le"), "UTF-16"),
        (BODY.decode().encode("utf-32-be"), "UTF-32"),
        (b"\x1f\x8b\x08\x00 a compressed body", "gzip"),
    ],
)
def test_another_encoding_that_no_header_tells_is_named(client, content, named):
    answer = client.post("/score", content=content)
    assert answer.status_code == 422
    assert named in answer.json()["faults"][0]["message"]


# ---------------------------------------------------------------- keys of JSON


def twice(text: str, name: str) -> str:
    """The JSON with a pair inserted before its first one of that name."""
    return text.replace(f'"{name}":', f'"{name}": 1, "{name}":', 1)


@pytest.mark.parametrize(
    ("text", "row", "field"),
    [
        (twice(BODY.decode(), "rows"), None, "rows"),
        (twice(BODY.decode(), "income"), 1, "income"),
        (twice(json.dumps({"rows": [ROW | {"income": {"a": [{"b": 1}]}}]}), "b"), 1, "b"),
        ('{"rows": [{}, {"a": 1, "\\u0061": 1}]}', 2, "a"),
        ('{"rows": [], "more": {"a": 1, "a": 1}}', None, "a"),
        ('[{"a": {"a": 1, "a": 1}}]', None, "a"),
        ('{"rows": [{"": 1, "": 1}]}', 1, ""),
    ],
)
def test_a_key_that_is_given_twice_is_refused_at_any_depth(client, text, row, field):
    answer = client.post("/score", content=text)
    assert answer.status_code == 422
    [fault] = answer.json()["faults"]
    assert (fault["row"], fault["field"]) == (row, field)
    assert fault["message"] == "is given twice; give it once"


def test_the_same_key_in_two_objects_is_no_repetition(client):
    assert client.post("/score", json={"rows": [ROW, ROW]}).status_code == 200


# ---------------------------------------------------------------- identity and log


@pytest.fixture
def lines() -> io.StringIO:
    """What the log says during the test."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log.JsonLines())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_trace_is_continued_and_a_request_keeps_its_id(client, lines):
    given = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": UUID}
    answer = client.post("/score", content=BODY, headers=given)
    assert answer.headers["x-request-id"] == UUID
    version, trace_id, span_id, flags = answer.headers["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "01")
    assert span_id != PARENT
    written = [json.loads(line) for line in lines.getvalue().splitlines()]
    [line] = [one for one in written if one["logger"].startswith("mlops_platform")]
    assert line["message"] == "request"
    assert (line["method"], line["path"], line["status"]) == ("POST", "/score", 200)
    assert (line["request_id"], line["trace_id"]) == (UUID, TRACE)
    assert (line["span_id"], line["parent_id"]) == (span_id, PARENT)


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["2471.5"],
        [f"00-{TRACE}-{PARENT}"],
        [f"00-{TRACE.upper()}-{PARENT}-01"],
        [f"00-{'0' * 32}-{PARENT}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"00-{TRACE}-{PARENT}-01-more"],
        [f"ff-{TRACE}-{PARENT}-01"],
        [f"01-{TRACE}-{PARENT}-01more"],
        [f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01"],
    ],
)
def test_without_a_valid_trace_a_new_one_begins(client, given):
    pairs = [("traceparent", one) for one in given]
    first, second = (client.get("/live", headers=headers(*pairs)).headers for _ in range(2))
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", first["traceparent"])
    assert TRACE not in first["traceparent"]
    assert first["traceparent"] != second["traceparent"]


def test_a_trace_of_a_later_version_is_continued(client):
    answer = client.get("/live", headers={"traceparent": f"cc-{TRACE}-{PARENT}-03-more"})
    assert answer.headers["traceparent"].startswith(f"00-{TRACE}-")
    assert answer.headers["traceparent"].endswith("-01")


@pytest.mark.parametrize("given", ["2471.5", "income=2471", "", UUID + "0"])
def test_an_id_that_is_no_uuid_is_replaced(client, given):
    answer = client.get("/live", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])


def test_problems_have_an_identity_too(client):
    for answer in (client.get("/nowhere"), client.post("/score", content=b"x")):
        assert answer.headers["x-request-id"] and answer.headers["traceparent"]


def test_no_value_gets_into_the_log(scorer, lines, monkeypatch):
    """Neither from a body, nor from anywhere else where a client can put one."""
    client = TestClient(endpoint.create(scorer, KEY))
    value = "31337"
    monkeypatch.setattr(logging.getLogger("httpx2"), "disabled", True)  # the client's own log
    sent = {"X-Request-ID": value, "traceparent": value, "Content-Type": value}
    for extra in ({}, {"Authorization": f"Bearer {KEY}"}):
        for more in ({}, sent):
            body = json.dumps({"rows": [ROW | {value: value, "income": 31337}]})
            client.post(f"/score?income={value}", content=body, headers=extra | more)
            client.get(f"/{value}", headers=extra | more)
            client.request(value, "/score", headers=extra | more)

    def explode(frame: object) -> None:
        logging.getLogger("team").warning("a row with income %s", value)
        raise ValueError(f"cannot convert {value}")

    monkeypatch.setattr(scorer, "predict", explode)
    allowed = {"Authorization": f"Bearer {KEY}"}
    assert client.post("/score", content=BODY, headers=allowed).status_code == 500
    text = lines.getvalue()
    written = [json.loads(line) for line in text.splitlines()]
    assert len(written) == 15
    assert value not in text
    [other] = [one for one in written if one["logger"] == "team"]
    assert re.fullmatch(r"test_endpoint_requests.py:\d+ in explode", other["message"])


# ---------------------------------------------------------------- the key


@pytest.mark.parametrize("path", ["/metrics", "/docs", "/openapi.json", "/nowhere", "/score"])
@pytest.mark.parametrize(
    "given",
    [
        [],
        [("Authorization", KEY)],
        [("Authorization", f"Basic {KEY}")],
        [("Authorization", f"Bearer {KEY[:-1]}")],
        [("Authorization", f"Bearer {KEY}x")],
        [("Authorization", "Bearer ")],
        [("Authorization", f"Bearer {KEY}"), ("Authorization", "Bearer other")],
    ],
)
def test_without_the_key_nothing_is_told(scorer, path, given):
    client = TestClient(endpoint.create(scorer, KEY))
    answer = client.get(path, headers=headers(*given))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json().keys() == {"model", "version", "error", "faults"}


def test_with_the_key_everything_is_answered(scorer):
    client = TestClient(endpoint.create(scorer, KEY), headers={"Authorization": f"bearer {KEY}"})
    assert client.post("/score", content=BODY).status_code == 200
    assert client.get("/metrics").status_code == 200
    assert "Authorization: Bearer KEY" in client.get("/docs").text
    assert "401" in client.get("/openapi.json").json()["paths"]["/score"]["post"]["responses"]


def test_probes_know_no_key(scorer):
    client = TestClient(endpoint.create(scorer, KEY))
    assert [client.get(path).status_code for path in ("/live", "/ready", "/health")] == [200] * 3


def test_the_key_is_compared_in_constant_time(scorer, monkeypatch):
    compared = []
    monkeypatch.setattr(keys.hmac, "compare_digest", lambda *given: compared.append(given))
    client = TestClient(endpoint.create(scorer, KEY))
    assert client.get("/metrics", headers={"Authorization": f"Bearer {KEY}"}).status_code == 401
    assert compared == [(KEY.encode(), KEY.encode())]


def test_the_key_comes_from_the_environment_or_a_file(monkeypatch, tmp_path):
    assert keys.load(None) is None
    monkeypatch.setenv(keys.VARIABLE, KEY)
    assert keys.load(None) == KEY
    assert keys.VARIABLE not in keys.os.environ  # no process that this one starts gets it
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert keys.load(tmp_path / "key") == KEY
    monkeypatch.setenv(keys.VARIABLE, KEY)
    with pytest.raises(UsageError, match="both have a key"):
        keys.load(tmp_path / "key")


@pytest.mark.parametrize("text", ["", "short", "k" * 31, "k" * 40 + " k", "k" * 5000])
def test_a_key_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv(keys.VARIABLE, text)
    with pytest.raises(UsageError, match="a key of 32 to 1024 ASCII characters") as told:
        keys.load(None)
    assert not text or text not in str(told.value)


def test_a_file_without_a_key_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nothing.txt: no key can be read \(FileNotFoundError\)"):
        keys.load(tmp_path / "nothing.txt")
    (tmp_path / "binary").write_bytes(b"\xff" * 40)
    with pytest.raises(UsageError, match=r"binary: no key can be read \(UnicodeDecodeError\)"):
        keys.load(tmp_path / "binary")


@pytest.mark.parametrize(
    "address", [str(IPv4Address(0)), "::", "192.0.2.7", "2001:db8::1", "fe80::1%eth0"]
)
def test_an_address_that_the_network_reaches_needs_a_key(address):
    with pytest.raises(UsageError, match=r"--host .* there is no key.*MLOPS_SERVE_KEY"):
        keys.require(address, address, None)
    keys.require(address, address, KEY)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_needs_none(address):
    keys.require(address, address, None)


# ---------------------------------------------------------------- states and pages


def test_it_is_not_ready_while_it_stops(scorer):
    stopping = threading.Event()
    client = TestClient(endpoint.create(scorer, stopping=stopping))
    assert client.get("/ready").json()["status"] == "ready"
    assert "connection" not in client.get("/live").headers
    stopping.set()
    for path in ("/ready", "/health"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["connection"]) == (503, "close")
        assert answer.json()["error"] == "the endpoint is stopping"
    assert client.get("/live").json()["status"] == "live"
    assert client.post("/score", content=BODY).status_code == 200  # it was accepted


def test_the_page_needs_no_network_and_no_script(client):
    answer = client.get("/docs")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    text = answer.text
    assert "<script" not in text and "://" not in text and " style=" not in text
    assert text.count("<style>") == 1 and page.STYLE in text
    for name in ROW:
        assert f"<td>{name}</td>" in text
    assert "one of car, home, study, other" in text
    assert "number, at least 0, at most 1<" in text
    assert "POST /score" in text


def test_the_page_escapes_what_it_shows(client):
    content = client.get("/openapi.json").json()
    content["info"]["title"] = "<b>title"
    fields = content["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]
    fields["schema"]["properties"]["rows"]["items"]["properties"]["<i>"] = {"enum": ["<u>"]}
    text = page.render(content, protected=False)
    assert not re.search(r"<[biu]>", text)
    assert "&lt;b&gt;title" in text and "&lt;i&gt;" in text and "&lt;u&gt;" in text


def test_a_body_that_does_not_arrive_is_given_up(scorer, monkeypatch):
    monkeypatch.setattr(endpoint, "BODY_SECONDS", 0.05)
    status, sent, _ = stream(endpoint.create(scorer), None)
    assert (status, sent["connection"]) == (408, "close")


def test_a_request_that_the_stop_cuts_off_is_told(scorer):
    sent: list[dict] = []

    async def ask() -> None:
        async def receive() -> dict:
            return await asyncio.Event().wait()

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/score", "query_string": b""}
        scope |= {"headers": [], "root_path": "", "http_version": "1.1", "scheme": "http"}
        task = asyncio.create_task(endpoint.create(scorer)(scope, receive, send))
        await asyncio.sleep(0.05)
        task.cancel()
        await task

    asyncio.run(ask())
    assert sent[0]["status"] == 503
    content = json.loads(sent[1]["body"])
    assert content["error"] == "the endpoint stopped before it had the answer"
