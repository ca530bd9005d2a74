"""Reads CSV files of any size in chunks, and reports malformed rows.

pandas silently fills a short row with missing values. Here a row with another number of fields
than the header is malformed.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.data import compression, csv_faults
from mlops_platform.data.source import PLAIN, Source

MAX_LINE_BYTES = 1_000_000


@dataclass
class Malformed:
    """A row that cannot be read: its number, its (last) line in the file, and the reason.

    `width` is its number of fields; 0 if it is no CSV.
    """

    row: int
    line: int
    reason: str
    width: int = 0


@dataclass
class Chunk:
    """Rows as text, in file order. Row 1 is the first after the header, which is line 1.

    `end` is the number of bytes of the file that were read so far.
    """

    fields: list[list[str]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    malformed: list[Malformed] = field(default_factory=list)
    end: int = 0

    def frame(self, names: list[str], source: Source = PLAIN) -> pd.DataFrame:
        """The valid rows, indexed by row number.

        An empty field, and a text of `source.missing`, is a missing value.
        """
        frame = pd.DataFrame(self.fields, index=self.rows, columns=names, dtype=object)
        return frame.mask(frame.isin(["", *source.missing]), np.nan)


def header(path: Path, source: Source = PLAIN) -> list[str]:
    """Read the column names in the first line.

    Raises:
        UsageError: no header, a name twice or none, another separator, or another encoding.
    """
    with _open(path, source) as (_, reader):
        return _header(reader, path, source)


def chunks(path: Path, size: int, source: Source = PLAIN) -> Iterator[Chunk]:
    """Read the rows below the header, `size` at a time.

    Raises:
        UsageError: an invalid header, or a line that is too long.
    """
    with _open(path, source) as (file, reader):
        width = len(_header(reader, path, source))
        row, chunk = 0, Chunk()
        while True:
            first = reader.line_num + 1
            reason = ""
            try:
                values = next(reader, None)
            except csv.Error as error:
                values, reason = [], csv_faults.of_error(error)
            if values is None:
                break
            if not values and not reason:
                continue  # a blank line
            row += 1
            reason = reason or csv_faults.of_row(values, width, source)
            if not reason:
                chunk.fields.append(values)
                chunk.rows.append(row)
                chunk.lines.append(reader.line_num)
            else:
                if reader.line_num > first:
                    reason = f"lines {first} to {reader.line_num}: {reason}"
                chunk.malformed.append(Malformed(row, reader.line_num, reason, len(values)))
            if len(chunk.rows) + len(chunk.malformed) == size:
                chunk.end = file.tell()
                yield chunk
                chunk = Chunk()
        if chunk.rows or chunk.malformed:
            chunk.end = file.tell()
            yield chunk


@contextmanager
def _open(path: Path, source: Source) -> Iterator[tuple[BinaryIO, Any]]:
    """The file, and a csv.reader of it, whose type has no public name."""
    with compression.opened(path, source) as (file, stream):
        start = stream.peek(64)[:64]
        if fault := csv_faults.of_start(start, source):
            raise UsageError(f"{path}, line 1: {fault}.")
        encoding = "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else source.encoding
        # Bytes that are not of the encoding become lone surrogates.
        text = io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="\n")
        lines = _lines(text, path)
        yield file, csv.reader(lines, strict=True, delimiter=source.separator)
        text.detach()


def _lines(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES:
            raise UsageError(
                f"{path}, line {number}: is longer than {MAX_LINE_BYTES} bytes. Check that it is a "
                "CSV file with Unix or Windows line endings."
            )
        yield line


def _header(reader: Iterator[list[str]], path: Path, source: Source) -> list[str]:
    try:
        names = next(reader, [])
    except csv.Error as error:
        raise UsageError(f"{path}, line 1: {csv_faults.of_error(error)}.") from None
    if not names:
        raise UsageError(f"{path}: has no header. Write the column names in the first line.")
    if fault := csv_faults.of_header(names, source):
        raise UsageError(f"{path}, line 1: {fault}.")
    return names
