"""Measures the footprint of a model: size, load time, memory and packages."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

from mlops_platform import evidence
from mlops_platform.models import artifact
from mlops_platform.models.team import Team


def measure(folder: Path, team: Team) -> evidence.Footprint:
    """Load a model and measure it. Compare results only from the same machine and time.

    Memory is the peak of what Python and numpy allocate during the load, in megabytes (10^6
    bytes).

    Raises:
        UsageError: the folder has no model that can be loaded.
    """
    start = time.perf_counter()
    artifact.load(folder, team)
    seconds = time.perf_counter() - start
    tracemalloc.start()
    try:
        artifact.load(folder, team)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return evidence.Footprint(
        size_mb=artifact.size_mb(folder),
        load_seconds=seconds,
        memory_mb=peak / 1e6,
        packages=artifact.load_card(folder).packages,
    )
