"""Commands go on in forks of a prepared process, and only where that changes nothing."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import prepared
from tests.conftest import Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux")
CREDIT = {"project_name": "Credit Risk"}
ANSWER = 7


@pytest.fixture
def project(kept_project: Callable[..., Project]) -> Project:
    project = kept_project(CREDIT)
    project.run("uv", "run", "true")  # the first command prepares the process
    return project


@pytest.fixture
def listener(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """A socket that commands ask, in place of the prepared process's."""
    address = str(tmp_path / "asked")
    monkeypatch.setenv(prepared.ADDRESS, address)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        yield listener


@pytest.fixture
def answers(listener: socket.socket) -> None:
    """Somebody answers each that asks with an exit code, and runs nothing."""

    def answer() -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:  # the test has ended
                return
            with link:
                length = int.from_bytes(link.recv(4), "big")
                while length > 0:
                    length -= len(link.recv(1 << 20))
                link.sendall(bytes([ANSWER]))

    listener.listen()
    threading.Thread(target=answer, daemon=True).start()


@pytest.mark.usefixtures("answers")
def test_a_command_asks(project: Project) -> None:
    project.run("uv", "run", "mlops", "settings", expect=ANSWER)
    project.poe("audit", expect=ANSWER)


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize("words", [["serve"], ["reproduce"]])
def test_a_command_that_must_be_its_own_process_asks_nobody(
    project: Project, words: list[str]
) -> None:
    project.run("uv", "run", "mlops", *words, "--help")


@pytest.mark.usefixtures("answers")
def test_a_command_under_other_conditions_asks_nobody(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.run("uv", "run", "python", "-m", "mlops_platform", "settings")
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    project.run("uv", "run", "mlops", "settings")
    monkeypatch.delenv("PYTHONHASHSEED")
    [listed] = Path(os.environ["UV_PROJECT_ENVIRONMENT"]).rglob("site-packages/_prepared.txt")
    before = listed.read_text()
    listed.write_text(f"{before}\npandas-0.1.dist-info")
    try:
        project.run("uv", "run", "mlops", "settings")
    finally:
        listed.write_text(before)


@pytest.mark.usefixtures("listener")
def test_a_command_that_nobody_answers_runs_by_itself(project: Project) -> None:
    project.run("uv", "run", "mlops", "settings")


def test_a_fork_is_the_command(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    while not Path(os.environ[prepared.ADDRESS]).exists():
        time.sleep(0.1)
    forked = project.run("uv", "run", "mlops", "settings", "--json")
    wrong = project.run("uv", "run", "mlops", "nonsense", expect=2)
    missing = project.run("uv", "run", "mlops", "promote", "7", expect=2)
    monkeypatch.setenv(prepared.ADDRESS, "")
    alone = project.run("uv", "run", "mlops", "settings", "--json")
    assert (forked.stdout, forked.stderr) == (alone.stdout, alone.stderr)
    for done, words in ((wrong, ("nonsense",)), (missing, ("promote", "7"))):
        same = project.run("uv", "run", "mlops", *words, expect=2)
        assert (done.stdout, done.stderr) == (same.stdout, same.stderr)
