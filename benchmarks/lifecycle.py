"""Time and memory of a project's first minutes: a fresh environment, the pipeline, its tests.

The package cache is warm: one round before the first that counts fills it. The commands are those
that are shown after a copy: the sync compiles the packages on all cores, which the first commands
would else do on one. Memory is that of the largest single process.
`uv run python benchmarks/lifecycle.py [RUNS]`
"""

import shutil
import sys
import tempfile
from pathlib import Path

from measuring import Run, summary, timed, write

from tests.rendering import commit_all, render

PHASES = {
    "sync": ["uv", "sync", "--quiet", "--compile-bytecode"],
    "pipeline": ["uv", "run", "poe", "--quiet", "pipeline"],
    "tests": ["uv", "run", "poe", "--quiet", "test"],
}
TARGETS = {
    "total_seconds": 60,
    "pipeline_seconds": 10,
    "tests_seconds": 25,
    "peak_mb": 500,
}


def main(runs: int) -> None:
    """Measure whole rounds, each in a project of its own."""
    found: dict[str, list[Run]] = {phase: [] for phase in PHASES}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(-1, runs):
            project = render({"project_name": "Credit Risk"}, Path(folder) / f"project{number}")
            commit_all(project, "Start")
            for phase, command in PHASES.items():
                for made in (".mlops", "outputs"):
                    shutil.rmtree(project / made, ignore_errors=True)
                run = timed(command, project)
                if number >= 0:
                    found[phase].append(run)
            shutil.rmtree(project)
    phases = {
        phase: {**summary(runs_of), "peak_mb": round(max(run.peak_mb for run in runs_of))}
        for phase, runs_of in found.items()
    }
    medians = {phase: value["median_seconds"] for phase, value in phases.items()}
    measured = {
        "total_seconds": round(sum(medians.values()), 1),
        "pipeline_seconds": medians["pipeline"],
        "tests_seconds": medians["tests"],
        "peak_mb": max(value["peak_mb"] for value in phases.values()),
    }
    write("lifecycle", {"at_most": TARGETS, "measured_medians": measured, **phases})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
