"""Whether restarts under load lose or falsify an answer: 64 callers for a minute, on loopback.

Each caller asks on one open connection, as fast as it is answered, and tries again only where a
connection is refused. Every few seconds the endpoint gets SIGTERM and is started again on the same
port. Each answer is compared with what the model predicts in this process.
`uv run python benchmarks/load.py [--project PATH] [--callers 64] [--seconds 60]`
"""

import argparse
import http.client
import itertools
import json
import os
import random
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BETWEEN_RESTARTS = 4.0  # seconds of service
REFUSED_WAIT = 0.25  # a shorter one keeps the endpoint from starting
Start = Callable[[int], subprocess.Popen]  # port, 0 for a free one -> process with stderr as text


@dataclass
class Load:
    """What callers saw."""

    answers: int = 0
    refused: int = 0  # connections, tried again
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # of each answer
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)


def run(
    start: Start, expected: list[tuple[str, object]], callers: int, seconds: float, seed: int = 0
) -> Load:
    """Start the endpoint, call it and restart it.

    Args:
        start: starts `mlops serve` on a port.
        expected: bodies of requests, and the predictions that each must get.
        callers: how many ask at the same time.
        seconds: how long.
        seed: of the order of requests.
    """
    load = Load()
    process, port = listening(start, 0)
    threads = [
        threading.Thread(target=call, args=(port, random.Random(seed + n), expected, load))
        for n in range(callers)
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while True:
        time.sleep(max(0.0, min(BETWEEN_RESTARTS, end - time.monotonic())))
        if last := time.monotonic() >= end:
            load.done.set()
            for thread in threads:
                thread.join()
        process.send_signal(signal.SIGTERM)
        load.exits.append(process.wait(timeout=30))
        if last:
            return load
        process, _ = listening(start, port)


def listening(start: Start, port: int) -> tuple[subprocess.Popen, int]:
    """A process that listens, and its port."""
    process = start(port)
    line = process.stderr.readline()
    found = re.search(r":(\d+)$", line.strip())
    assert found, line + process.stderr.read()
    return process, int(found[1])


def call(port: int, order: random.Random, expected: list[tuple[str, object]], load: Load) -> None:
    """Ask until it is done; only a refused connection is tried again."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not load.done.is_set():
        body, right = order.choice(expected)
        began = time.perf_counter()
        try:
            connection.request("POST", "/score", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except ConnectionRefusedError:
            connection.close()
            with load.lock:
                load.refused += 1
            time.sleep(REFUSED_WAIT)
            continue
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            with load.lock:
                load.lost.append(repr(error))
            continue
        took = time.perf_counter() - began
        with load.lock:
            load.answers += 1
            load.seconds.append(took)
            if answer.status != 200 or json.loads(content)["predictions"] != right:
                load.wrong.append(f"{answer.status}: {content[:300]!r}")
    connection.close()


EXPECTED = """
import json
from pathlib import Path
from mlops_platform.models import team
from mlops_platform.serving import store
from mlops_platform.serving.scorer import Scorer
import importlib
import pandas as pd

scorer = Scorer(*store.fetch(Path("conf"), "champion"))
package = team.load_team(Path("conf")).package
raw = importlib.import_module(package + ".sample").make(200, seed=3)
names = [*scorer.contract.named("id"), *scorer.contract.features]
rows = [
    {name: None if pd.isna(value) else value for name, value in row.items()}
    for row in raw[names].astype(object).to_dict("records")
]
groups = [rows[first : first + first % 4 + 1] for first in range(0, 200, 4)]
print(json.dumps([(json.dumps({"rows": group}), scorer.rows(group)) for group in groups]))
"""


def main() -> None:
    """Measure and write the results."""
    from measuring import write  # noqa: PLC0415  a test imports this module for `run` alone
    from serving import make_project  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, help="A project with a champion.")
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    for name in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        project = given.project.resolve() if given.project else make_project(Path(folder) / "p")
        python = str(project / ".venv" / "bin" / "python")
        printed = subprocess.run(
            [python, "-c", EXPECTED], cwd=project, check=True, stdout=subprocess.PIPE
        )

        def start(port: int) -> subprocess.Popen:
            command = [python, "-m", "mlops_platform", "serve", "--port", str(port)]
            return subprocess.Popen(
                command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )

        load = run(start, json.loads(printed.stdout), given.callers, given.seconds)
    slowest = sorted(load.seconds)
    write(
        "load",
        {
            "callers": given.callers,
            "seconds": given.seconds,
            "stops": len(load.exits),
            "exit_codes": Counter(map(str, load.exits)),
            "answers": load.answers,
            "refused_and_tried_again": load.refused,
            "wrong": len(load.wrong),
            "lost": len(load.lost),
            "median_ms": round(slowest[len(slowest) // 2] * 1000, 1),
            "slowest_ms": round(slowest[-1] * 1000, 1),
        },
    )
    for line in itertools.islice(load.wrong + load.lost, 10):
        print(line)
    assert not load.wrong and not load.lost and set(load.exits) == {0}


if __name__ == "__main__":
    main()
