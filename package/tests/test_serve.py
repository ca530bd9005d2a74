"""The command `mlops serve`: its address, its key, and how it stops."""

import asyncio
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
import uvicorn
from mlops_platform.core.errors import UsageError
from mlops_platform.serving import app as endpoint
from mlops_platform.serving import draining, keys, server
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
    monkeypatch.setattr(server, "_find", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(UsageError, match="it was killed: check the free memory"):
        server._load(conf, "1", None)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the process in /proc")
def test_the_look_up_ends_after_a_server_that_is_killed(serve):
    process = serve("--port", "0")
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


# ---------------------------------------------------------------- connections


class Slow:
    """An app that answers after it is told to."""

    def __init__(self) -> None:
        self.started, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        """Answer one request."""
        self.started.set()
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


async def exchange(port: int, content: bytes, then: Callable[[], None] = lambda: None) -> bytes:
    """Send bytes and return all that comes until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(content)
    then()
    answer = await reader.read()
    writer.close()
    return answer


async def started(app: object) -> tuple[draining.DrainingServer, asyncio.Task, int]:
    """A server, its task, and its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=draining.protocol({"model": "credit-risk", "version": "3"}),
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    running = draining.DrainingServer(config, threading.Event())
    task = asyncio.create_task(running.serve(sockets=[listener]))
    while not running.started:
        await asyncio.sleep(0.01)
    return running, task, listener.getsockname()[1]


GET = b"GET / HTTP/1.1\r\nHost: test\r\n"


def problem(answer: bytes) -> tuple[int, str]:
    """Status and text of an answer that must have the shape of a problem."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head.lower()
    content = json.loads(body)
    assert content.keys() == {"model", "version", "error", "faults"}
    return int(head.split()[1]), content["error"]


def test_what_the_app_never_sees_is_a_problem_too(monkeypatch):
    monkeypatch.setattr(draining, "HEADER_SECONDS", 0.2)
    monkeypatch.setattr(draining, "DRAIN_SECONDS", 0.1)
    monkeypatch.setattr(draining, "MAX_CONNECTIONS", 2)

    async def ask() -> dict[str, tuple[int, str]]:
        running, task, port = await started(Slow())
        answers = {
            "no HTTP": await exchange(port, b"income=2471\r\n\r\n"),
            "half a header": await exchange(port, GET + b"X-Half: "),
            "nothing": await exchange(port, b""),
        }
        idle = [asyncio.create_task(exchange(port, GET)) for _ in range(2)]
        await asyncio.sleep(0.05)
        answers["one too many"] = await exchange(port, b"")
        await asyncio.gather(*idle)
        running.handle_exit(signal.SIGTERM, None)
        await task
        return {name: problem(answer) for name, answer in answers.items()}

    assert asyncio.run(ask()) == {
        "no HTTP": (400, "the request is not valid HTTP"),
        "half a header": (408, "no request arrived within 0.2 seconds"),
        "nothing": (408, "no request arrived within 0.2 seconds"),
        "one too many": (503, "too many connections; try again later"),
    }


def test_what_was_accepted_before_the_end_is_answered(monkeypatch):
    """A request that runs, one on an open connection, and connections in the listener's queue."""
    monkeypatch.setattr(draining, "DRAIN_SECONDS", 0.3)

    async def ask() -> list[bytes]:
        app = Slow()
        running, task, port = await started(app)
        asked = [asyncio.create_task(exchange(port, GET + b"Connection: close\r\n\r\n"))]
        await app.started.wait()
        late: list[socket.socket] = []
        close = running._stop_listening

        async def stop_listening(sockets: list[socket.socket]) -> None:
            for _ in range(5):  # connected and sent while nothing is accepted
                late.append(socket.create_connection(("127.0.0.1", port)))
                late[-1].sendall(GET + b"Connection: close\r\n\r\n")
            await close(sockets)

        monkeypatch.setattr(running, "_stop_listening", stop_listening)
        running.handle_exit(signal.SIGTERM, None)
        running.handle_exit(signal.SIGINT, None)  # poe sends this one too
        while not late or not running.server_state.tasks:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        app.go.set()
        await task
        return [await asked[0], *(one.recv(1000) for one in late)]

    answers = asyncio.run(ask())
    assert len(answers) == 6
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)


def test_a_second_signal_ends_at_once(monkeypatch):
    monkeypatch.setattr(draining, "FORCE_SECONDS", 0)

    async def ask() -> float:
        app = Slow()
        running, task, port = await started(app)
        asked = asyncio.create_task(exchange(port, GET + b"\r\n"))
        await app.started.wait()
        running.handle_exit(signal.SIGINT, None)
        await asyncio.sleep(0.01)
        running.handle_exit(signal.SIGINT, None)
        await task
        app.go.set()
        await asked
        return running.force_exit

    assert asyncio.run(ask()) is True


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
