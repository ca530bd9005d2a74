"""How many requests a second the endpoint answers, beside what a team would take instead.

The same model behind FastAPI alone (`serving_peer.py`), and in MLflow's own server, which gives
labels and no probabilities. A project of release 1.0.0, which predicted each request by itself,
shows what one caller waits for. All in turn; servers on one core, callers on another.
`uv run python benchmarks/serving.py [--rounds 3] [--seconds 3]`; Linux, two cores.
"""

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import copier
from measuring import timed, write

from hooks.release.history import tagged_clone
from tests.rendering import commit_all, render

BEFORE = "v1.0.0"  # the last release that predicted each request by itself
LOADS = [(callers, rows) for rows in (1, 100) for callers in (1, 8, 64)]
OURS, PINNED = "mlops serve", "mlops serve --version 1"
FASTAPI, MLFLOW, OLD = "FastAPI alone", "MLflow's server", f"mlops serve, {BEFORE}"
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
TARGETS = {
    "64 callers, 1 row: times the better peer, at least": 3,
    "100 rows: times MLflow's server, at least": 1,
    "/live while 64 callers wait: milliseconds at most": 50,
    "processor time until ready: times FastAPI alone, at most": 1.2,
    f"1 caller, 1 row: times {BEFORE}, at least": 1,
}
ROW = {
    "income": 2000.0,
    "debt_ratio": 0.3,
    "years_employed": None,
    "late_payments": 1,
    "housing": "rent",
    "purpose": "car",
}


@dataclass(frozen=True)
class Server:
    """How one is started and asked."""

    folder: Path
    command: list[str]  # PORT stands for the port
    loads: list[tuple[int, int]]
    live: str = "/live"
    score: str = "/score"
    body: Callable[[list[dict]], object] = lambda rows: {"rows": rows}
    environment: Mapping[str, str] | None = None


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="Of each load.")
    given = parser.parse_args()
    for name in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        servers = all_servers(make_project(scratch / "project"), make_old(scratch))
        rounds = [
            {name: measure(server, scratch, given.seconds) for name, server in servers.items()}
            for _ in range(given.rounds)
        ]
    median = {
        name: {
            what: round(statistics.median(each[name][what] for each in rounds), 2)
            for what in rounds[0][name]
        }
        for name in servers
    }
    write("serving", {"targets": TARGETS, "measured": ratios(rounds), "medians": median})
    print(table(median))


def make_project(folder: Path) -> Path:
    """Render the sample, train it, make the model champion."""
    render({"project_name": "Credit Risk"}, folder)
    return train(folder)


def make_old(scratch: Path) -> Path:
    """The same of the earlier release."""
    tagged_clone(scratch / "clone")
    answers = {"project_name": "Credit Risk"}
    to = scratch / "old"
    copier.run_copy(
        str(scratch / "clone"), to, answers, vcs_ref=BEFORE, defaults=True, quiet=True, unsafe=True
    )
    return train(to)


def train(folder: Path) -> Path:
    """A project with a champion, which has been served once: that compiles the modules."""
    commit_all(folder, "Start")
    for command in (["sync"], ["run", "poe", "pipeline"], ["run", "poe", "promote"]):
        timed(["uv", *command], folder)
    with running(Server(folder, serve(folder), [], "/health")):
        return folder


def serve(project: Path, *options: str) -> list[str]:
    """Our command."""
    return [str(project / ".venv" / "bin" / "mlops"), "serve", "--port", "PORT", *options]


def all_servers(project: Path, old: Path) -> dict[str, Server]:
    """Ours and the peers."""
    python = str(project / ".venv" / "bin" / "python")
    model = next((project / ".mlops" / "models").glob("*/model"))
    peer = str(Path(__file__).with_name("serving_peer.py"))
    one = [(1, 1)]
    return {
        OURS: Server(project, serve(project), LOADS),
        FASTAPI: Server(project, [python, peer, str(model), "PORT"], LOADS),
        MLFLOW: Server(
            project,
            [python, "-m", "uvicorn", "mlflow.pyfunc.scoring_server.app:app", "--port", "PORT"],
            LOADS,
            "/ping",
            "/invocations",
            lambda rows: {
                "dataframe_records": [
                    {name: row[name] for name in row if name != "loan_id"} for row in rows
                ]
            },
            {"__pyfunc_model_path__": str(model)},  # as `mlflow models serve` starts it
        ),
        OLD: Server(old, serve(old), one, "/health"),
        PINNED: Server(project, serve(project, "--version", "1"), one),  # MLflow is asked for it
    }


def measure(server: Server, scratch: Path, seconds: float) -> dict[str, float]:
    """One start of one server, and all its loads."""
    with running(server) as (process, port, ready):
        found = {"ready_seconds": ready, "ready_cpu_seconds": cpu_of(process)}
        for callers, rows in server.loads:
            request = scratch / "request"
            request.write_bytes(request_of(server, rows))
            with live_probes(server, port) as slowest:
                found[f"{callers} callers, {rows} rows"] = load(port, callers, seconds, request)
            found[f"{callers} callers, {rows} rows: live_ms"] = max(slowest) * 1000
    return found


@contextmanager
def running(server: Server) -> Iterator[tuple[subprocess.Popen, int, float]]:
    """A server on the first core: its process, port, and seconds until it answered."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | dict(server.environment or {})
    first, *others = sorted(os.sched_getaffinity(0))
    began = time.perf_counter()
    os.sched_setaffinity(0, {first})
    try:
        process = subprocess.Popen(
            [word.replace("PORT", str(port)) for word in server.command],
            cwd=server.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    finally:
        os.sched_setaffinity(0, set(others) or {first})
    try:
        while not answers(port, server.live):
            if process.poll() is not None or time.perf_counter() > began + 120:
                raise RuntimeError(f"`{' '.join(process.args)}` does not serve")
            time.sleep(0.02)
        yield process, port, time.perf_counter() - began
    finally:
        os.sched_setaffinity(0, {first, *others})
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def answers(port: int, path: str) -> bool:
    """Whether a server answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def cpu_of(process: subprocess.Popen) -> float:
    """Seconds of processor time of a process and its children that have ended."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def request_of(server: Server, rows: int) -> bytes:
    """A request of so many rows."""
    content = [
        {"loan_id": f"L{number}", **ROW, "income": 1500.0 + number} for number in range(rows)
    ]
    body = json.dumps(server.body(content)).encode()
    head = f"POST {server.score} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def load(port: int, callers: int, seconds: float, request: Path) -> float:
    """Answers a second; callers run on the other core, as this process does."""
    program = [sys.executable, str(Path(__file__).with_name("callers.py"))]
    arguments = [str(port), str(callers), str(seconds), str(request)]
    done = subprocess.run([*program, *arguments], check=True, stdout=subprocess.PIPE)
    return float(done.stdout)


@contextmanager
def live_probes(server: Server, port: int) -> Iterator[list[float]]:
    """Seconds of answers to the route of life during the block, ten a second."""
    seconds: list[float] = []
    done = threading.Event()

    def probe() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while not done.wait(0.1):
            began = time.perf_counter()
            connection.request("GET", server.live)
            connection.getresponse().read()
            seconds.append(time.perf_counter() - began)
        connection.close()

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield seconds
    finally:
        done.set()
        thread.join()


def ratios(rounds: list[dict[str, dict[str, float]]]) -> dict[str, float]:
    """What the targets are about: medians of the rounds' own ratios."""

    def median(of: Callable[[dict[str, dict[str, float]]], float]) -> float:
        return round(statistics.median(map(of, rounds)), 2)

    def beside(what: str, *peers: str) -> float:
        return median(lambda one: one[OURS][what] / max(one[peer][what] for peer in peers))

    hundred = [f"{callers} callers, 100 rows" for callers in (1, 8, 64)]
    values = [
        beside("64 callers, 1 rows", FASTAPI, MLFLOW),
        min(beside(what, MLFLOW) for what in hundred),
        median(lambda one: one[OURS]["64 callers, 1 rows: live_ms"]),
        beside("ready_cpu_seconds", FASTAPI),
        beside("1 callers, 1 rows", OLD),
    ]
    return dict(zip(TARGETS, values, strict=True))


def table(medians: dict[str, dict[str, float]]) -> str:
    """The table of the README: answers a second, and the slowest answer of /live beside them."""
    sides = (OURS, FASTAPI, MLFLOW)
    lines = ["| answers a second (slowest `/live` in ms) | " + " | ".join(sides) + " |"]
    lines.append("|---" * (1 + len(sides)) + "|")
    for what in (f"{callers} callers, {rows} rows" for callers, rows in LOADS):
        cells = [f"{medians[s][what]:.0f} ({medians[s][what + ': live_ms']:.0f})" for s in sides]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    cells = [f"{medians[side]['ready_cpu_seconds']:.1f}" for side in sides]
    return "\n".join([*lines, "| processor seconds until ready | " + " | ".join(cells) + " |"])


if __name__ == "__main__":
    main()
