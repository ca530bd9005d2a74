"""Reads CSV with Python's csv module, row by row, and reports malformed rows.

A row with another number of fields than the header is malformed. `csv_blocks` is faster, and leaves
to this module what is not plain.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.data import compression, csv_faults
from mlops_platform.data.chunk import Malformed
from mlops_platform.data.source import PLAIN, Source

MAX_LINE_BYTES = 1_000_000


@dataclass
class Rows:
    """Rows as text, in file order. Row 1 is the first after the header, which is line 1."""

    fields: list[list[str]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    malformed: list[Malformed] = field(default_factory=list)

    def frame(self, names: list[str], source: Source = PLAIN) -> pd.DataFrame:
        """The valid rows, indexed by row number.

        An empty field, and a text of `source.missing`, is a missing value.
        """
        frame = pd.DataFrame(self.fields, index=self.rows, columns=names, dtype="str")
        return frame.mask(frame.isin(["", *source.missing]))


def header(path: Path, source: Source = PLAIN) -> list[str]:
    """Read the column names in the first line.

    Raises:
        UsageError: no header, a name twice or none, another separator, or another encoding.
    """
    with opened(path, source) as (_, text):
        return read_header(text, path, source)[0]


def chunks(path: Path, size: int, source: Source = PLAIN) -> Iterator[Rows]:
    """Read the rows below the header, `size` at a time.

    Raises:
        UsageError: an invalid header, or a line that is too long.
    """
    with opened(path, source) as (_, text):
        names, line = read_header(text, path, source)
        yield from parse(lines(text, path, line), len(names), source, size, line=line)


def parse(
    lines: Iterable[str],
    width: int,
    source: Source,
    size: int,
    *,
    row: int = 1,
    line: int,
) -> Iterator[Rows]:
    """The rows in `lines`, `size` at a time; the first is number `row` and begins at `line`."""
    reader, before = _reader(lines, source), line - 1
    row, chunk = row - 1, Rows()
    while True:
        first = before + reader.line_num + 1
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
        last = before + reader.line_num
        reason = reason or csv_faults.of_row(values, width, source)
        if not reason:
            chunk.fields.append(values)
            chunk.rows.append(row)
            chunk.lines.append(last)
        else:
            if last > first:
                reason = f"lines {first} to {last}: {reason}"
            chunk.malformed.append(Malformed(row, last, reason, len(values)))
        if len(chunk.rows) + len(chunk.malformed) == size:
            yield chunk
            chunk = Rows()
    if chunk.rows or chunk.malformed:
        yield chunk


@contextmanager
def opened(path: Path, source: Source) -> Iterator[tuple[BinaryIO, io.TextIOWrapper]]:
    """The file, whose position shows how much was read, and its text.

    Bytes that are not of the encoding become lone surrogates.

    Raises:
        UsageError: it is no CSV by its first bytes, or it is damaged.
    """
    with compression.opened(path, source) as (file, stream):
        start = stream.peek(64)[:64]
        if fault := csv_faults.of_start(start, source):
            raise UsageError(f"{path}, line 1: {fault}.")
        encoding = "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else source.encoding
        text = io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="\n")
        yield file, text
        text.detach()


def lines(text: io.TextIOBase, path: Path, first: int = 1) -> Iterator[str]:
    """The lines of a text from here on; the next one is number `first`.

    Raises:
        UsageError: a line is too long.
    """
    number = first - 1
    while line := text.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES:
            raise UsageError(
                f"{path}, line {number}: is longer than {MAX_LINE_BYTES} bytes. Check that it is a "
                "CSV file with Unix or Windows line endings."
            )
        yield line


def read_header(text: io.TextIOBase, path: Path, source: Source) -> tuple[list[str], int]:
    """The names at the beginning of a text, and the number of the line below them.

    Raises:
        UsageError: no header, a name twice or none, another separator, or another encoding.
    """
    reader = _reader(lines(text, path), source)
    return _header(reader, path, source), reader.line_num + 1


def _reader(lines: Iterable[str], source: Source) -> Any:
    """A csv.reader, whose type has no public name."""
    return csv.reader(lines, strict=True, delimiter=source.separator)


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
