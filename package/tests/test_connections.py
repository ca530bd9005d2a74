"""Connections: what one can hold and for how long, how a refusal is seen, and how they end."""

import asyncio
import http.client
import json
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import httpx2 as httpx
import pytest
import uvicorn
from mlops_platform.serving import app as endpoint
from mlops_platform.serving import connections, draining
from mlops_platform.serving.requests import MAX_BYTES
from mlops_platform.serving.scorer import Scorer

from package.tests import models
from package.tests.workspaces import TEAM


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
        http=connections.protocol({"model": "credit-risk", "version": "3"}),
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
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.2)
    monkeypatch.setattr(draining, "DRAIN_SECONDS", 0.1)
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)

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


# ---------------------------------------------------------------- a body that is too long

BLOCK = b" " * 1_000_000
TOO_LONG = 20 * BLOCK  # more than the buffers of two sockets hold


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an endpoint that runs in a thread."""
    folder = models.train("credit_risk", tmp_path_factory.mktemp("credit") / "model")
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        endpoint.create(Scorer(folder, "credit-risk", "3", TEAM)),
        http=connections.protocol({"model": "credit-risk", "version": "3"}),
        ws="none",
        lifespan="off",
        log_config=None,
    )
    running = draining.DrainingServer(config, threading.Event())
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1]
    running.handle_exit(signal.SIGTERM, None)
    thread.join()


def by_httpx(port: int, body: bytes | Iterator[bytes]) -> tuple[int, bytes]:
    answer = httpx.post(f"http://127.0.0.1:{port}/score", content=body)
    return answer.status_code, answer.content


def by_http_client(port: int, body: bytes | Iterator[bytes]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/score", body)
    answer = connection.getresponse()
    return answer.status, answer.read()


def by_urllib(port: int, body: bytes | Iterator[bytes]) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/score", body, headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)  # noqa: S310  an address of ours
    return refused.value.status, refused.value.read()


def by_socket(port: int, body: bytes | Iterator[bytes]) -> tuple[int, bytes]:
    """Sends all, and only then reads to the end, which must be an end and no reset."""
    head = b"POST /score HTTP/1.1\r\nHost: test\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        if isinstance(body, bytes):
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        else:
            connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            for block in body:
                connection.sendall(b"%x\r\n%s\r\n" % (len(block), block))
            connection.sendall(b"0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, content = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    return int(head.split()[1]), content


CLIENTS = [by_httpx, by_http_client, by_urllib, by_socket]


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_a_client_sees_that_its_body_is_too_long(port, client, chunked):
    status, content = client(port, iter([BLOCK] * 20) if chunked else TOO_LONG)
    assert status == 413
    assert json.loads(content)["error"].startswith(f"the body is longer than {MAX_BYTES} bytes")


def test_who_asks_before_sending_a_long_body_need_not_send_it(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = b"POST /score HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n"
        connection.sendall(head + b"Content-Length: 1000001\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_without_end_is_cut_off(port, monkeypatch):
    """By its bytes, and by its time if it comes slowly; the answer has been sent by then."""
    endless = b"POST /score HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000000000\r\n\r\n"

    def send_for_ever(pause: float) -> int:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(endless)
            assert connection.recv(100).startswith(b"HTTP/1.1 413")
            sent = 0
            with pytest.raises(OSError, match=r"reset|[Bb]roken pipe|aborted"):
                for _ in range(1000):
                    connection.sendall(BLOCK)
                    sent += len(BLOCK)
                    time.sleep(pause)
            return sent

    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.2)
    assert send_for_ever(0.05) < 20_000_000
    monkeypatch.setattr(connections, "LINGER_SECONDS", 60)
    monkeypatch.setattr(connections.LingeringTransport, "discard", discard_less(3_000_000))
    assert 3_000_000 <= send_for_ever(0) < 100_000_000


def discard_less(limit: int) -> Callable[[connections.LingeringTransport, bytes], None]:
    """`discard` with another limit."""
    discard = connections.LingeringTransport.discard

    def changed(self: connections.LingeringTransport, data: bytes) -> None:
        self._left = min(self._left, limit)
        discard(self, data)

    return changed


# ---------------------------------------------------------------- connections that do not end


def connected(port: int, content: bytes, count: int) -> list[socket.socket]:
    """Connections that have sent something."""
    made = []
    for _ in range(count):
        made.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        made[-1].sendall(content)
    return made


def ended(connection: socket.socket) -> bool:
    """Whether the server closes the connection without an answer."""
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True


HALVES = [b"", GET, b"POST /score HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\n{"]


@pytest.mark.parametrize("half", HALVES, ids=["nothing", "header", "body"])
def test_live_is_answered_while_all_connections_wait_for_their_clients(port, monkeypatch, half):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 8)
    monkeypatch.setattr(connections, "QUIET_SECONDS", 60)
    waiting = connected(port, half, 8)
    assert by_live(port) == 503  # a connection that has just come is not given up
    monkeypatch.setattr(connections, "QUIET_SECONDS", 0)
    assert by_live(port) == 200
    assert ended(waiting[0])  # the oldest; the others need not give way
    for one in waiting[1:]:
        one.settimeout(0.05)
        with pytest.raises(TimeoutError):
            one.recv(1)
    for connection in waiting:
        connection.close()


def by_live(port: int) -> int:
    return httpx.get(f"http://127.0.0.1:{port}/live").status_code


def test_connections_beyond_those_that_are_refused_are_closed_at_once(port, monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 4)
    monkeypatch.setattr(connections, "MAX_REFUSED", 2)
    monkeypatch.setattr(connections, "QUIET_SECONDS", 60)
    waiting = connected(port, GET, 4)
    refused = connected(port, b"", 2)
    assert [one.recv(100)[:12] for one in refused] == [b"HTTP/1.1 503"] * 2
    more = socket.create_connection(("127.0.0.1", port), timeout=10)
    assert ended(more)
    for one in (*waiting, *refused, more):
        one.close()


def test_a_connection_that_is_answered_is_not_given_up_for_another(monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 1)
    monkeypatch.setattr(connections, "QUIET_SECONDS", 0)

    async def ask() -> list[bytes]:
        app = Slow()
        running, task, port = await started(app)
        first = asyncio.create_task(exchange(port, GET + b"Connection: close\r\n\r\n"))
        await app.started.wait()
        second = await exchange(port, GET + b"\r\n")
        app.go.set()
        answers = [await first, second]
        running.handle_exit(signal.SIGTERM, None)
        await task
        return answers

    first, second = asyncio.run(ask())
    assert first.startswith(b"HTTP/1.1 200") and b"done" in first
    assert second.startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize("pieces", [b"X-More: 1\r\n", b"{"], ids=["header", "body"])
def test_a_request_that_comes_byte_by_byte_is_cut_off(port, monkeypatch, pieces):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(endpoint, "BODY_SECONDS", 0.3)
    start = GET if pieces != b"{" else HALVES[-1].replace(b": 9", b": 999")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(start)
        connection.settimeout(0.05)
        answer = b""
        for _ in range(100):
            connection.sendall(pieces)
            try:
                answer = connection.recv(100)
                break
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408")


def test_an_answer_that_nobody_reads_is_given_up(monkeypatch):
    """One that is sent and sent, and one that is sent but for its end."""
    monkeypatch.setattr(connections, "SEND_SECONDS", 0.2)

    async def send(scope: dict, receive: Callable, send: Callable) -> None:
        last = scope["path"] == "/last"
        headers = [(b"connection", b"close")] if last else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(1 if last else 100):
            await send({"type": "http.response.body", "body": TOO_LONG, "more_body": not last})

    async def ask(path: bytes) -> None:
        running, task, port = await started(send)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.pause_reading()
        writer.write(GET.replace(b"/ ", path + b" ") + b"\r\n")
        while not running.server_state.connections:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            while running.server_state.connections:
                await asyncio.sleep(0.01)
        writer.close()
        running.handle_exit(signal.SIGTERM, None)
        await task

    for path in (b"/endless", b"/last"):
        asyncio.run(ask(path))


# ---------------------------------------------------------------- the end


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
