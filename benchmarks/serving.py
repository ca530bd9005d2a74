"""How fast a project serves and scores, beside bare calls in the same run.

Renders the sample project and trains it, or takes one that has a champion.
`uv run python benchmarks/serving.py [--project PATH]`
"""

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import timed, write

from tests.rendering import commit_all, render

ROUNDS = 5
REQUESTS = 200
ROWS = 300_000
IMPORTS = "import fastapi, mlflow, skops.io"
TARGETS = {
    "ready_seconds_at_most": 3,
    "request_by_bare_call_at_most": 1.5,
    "batch_rows_per_minute_at_least": 200_000,
    "peak_mb_at_most": 500,
}

# In the project: a model folder, and a CSV file or nothing -> seconds of the model's own call on
# the whole file in memory, or the median of calls on one row; and a row to send.
BARE = """
import json, statistics, sys, time
from pathlib import Path
import pandas as pd
from mlops_platform.models import artifact, team
from mlops_platform.serving.scorer import Scorer

folder, files, code = Path(sys.argv[1]), sys.argv[2:], team.load_team(Path("conf"))
scorer, model = Scorer(folder, "benchmark", "0", code), artifact.load(folder, code)
row = scorer.requests.example()
raw = pd.read_csv(files[0], dtype=str) if files else pd.DataFrame([row])
rows, _ = scorer.read(raw)
predict = model.predict_proba if scorer.labels else model.predict
times = []
for _ in range(1 if files else {requests}):
    began = time.perf_counter()
    predict(rows)
    times.append(time.perf_counter() - began)
print(json.dumps([statistics.median(times), row]))
"""

SAMPLE = """
import importlib, sys
from pathlib import Path
from mlops_platform.models import team
make = importlib.import_module(team.load_team(Path("conf")).package + ".sample").make
make({rows}, seed=1).to_csv(sys.argv[1], index=False)
"""


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, help="A project with a champion.")
    given = parser.parse_args().project
    for name in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        project = given.resolve() if given else make_project(Path(folder) / "project")
        serving = measure_serving(project)
        batch = measure_batch(project, Path(folder))
    measured = {
        "ready_seconds": serving["ready_seconds"],
        "request_by_bare_call": serving["request_by_bare_call"],
        "batch_rows_per_minute": batch["rows_per_minute"],
        "peak_mb": max(serving["peak_mb"], batch["peak_mb"]),
    }
    write(
        "serving",
        {"targets": TARGETS, "measured_medians": measured, "serve": serving, "batch": batch},
    )


def make_project(folder: Path) -> Path:
    """Render the sample, train it, make the model champion."""
    render({"project_name": "Credit Risk"}, folder)
    commit_all(folder, "Start")
    for command in (["sync"], ["run", "poe", "pipeline"], ["run", "poe", "promote"]):
        timed(["uv", *command], folder)
    return folder


def measure_serving(project: Path) -> dict[str, float]:
    """Medians of rounds; in each, the references and the server take turns."""
    bare = BARE.format(requests=REQUESTS)
    python = project / ".venv" / "bin" / "python"
    serve(project, None)  # brings the model, compiles the modules
    model = next((project / ".mlops" / "models").glob("*/model"))
    rounds = []
    for _ in range(ROUNDS):
        imports = timed([str(python), "-c", IMPORTS], project).seconds
        call, row = output(python, project, bare, model)
        ready, request, peak = serve(project, row)
        rounds.append((ready, imports, request * 1e3, call * 1e3, request / call, peak))
    names = ("ready_seconds", f"reference: seconds of `{IMPORTS}`", "request_ms")
    names += ("reference: bare_call_ms", "request_by_bare_call", "peak_mb")
    medians = (statistics.median(values) for values in zip(*rounds, strict=True))
    return {name: round(value, 2) for name, value in zip(names, medians, strict=True)}


def measure_batch(project: Path, scratch: Path) -> dict[str, float]:
    """One large file, the start of the command included."""
    python = project / ".venv" / "bin" / "python"
    data = scratch / "new.csv"
    sample = SAMPLE.format(rows=ROWS)
    timed([str(python), "-c", sample, str(data)], project)
    model = next((project / ".mlops" / "models").glob("*/model"))
    call, _ = output(python, project, BARE.format(requests=1), model, data)
    to = ["--scores", str(scratch), "--out", str(scratch)]
    run = timed([str(python.with_name("mlops")), "score", "--data", str(data), *to], project)
    scored = json.loads((scratch / "batch.json").read_text(encoding="utf-8"))["scored"]
    assert scored == ROWS
    return {
        "rows": ROWS,
        "file_mb": round(data.stat().st_size / 1e6, 1),
        "rows_per_minute": round(ROWS / run.seconds * 60),
        "reference: bare call, all rows in memory": round(ROWS / call * 60),
        "peak_mb": round(run.peak_mb),
    }


def serve(project: Path, row: dict | None) -> tuple[float, float, float]:
    """Start, ask, stop: seconds until ready, median seconds of a request, peak memory in MB."""
    command = [str(project / ".venv" / "bin" / "mlops"), "serve", "--port", "0"]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = process.stderr.readline()
    if "serves on" not in line:
        raise RuntimeError(f"`{' '.join(command)}` failed in {project}:\n{line}")
    port = int(line.rsplit(":", 1)[1])
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            ask(connection, "GET", "/health", "")
            break
        except ConnectionRefusedError:
            time.sleep(0.005)
    ready = time.perf_counter() - began
    times = []
    body = json.dumps({"rows": [row]})
    for _ in range(REQUESTS if row else 0):
        asked = time.perf_counter()
        ask(connection, "POST", "/score", body)
        times.append(time.perf_counter() - asked)
    process.send_signal(signal.SIGTERM)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    kilobytes = usage.ru_maxrss if sys.platform == "linux" else usage.ru_maxrss / 1024
    return ready, statistics.median(times or [0]), kilobytes * 1024 / 1e6


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: str) -> None:
    """One request on an open connection; the answer must be 200."""
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content


def output(python: Path, project: Path, code: str, *arguments: Path) -> tuple[float, dict]:
    """What the code prints as JSON."""
    command = [python, "-c", code, *arguments]
    done = subprocess.run(command, cwd=project, check=True, stdout=subprocess.PIPE)
    return tuple(json.loads(done.stdout))


if __name__ == "__main__":
    main()
