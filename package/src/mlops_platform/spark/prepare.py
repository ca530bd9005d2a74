"""The step `prepare` on Spark.

Workers type the rows, and keep them on their disks; what decides a row's part comes here, 10 bytes
a row; and the workers hand over the rows of each part, which become one file: training reads it on
one machine.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from pyspark import Broadcast
from pyspark.sql import SparkSession

from mlops_platform.core.files import atomic_file
from mlops_platform.data import typed_rows
from mlops_platform.data.contract import Contract
from mlops_platform.data.typed_rows import PARTS
from mlops_platform.spark import files, pieces
from mlops_platform.spark.pieces import Place, Result
from mlops_platform.spark.storage import Storage
from mlops_platform.steps import prepare


class Piece(NamedTuple):
    """What decides the part of each row of a piece, and the typed rows as Arrow writes them."""

    typed: prepare.Typed
    content: bytes


def run(session: SparkSession, conf: Path, raw: str, out: Path) -> None:
    """Write `out/{train,validation,test}.parquet` and `out/split.json`, as `steps.prepare` does.

    Raises:
        UsageError: files that cannot be read, or rows that cannot be split like this.
    """
    plan = prepare.read_plan(conf)
    storage = Storage(session)
    found = files.find(storage, raw, plan.contract, plan.code)
    results = pieces.run(session, found, plan.contract.source, partial(_collect, plan))
    typed = pieces.values(results, found, _typed)
    key = np.concatenate([each.key for _, each in typed])
    if plan.train.split.by == "random":
        key = np.arange(len(key))  # the position in all files
    target = np.concatenate([each.target for _, each in typed])
    parts = prepare.divide(prepare.Typed(key, target), plan)
    ends = np.cumsum([len(each.key) for _, each in typed])[:-1]
    own = dict(zip((place for place, _ in typed), np.split(parts.numbers, ends), strict=True))
    chosen = session.sparkContext.broadcast(own)
    with tempfile.TemporaryDirectory() as folder:
        for place, contents in results.map(
            partial(_select, plan.contract, chosen)
        ).toLocalIterator():
            for number, content in contents.items():
                _kept(Path(folder), place, number).write_bytes(content)
        _join(Path(folder), sorted(own), plan.contract, out)
    prepare.record(parts, files.content_hash(session, storage, found), plan, out)


def _collect(plan: prepare.Plan, path: Path) -> Piece:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.arrow"
        typed = prepare.collect(path, file, plan)
        return Piece(typed, file.read_bytes())


def _typed(piece: Piece) -> prepare.Typed:
    return piece.typed


def _select(
    contract: Contract, parts: Broadcast[dict[Place, np.ndarray]], each: tuple[Place, Result]
) -> tuple[Place, dict[int, bytes]]:
    """The rows of each part in a piece, as Arrow writes them, by the part's number."""
    place, result = each
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.arrow"
        path.write_bytes(result.value.content)
        files = {number: _kept(Path(folder), place, number) for number in range(len(PARTS))}
        with ExitStack() as stack:
            writers = [
                stack.enter_context(typed_rows.spool(file, contract)) for file in files.values()
            ]
            for number, table in prepare.select(path, parts.value[place]):
                writers[number].write_table(table)
        return place, {number: file.read_bytes() for number, file in files.items()}


def _kept(folder: Path, place: Place, number: int) -> Path:
    return folder / f"{place.file}-{place.start}-{number}.arrow"


def _join(folder: Path, places: list[Place], contract: Contract, out: Path) -> None:
    """Write the rows of all pieces, in order, into one file for each part."""
    for number, part in enumerate(PARTS):
        with (
            atomic_file(out / f"{part}.parquet") as scratch,
            pq.ParquetWriter(scratch, typed_rows.schema(contract)) as writer,
        ):
            for place in places:
                for table in typed_rows.spooled(_kept(folder, place, number)):
                    writer.write_table(table)
