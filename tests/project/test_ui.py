"""`poe ui` opens MLflow's own page over this project's runs."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Project

PATIENCE = 300  # seconds: the first start brings the whole of MLflow


@pytest.fixture
def page(trained_project: Callable[..., Project]) -> Iterator[str]:
    project = trained_project({"project_name": "Credit Risk"})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["uv", "run", "poe", "ui", "--port", str(port)]
    log = (project.path / "ui.log").open("w")
    server = subprocess.Popen(
        command, cwd=project.path, stdout=log, stderr=log, start_new_session=True
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)
        log.close()


def get(address: str) -> bytes:
    """What the address answers, once it does."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return urllib.request.urlopen(address, timeout=10).read()  # noqa: S310  ours
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def test_the_page_shows_the_projects_runs(page: str) -> None:
    assert b"<html" in get(page)
    found = json.loads(get(f"{page}/api/2.0/mlflow/experiments/search?max_results=10"))
    assert "credit-risk" in [each["name"] for each in found["experiments"]]
