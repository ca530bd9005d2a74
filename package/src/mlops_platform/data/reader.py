"""Reads raw data as conf/data.yml, `source`, says: for training, batch and monitor, in chunks.

The suffix of a file says what it is: `.parquet`, `.sql` (a query), or else CSV, compressed or
not. In folders, files of `source.format` are read, also those of partitions such as `year=2024/`,
whose names and values become columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np
import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.data import csv_blocks, csv_rows, csv_table, lfs, parquet_rows, sql_rows
from mlops_platform.data.chunk import Chunk, Malformed
from mlops_platform.data.compression import plain_suffix
from mlops_platform.data.source import Format, Source

CHUNK_ROWS = 200_000
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".sql": "sql",
}
WORDS: dict[Format, str] = {"csv": "CSV", "parquet": "Parquet", "sql": "SQL"}
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # how Hive and Spark write a missing value in a folder


class File(NamedTuple):
    """One file to read, or a table of a database.

    `name` is its path below the folder that was given; `partition` holds the values of the
    folders between.
    """

    path: Path
    name: str
    format: Format
    partition: dict[str, str]


def files(path: Path, source: Source) -> list[File]:
    """The files to read, in the order of their names.

    Raises:
        UsageError: there is no such file or folder, or none of this format in it.
    """
    if path.is_file():
        return [File(path, path.name, SUFFIXES.get(plain_suffix(path.name), source.format), {})]
    if not path.is_dir() and source.format != "sql":
        raise UsageError(f"{path}: there is no such file or folder to read.")
    found = [_file(each, path) for each in _below(path)] if path.is_dir() else []
    wanted = [file for file in found if file.format == source.format]
    if not wanted and (source.table or source.query):
        return [File(path, source.table or "query", "sql", {})]
    if not wanted:
        raise UsageError(f"{path}: holds no {WORDS[source.format]} file.{_others(found, path)}")
    return wanted


def columns(file: File, source: Source) -> list[str]:
    """The names of a file's columns.

    Raises:
        UsageError: the file cannot be read.
    """
    if file.format == "csv":
        names = csv_rows.header(file.path, source)
    elif file.format == "parquet":
        names = parquet_rows.columns(file.path)
    else:
        names = sql_rows.columns(_query(file), source)
    return names + [name for name in file.partition if name not in names]


def chunks(file: File, source: Source, size: int) -> Iterator[Chunk]:
    """The rows of a file, `size` at a time.

    Raises:
        UsageError: the file cannot be read.
    """
    for chunk in _chunks(file, source, size):
        if file.format != "csv" and source.missing:
            chunk.frame = chunk.frame.mask(chunk.frame.isin(source.missing), np.nan)
        for name, value in file.partition.items():
            if name not in chunk.frame:
                chunk.frame[name] = np.nan if value == NO_VALUE else value
        yield chunk


def read(path: Path, source: Source) -> pd.DataFrame:
    """All rows of a file or a folder, (rows, columns), numbered from 0.

    Raises:
        UsageError: rows that cannot be read, or files with other columns than the first.
    """
    return pd.concat(frames(path, source), ignore_index=True)


def frames(path: Path, source: Source) -> Iterator[pd.DataFrame]:
    """The rows of a file or a folder in chunks, (rows, columns); at least one, perhaps empty.

    Raises:
        UsageError: rows that cannot be read, or files with other columns than the first.
    """
    names: list[str] | None = None
    found = False
    for file in files(path, source):
        own = columns(file, source)
        names = names or own
        require_same(file.path, own, names)
        malformed: list[Malformed] = []
        rows = 0
        for chunk in chunks(file, source, CHUNK_ROWS):
            malformed += chunk.malformed
            rows += len(chunk.frame)
            found = True
            yield chunk.frame[names]
        if malformed:
            raise UsageError(csv_table.report(file.path, malformed, len(own), rows))
    if not found:
        yield pd.DataFrame(columns=names, dtype="str")


def require_same(path: Path | str, own: list[str], names: list[str]) -> None:
    """Check that a file has the columns of the files before.

    Raises:
        UsageError: it has others.
    """
    if set(own) != set(names):
        differing = ", ".join(f"`{name}`" for name in sorted(set(own) ^ set(names)))
        raise UsageError(
            f"{path}: has other columns than the files before: {differing}. Give all files the "
            "same columns, or take it away."
        )


def write(frame: pd.DataFrame, path: Path, source: Source) -> Path:
    """Write rows as the reader reads them, such as a part for a test; returns the path.

    A path that ends in `.parquet` becomes Parquet, another one CSV in the form of `source`.
    """
    if plain_suffix(path.name) == ".parquet":
        parquet_rows.write(frame, path)
        return path
    frame.to_csv(
        path,
        index=False,
        sep=source.separator,
        decimal=source.decimal,
        encoding=source.encoding,
        date_format=source.date_format,
        lineterminator="\n",
    )
    return path


def is_file(path: Path, source: Source) -> bool:
    """Whether a path holds the rows, and not only a query, or nothing but the settings do."""
    return path.exists() and all(file.format != "sql" for file in files(path, source))


def _chunks(file: File, source: Source, size: int) -> Iterator[Chunk]:
    if file.format == "csv":
        yield from csv_blocks.chunks(file.path, size, source)
        return
    if file.format == "parquet":
        frames: Iterable[pd.DataFrame] = parquet_rows.frames(file.path, size)
        share = file.path.stat().st_size / max(1, parquet_rows.count(file.path))
    else:
        frames, share = sql_rows.frames(_query(file), source, size), 0
    row = 1
    for frame in frames:
        frame.index = pd.RangeIndex(row, row + len(frame))
        row += len(frame)
        yield Chunk(frame, size=round(share * len(frame)))


def _query(file: File) -> str | None:
    """The query in a file; None for the table or query of the settings."""
    if not file.path.is_file():
        return None
    lfs.require_content(file.path)
    return file.path.read_text(encoding="utf-8")


def _below(folder: Path) -> Iterator[Path]:
    """Files in a folder and in its partitions, without those that programs hide from readers."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith((".", "_")):
            continue
        if entry.is_file():
            yield entry
        elif "=" in entry.name or plain_suffix(entry.name) in SUFFIXES:
            yield from _below(entry)


def _file(path: Path, folder: Path) -> File:
    relative = path.relative_to(folder)
    pairs = [part.split("=", 1) for part in relative.parts[:-1] if "=" in part]
    kind: Format | None = SUFFIXES.get(plain_suffix(path.name))
    values = {unquote(name): unquote(value) for name, value in pairs}
    return File(path, relative.as_posix(), kind or "other", values)  # type: ignore[arg-type]


def _others(found: list[File], path: Path) -> str:
    """What else is there, and the line of the settings that reads it."""
    known = [file for file in found if file.format in WORDS]
    if known:
        return f" It holds {known[0].name}: write `format: {known[0].format}` in `source:` of " + (
            "conf/data.yml."
        )
    if path.is_dir() and (inner := next((e for e in sorted(path.iterdir()) if e.is_dir()), None)):
        return f" If they are in `{inner.name}`, name that folder."
    return ""
