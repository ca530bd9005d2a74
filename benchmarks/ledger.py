"""A ledger of many predictions: time and memory to append them, and to judge them.

Each prediction has an id of 16 letters and two probabilities; they lie in 24 months and three
versions, and all but a tenth have an outcome. `uv run python benchmarks/ledger.py [ROWS ...]`
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measuring import write

from package.tests import samples  # noqa: F401  first: it makes the samples importable

from package.tests import outcomes  # isort: skip
from mlops_platform.data.source import Source  # isort: skip
from mlops_platform.models.team import Team  # isort: skip
from mlops_platform.tracking.promised import Figure  # isort: skip
from mlops_platform.truth import ledger  # isort: skip
from mlops_platform.truth.join import Known, join  # isort: skip
from mlops_platform.truth.judge import Promise, judge  # isort: skip
from mlops_platform.truth.labels import Labels  # isort: skip
from mlops_platform.truth.ledger import Ledger  # isort: skip

SIZES = (1_000_000, 10_000_000)
BLOCK = 100_000
PLACE = Path(__file__).parent  # on a disk: in memory, files would count as memory
MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]
SETTING = outcomes.Setting("credit_risk")


def blocks(rows: int) -> Any:
    """Ids, probabilities of default, and outcomes, some at a time."""
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        rng = np.random.default_rng(start)
        names = np.array([f"R{number:015d}" for number in range(start, start + count)], object)
        risk = rng.beta(2, 5, count)
        yield names, risk, rng.random(count) < risk


def make_labels(rows: int, path: Path) -> None:
    """Nine tenths of the outcomes, as one Parquet file."""
    schema = pa.schema([("loan_id", pa.string()), ("outcome", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for names, _, bad in blocks(rows):
            known = len(names) * 9 // 10
            words = np.where(bad, "defaulted", "repaid").astype(object)
            columns = [pa.array(names[:known], pa.string()), pa.array(words[:known], pa.string())]
            writer.write_table(pa.table(columns, schema=schema))


def append(rows: int, folder: Path) -> None:
    """Append all predictions in batches of a million."""
    into, now = Ledger(folder / "ledger"), datetime(2026, 1, 1, tzinfo=UTC)

    def tables() -> Any:
        for number, (names, risk, _) in enumerate(blocks(rows)):
            share = number * BLOCK / rows
            yield ledger.table(
                names,
                np.column_stack([1 - risk, risk]),
                version=str(1 + int(3 * share)),
                period=[MONTHS[int(24 * share)]] * len(names),
                time=now,
            )

    waiting: list[pa.Table] = []
    for table in tables():
        waiting.append(table)
        if len(waiting) == 10:
            into.append(waiting)
            waiting = []
    if waiting:
        into.append(waiting)


def judge_all(rows: int, folder: Path) -> None:
    """Join and judge all versions."""
    rules = SETTING.rules(source=Source(format="parquet"))
    into = Ledger(folder / "ledger")
    found = Labels(folder / "labels.parquet", rules.contract, Team("credit_risk"), rules.truth)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        joined = join(
            into.batches(["id", "version", "period", "time", "scores"]),
            found.chunks(),
            rows=into.rows(),
            columns=found.columns,
            known={number: Known(np.empty(0, np.uint64)) for number in "123"},
            learned=None,
            scratch=Path(scratch),
        )
        figure = Figure(0.7, 0.68, 0.72)
        labels = rules.contract.labels
        verdicts = [
            judge(Promise(number, "champion", labels, None, figure), joined, rules, found.lacking)
            for number in "123"
        ]
    assert joined.predictions == rows
    assert joined.counts["labelled"].sum() == sum(
        min(BLOCK, rows - start) * 9 // 10 for start in range(0, rows, BLOCK)
    )
    assert all(each.verdict != "not yet" for each in verdicts), verdicts


def measured(part: str, rows: int, folder: Path) -> dict[str, float]:
    """Seconds and peak memory of a part, in a process of its own."""
    began = time.perf_counter()
    command = [sys.executable, __file__, "--part", part, str(rows), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mb": float(done.stdout.split()[-1]),
    }


def main(sizes: list[int]) -> None:
    """Measure each size."""
    cells = []
    for rows in sizes:
        folder = Path(tempfile.mkdtemp(dir=PLACE))
        try:
            make_labels(rows, folder / "labels.parquet")
            cell: dict[str, Any] = {"rows": rows, "append": measured("append", rows, folder)}
            files = [file.stat().st_size for file in (folder / "ledger").rglob("*.parquet")]
            cell |= {"files": len(files), "ledger_mb": round(sum(files) / 1e6)}
            cell["judge"] = measured("judge", rows, folder)
        finally:
            shutil.rmtree(folder)
        print(cell, file=sys.stderr, flush=True)
        cells.append(cell)
    write("ledger", {"block": BLOCK, "cells": cells})


if __name__ == "__main__":
    if "--part" in sys.argv:
        part, rows, folder = sys.argv[2:5]
        (append if part == "append" else judge_all)(int(rows), Path(folder))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
