"""What the benchmarks share: a timed command, and a results file that says where it was made."""

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
sys.path.insert(0, str(ROOT))

import dev  # noqa: E402

dev.in_memory()  # a benchmark measures what it names, and not the mood of a disk


@dataclass(frozen=True)
class Run:
    """One run of a command."""

    seconds: float
    peak_mb: float  # of the largest single process, 10^6 bytes; never below that of this process
    cpu: float  # seconds of processor time, of the command and of all that it started


def timed(command: Sequence[str], folder: Path) -> Run:
    """Run a command in silence; raises RuntimeError with its output where it fails."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}
    }
    log = folder / ".benchmark.log"
    started = time.perf_counter()
    with log.open("wb") as output:
        actions = [(os.POSIX_SPAWN_DUP2, output.fileno(), stream) for stream in (1, 2)]
        here = Path.cwd()
        os.chdir(folder)
        try:
            child = os.posix_spawnp(command[0], list(command), environment, file_actions=actions)
        finally:
            os.chdir(here)
        _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    text = log.read_text(encoding="utf-8", errors="replace")
    log.unlink()
    if status:
        raise RuntimeError(f"`{' '.join(command)}` failed in {folder}:\n{text[-2000:]}")
    kilobytes = usage.ru_maxrss if sys.platform == "linux" else usage.ru_maxrss / 1024
    return Run(seconds, kilobytes * 1024 / 1e6, usage.ru_utime + usage.ru_stime)


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """Median, and every single time in seconds."""
    return {
        "median_seconds": round(statistics.median(run.seconds for run in runs), 3),
        "seconds": [round(run.seconds, 3) for run in runs],
    }


def write(name: str, content: Mapping[str, Any]) -> None:
    """Write benchmarks/results/NAME.json, and show it."""
    machine = {
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "scratch": tempfile.gettempdir(),
        "system": platform.system(),
    }
    made = {"measured": datetime.now(UTC).date().isoformat(), "on": machine, **content}
    text = json.dumps(made, indent=2) + "\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
    print(text)
