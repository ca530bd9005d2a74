"""Runs the platform's code on each file, or each piece of one, in Spark's workers.

A piece of a CSV file has whole lines. Where a value may go on in the next line, the file is read
again, by one worker, from the first to the last line.
"""

from __future__ import annotations

import sys
import tempfile
import zipimport
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark import RDD, StorageLevel
from pyspark.serializers import CPickleSerializer
from pyspark.sql import SparkSession

from mlops_platform.core.errors import CodeError, UsageError
from mlops_platform.data import csv_blocks, reader
from mlops_platform.data.source import Source
from mlops_platform.spark import files
from mlops_platform.spark.files import Files

Work = Callable[
    [Path], Any
]  # gets a file, or a folder with one; its result goes to another process
SCHEMA = "start long, result binary"
SERIALIZER: Any = CPickleSerializer()  # that of all results in Spark


class Place(NamedTuple):
    """Where a piece is: the file's number, and its first byte."""

    file: int
    start: int


@dataclass
class Result:
    """What became of a piece: the names of its columns, and a value or an error.

    `closed`: each of its rows ends in it.
    """

    names: list[str]
    value: Any = None
    error: UsageError | None = None
    closed: bool = True


class Task(NamedTuple):
    """What a worker does with a file; `shown` is its path in messages."""

    name: str
    shown: str
    source: Source
    work: Work

    def run(self, folder: Path) -> Result:
        """Work on the file `name` in a folder."""
        path = folder / self.name
        names: list[str] = []
        try:
            (file,) = reader.files(folder if "/" in self.name else path, self.source)
            names = reader.columns(file, self.source)
            return Result(names, self.work(folder if "/" in self.name else path))
        except UsageError as error:
            text = str(error).replace(str(path), self.shown).replace(str(folder), self.shown)
            if isinstance(error, CodeError):
                return Result(names, error=CodeError(text, error.details))
            return Result(names, error=UsageError(text))


def run(session: SparkSession, found: Files, source: Source, work: Work) -> RDD[tuple[Place, Any]]:
    """The results of `work` on all pieces, kept on disk by the workers; read with `values`."""
    tasks = [
        Task(stored.name, found.shown(number), source, work)
        for number, stored in enumerate(found.read)
    ]
    whole = {
        stored.address: (number, tasks[number])
        for number, stored in enumerate(found.read)
        if found.whole[number]
    }
    parts = []
    if whole:
        patterns = ",".join(files.pattern(address) for address in whole)
        contents = session.sparkContext.binaryFiles(patterns)
        parts.append(_kept(contents.mapPartitions(partial(_on_files, whole))))
    for number, stored in enumerate(found.read):
        if not found.whole[number]:
            parts.append(_lines(session, stored.address, number, tasks[number]))
    return session.sparkContext.union(parts)


def values(
    results: RDD[tuple[Place, Result]], found: Files, part: Callable[[Any], Any] | None = None
) -> list[tuple[Place, Any]]:
    """The values of all pieces, or a part of each, in order.

    Raises:
        UsageError: of the first piece that could not be read, or has other columns.
    """
    names: list[str] | None = None
    ordered = []
    if part is not None:
        results = results.mapValues(partial(_part, part))
    for place, result in sorted(results.collect(), key=lambda each: each[0]):
        if result.names:
            names = names or result.names
            reader.require_same(found.shown(place.file), result.names, names)
        if result.error is not None:
            raise result.error
        ordered.append((place, result.value))
    return ordered


def _kept(results: RDD[tuple[Place, Result]]) -> RDD[tuple[Place, Result]]:
    return results.persist(StorageLevel.DISK_ONLY)


def _part(part: Callable[[Any], Any], result: Result) -> Result:
    if result.error is None:
        result.value = part(result.value)
    return result


def _on_files(
    tasks: dict[str, tuple[int, Task]], contents: Iterable[tuple[str, bytes]]
) -> Iterator[tuple[Place, Result]]:
    for address, content in contents:
        if address in tasks:  # a pattern may name others
            number, task = tasks[address]
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / task.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                yield Place(number, 0), task.run(Path(folder))
    _forget_archives()


def _lines(
    session: SparkSession, address: str, number: int, task: Task
) -> RDD[tuple[Place, Result]]:
    """The results of the pieces of one CSV file."""
    session.conf.set("spark.sql.files.maxPartitionBytes", files.PIECE)
    session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 50_000)
    escaped = "".join(f"\\{letter}" if letter in "*?[]{}\\" else letter for letter in address)
    lines = (
        session.read.option("lineSep", "\n")
        .text(escaped)
        .selectExpr("cast(value as binary) as line", "_metadata.file_block_start as start")
    )
    header = bytes(lines.take(1)[0].line)
    results = _read(lines, number, partial(_on_lines, header, task))
    if b'"' in header or not results.map(_is_sure).reduce(bool.__and__):
        results.unpersist()
        results = _read(lines.coalesce(1), number, partial(_on_lines, None, task))
    return results


def _read(lines: Any, number: int, work: Callable[..., Any]) -> RDD[tuple[Place, Result]]:
    return _kept(lines.mapInArrow(work, SCHEMA).rdd.map(partial(_unpacked, number)))


def _unpacked(number: int, row: Any) -> tuple[Place, Result]:
    return Place(number, row.start), SERIALIZER.loads(bytes(row.result))


def _is_sure(each: tuple[Place, Result]) -> bool:
    """Whether a piece has been read as it would be within the whole file, and without error."""
    return each[1].closed and each[1].error is None


def _on_lines(
    header: bytes | None, task: Task, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """The result of a piece, if it has a line; `header` is missing if it is the whole file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / task.name
        path.parent.mkdir(parents=True, exist_ok=True)
        start = _write(path, header, batches)
        if start is None:
            return
        result = task.run(Path(folder))
        if header is not None:
            result.closed = csv_blocks.is_closed(path.read_bytes(), task.source)
        packed = SERIALIZER.dumps(result)
    _forget_archives()
    yield pa.RecordBatch.from_pydict({"start": [start], "result": [packed]})


def _forget_archives() -> None:
    """Drop importers of archives: a worker reads all their directories again before each task.

    That takes 0.14 s with Spark's own archive, see findings/pyspark-worker-reads-archives.sh.
    """
    for path, importer in list(sys.path_importer_cache.items()):
        if isinstance(importer, zipimport.zipimporter):
            del sys.path_importer_cache[path]


def _write(path: Path, header: bytes | None, batches: Iterator[pa.RecordBatch]) -> int | None:
    """Write the lines of a piece below the header; return the piece's first byte."""
    first: int | None = None
    last = -1
    with path.open("wb") as file:
        for batch in batches:
            lines, starts = batch.column(0).to_pylist(), batch.column(1)
            if not lines:
                continue
            if first is None:
                first = int(starts[0].as_py())
                if first and header is not None:
                    file.write(header + b"\n")
            for start in starts.unique().to_pylist():
                if start < last:
                    raise ValueError(f"Spark has given the lines of {path.name} in another order")
                last = start
            file.write(b"\n".join(lines) + b"\n")
    return first
