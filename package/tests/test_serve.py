"""The command `mlops serve`: its address, its key, and how it stops."""

import http.client
import json
import multiprocessing
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

import httpx2 as httpx
import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.serving import app as endpoint
from mlops_platform.serving import keys, server
from mlops_platform.serving.scorer import Scorer

from benchmarks import load
from package.tests import models
from package.tests.samples import EXAMPLES
from package.tests.test_app import ROW
from package.tests.workspaces import TEAM

KEY = "k" * keys.SHORTEST
EVERYWHERE = str(IPv4Address(0))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.train("credit_risk", tmp_path_factory.mktemp("credit") / "model")


@pytest.fixture(scope="module")
def conf(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.project(tmp_path_factory.mktemp("serve"), model)


Serve = Callable[..., subprocess.Popen]


@pytest.fixture
def serve(conf: Path) -> Iterator[Serve]:
    """Starts `mlops serve`; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen] = []

    def start(*arguments: str, **variables: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "mlops_platform", "serve", "--conf", str(conf)]
        environment = os.environ | {"PYTHONPATH": str(EXAMPLES / "credit-risk" / "src")}
        process = subprocess.Popen(
            [*command, *arguments],
            stdout=(conf.parent / "log").open("w"),
            stderr=subprocess.PIPE,
            text=True,
            env=environment | variables,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def port_of(process: subprocess.Popen) -> int:
    """The port, as soon as the endpoint listens."""
    line = process.stderr.readline()
    assert line.startswith("credit-risk version 1 serves on http://"), line
    return int(re.search(r":(\d+)$", line.strip())[1])


def test_the_command_serves_until_it_is_told_to_stop(serve, conf):
    process = serve("--port", "0")
    port = port_of(process)
    url = f"http://127.0.0.1:{port}"
    client = httpx.Client(transport=httpx.HTTPTransport(retries=20))
    assert client.get(f"{url}/health").json()["version"] == "1"
    assert client.post(f"{url}/score", json={"rows": [ROW]}).status_code == 200
    assert client.post(f"{url}/score?income=31337", json={"rows": [{}]}).status_code == 422

    too_long = b" " * (endpoint.MAX_BYTES + 1)
    assert client.post(f"{url}/score", content=iter([too_long])).status_code == 413
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("POST", "/score")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    connection.send(too_long)
    assert connection.getresponse().status == 413
    client.close()

    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)  # poe sends this one too
    assert process.wait(timeout=15) == 0
    assert process.stderr.read() == ""
    log = (conf.parent / "log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    asked = [line["status"] for line in lines if line["message"] == "request"]
    assert asked == [200, 200, 422, 413, 413]
    assert [line["message"] for line in lines[-2:]] == ["stopping", "stopped"]
    assert "31337" not in log


def test_an_address_that_is_taken_is_said(serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = serve("--port", str(taken.getsockname()[1]))
        message = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert "cannot be served" in message and "--port" in message
    assert "Traceback" not in message


def test_a_version_that_does_not_exist_is_said(serve):
    process = serve("--version", "12", "--port", "0")
    message = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert "version '12' of credit-risk does not exist" in message
    assert "Traceback" not in message


def test_no_process_is_left_when_the_error_is_told(conf):
    with pytest.raises(UsageError, match="version '12' of credit-risk does not exist"):
        server._load(conf, "12", None)
    assert multiprocessing.active_children() == []


def test_a_look_up_that_is_killed_is_said(conf, monkeypatch):
    monkeypatch.setattr(server.store, "fetch", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(UsageError, match="it was killed: check the free memory"):
        server._load(conf, "1", None)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the process in /proc")
def test_the_look_up_ends_after_a_server_that_is_killed(serve):
    process = serve("--version", "1", "--port", "0")  # not known without MLflow
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not children.read_text():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=60)  # returns when nobody holds its output any more


def test_an_address_is_given_back_where_nothing_is_served(monkeypatch, tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(server, "_bind", lambda *_: listener)
    with pytest.raises(UsageError):
        server.run(tmp_path / "conf", "champion", "127.0.0.1", 0, None)
    assert listener.fileno() == -1


def test_a_public_address_without_a_key_is_refused_before_anything_starts(serve):
    process = serve("--host", EVERYWHERE, "--port", "0", "--version", "12")
    message = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert "MLOPS_SERVE_KEY" in message and "--key-file" in message
    assert "version" not in message  # it was not looked up
    assert "Traceback" not in message


def test_a_public_address_with_a_key_answers_those_who_have_it(serve, conf, tmp_path):
    (tmp_path / "key").write_text(KEY)
    for options, variables in (
        (["--key-file", str(tmp_path / "key")], {}),
        ([], {"MLOPS_SERVE_KEY_FILE": str(tmp_path / "key")}),
        ([], {"MLOPS_SERVE_KEY": KEY}),
    ):
        process = serve("--host", EVERYWHERE, "--port", "0", *options, **variables)
        url = f"http://127.0.0.1:{port_of(process)}"
        assert httpx.get(f"{url}/ready").status_code == 200
        assert httpx.post(f"{url}/score", json={"rows": [ROW]}).status_code == 401
        allowed = {"Authorization": f"Bearer {KEY}"}
        answer = httpx.post(f"{url}/score", json={"rows": [ROW]}, headers=allowed)
        assert answer.status_code == 200
        process.kill()
        assert KEY not in (conf.parent / "log").read_text()


# ---------------------------------------------------------------- restarts under load


def test_restarts_under_load_lose_and_falsify_no_answer(serve, model, monkeypatch):
    monkeypatch.setattr(load, "BETWEEN_RESTARTS", 1.0)
    scorer = Scorer(model, "credit-risk", "1", TEAM)
    rows = models.good_rows("credit_risk", model / "contract.yml", 20)
    expected = [(json.dumps({"rows": [row]}), scorer.rows([row])) for row in rows]
    seen = load.run(lambda port: serve("--port", str(port)), expected, callers=8, seconds=4)
    assert (seen.lost, seen.wrong) == ([], [])
    assert len(seen.exits) >= 2 and set(seen.exits) == {0}
    assert seen.answers > 20
    assert seen.refused > 0


def test_a_lost_and_a_wrong_answer_are_seen():
    """The load test is one that can fail: a server that resets, and one that answers otherwise."""
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{"predictions": []}'
    for content, lost, wrong in ((b"", True, False), (answer, False, True)):
        seen = load.Load()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            arguments = (port, random.Random(0), [("{}", [1])], seen)
            caller = threading.Thread(target=load.call, args=arguments)
            caller.start()
            connection, _ = listener.accept()
            connection.recv(65_536)
            seen.done.set()
            connection.sendall(content)
            connection.close()
            caller.join()
        assert (bool(seen.lost), bool(seen.wrong)) == (lost, wrong)
