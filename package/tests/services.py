"""Stand-ins for GitHub and Azure Repos, as a job of theirs sees them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

PULLS = "/repos/contoso/credit/pulls"
COMMENTS = "/repos/contoso/credit/issues/7/comments"
REQUESTS = "/contoso/Our%20Team/_apis/git/repositories/42/pullRequests"
THREADS = f"{REQUESTS}/7/threads"
VARIABLES = (
    "BUILD_SOURCEBRANCH",
    "GITHUB_API_URL",
    "GITHUB_EVENT_PATH",
    "GITHUB_OUTPUT",
    "GITHUB_REF_NAME",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_TOKEN",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_COLLECTIONURI",
    "SYSTEM_PULLREQUEST_PULLREQUESTID",
    "TF_BUILD",
)


class Service(ThreadingHTTPServer):
    """Keeps comments as GitHub does, and threads as Azure does; knows one token."""

    comments: list[dict[str, Any]]
    threads: list[dict[str, Any]]
    pulls: list[dict[str, Any]]


class Handler(BaseHTTPRequestHandler):
    """The few calls that are made."""

    server: Service

    def do_GET(self) -> None:
        """The library's name for GET."""
        path, _, query = self.path.partition("?")
        if path == THREADS:
            self.answer({"value": self.server.threads})
            return
        assert path == COMMENTS
        asked = parse_qs(query)
        size = min(int(asked.get("per_page", ["30"])[0]), 100)
        first = (int(asked.get("page", ["1"])[0]) - 1) * size
        self.answer(self.server.comments[first : first + size])

    def do_POST(self) -> None:
        """The library's name for POST."""
        body = self.body()
        if self.path in (PULLS, f"{REQUESTS}?api-version=7.1"):
            self.server.pulls.append(body)
        elif self.path == COMMENTS:
            self.server.comments.append({"id": 100 + len(self.server.comments), **body})
        else:
            assert self.path == f"{THREADS}?api-version=7.1"
            made = [{"id": 1, **each} for each in body["comments"]]
            self.server.threads.append({"id": 9, "comments": made})
        self.answer({})

    def do_PATCH(self) -> None:
        """The library's name for PATCH."""
        body = self.body()
        if "/issues/comments/" in self.path:
            number = int(self.path.rpartition("/")[2])
            next(each for each in self.server.comments if each["id"] == number).update(body)
        else:
            assert self.path == f"{THREADS}/9/comments/1?api-version=7.1"
            self.server.threads[-1]["comments"][0].update(body)
        self.answer({})

    def body(self) -> dict[str, Any]:
        """What was sent."""
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, content: object) -> None:
        """JSON for who knows the token."""
        known = self.headers["Authorization"] == "Bearer token"
        self.send_response(200 if known else 403)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a laptop, wherever the tests run."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@contextmanager
def serve() -> Iterator[Service]:
    """A service with comments of somebody else."""
    server = Service(("127.0.0.1", 0), Handler)
    server.comments = [{"id": 1, "body": "somebody's"}, {"id": 2, "body": None}]
    server.pulls = []
    server.threads = [{"id": 1, "comments": [{"id": 1, "content": "somebody's"}, {"id": 2}]}]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def as_github(service: Service, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Service:
    """A job for pull request 7 on GitHub."""
    event = folder / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{service.server_port}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "contoso/credit")
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    return service


def as_azure(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A job for pull request 7 in Azure Pipelines."""
    home = f"http://127.0.0.1:{service.server_port}/contoso/"
    monkeypatch.setenv("SYSTEM_COLLECTIONURI", home)
    monkeypatch.setenv("SYSTEM_TEAMPROJECT", "Our Team")
    monkeypatch.setenv("BUILD_REPOSITORY_ID", "42")
    monkeypatch.setenv("SYSTEM_PULLREQUEST_PULLREQUESTID", "7")
    monkeypatch.setenv("SYSTEM_ACCESSTOKEN", "token")
    return service
