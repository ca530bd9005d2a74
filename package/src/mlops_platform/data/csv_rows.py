"""CSV files of any size in chunks, with every line accounted for.

pandas fills a short row with missing values and says nothing; here each row has as many fields as
the header, or is handed over as malformed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.core.text import amount

LONGEST_LINE = 1_000_000


@dataclass
class Malformed:
    """A row that cannot be read: its number, its line (the last one, if it has several), why."""

    row: int
    line: int
    reason: str


@dataclass
class Chunk:
    """Rows as text, in the file's order. Row 1 is the first after the header, line 1 the header.

    `end` is the position in the file after the chunk, in bytes.
    """

    fields: list[list[str]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    malformed: list[Malformed] = field(default_factory=list)
    end: int = 0

    def frame(self, names: list[str]) -> pd.DataFrame:
        """The readable rows, indexed by their numbers; an empty field is a missing value."""
        frame = pd.DataFrame(self.fields, index=self.rows, columns=names, dtype=object)
        return frame.replace("", np.nan)


def header(path: Path) -> list[str]:
    """The names in a file's first line.

    Raises:
        UsageError: no header, or a file that is not UTF-8 text.
    """
    with path.open("rb") as file:
        return _header(_reader(file, path), path)


def chunks(path: Path, size: int) -> Iterator[Chunk]:
    """All rows below the header, `size` at a time.

    Raises:
        UsageError: a line longer than any row can be.
    """
    with path.open("rb") as file:
        reader = _reader(file, path)
        width = len(_header(reader, path))
        row, chunk = 0, Chunk()
        while True:
            first = reader.line_num + 1
            fault = None
            try:
                values = next(reader, None)
            except csv.Error as error:
                values, fault = [], f"not readable as CSV: {error}"
            if values is None:
                break
            if not values and fault is None:
                continue  # a blank line
            row += 1
            fault = fault or _fault(values, width)
            if fault is None:
                chunk.fields.append(values)
                chunk.rows.append(row)
                chunk.lines.append(reader.line_num)
            else:
                if reader.line_num > first:
                    fault = f"lines {first} to {reader.line_num}: {fault}"
                chunk.malformed.append(Malformed(row, reader.line_num, fault))
            if len(chunk.rows) + len(chunk.malformed) == size:
                chunk.end = file.tell()
                yield chunk
                chunk = Chunk()
        if chunk.rows or chunk.malformed:
            chunk.end = file.tell()
            yield chunk


def _fault(values: list[str], width: int) -> str | None:
    if len(values) != width:
        return f"has {amount(len(values), 'field')}, the header has {width}"
    if not all(value.isascii() or _is_utf8(value) for value in values):
        return "is not UTF-8 text"
    return None


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _reader(file: BinaryIO, path: Path) -> Any:
    """A reader of the csv module; its type has no public name."""
    return csv.reader(_lines(file, path), strict=True)


def _lines(file: BinaryIO, path: Path) -> Iterator[str]:
    """Text, a line at a time; what is not UTF-8 stays recognisable as lone surrogates."""
    number = 0
    if file.read(3) != b"\xef\xbb\xbf":
        file.seek(0)
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise UsageError(
                f"{path}, line {number}: is longer than {LONGEST_LINE} bytes. Is this a CSV file, "
                "with Unix or Windows line ends?"
            )
        yield line.decode(errors="surrogateescape")


def _header(reader: Iterator[list[str]], path: Path) -> list[str]:
    try:
        names = next(reader, [])
    except csv.Error as error:
        raise UsageError(f"{path}, line 1: not readable as CSV: {error}.") from None
    if not names:
        raise UsageError(f"{path}: has no header. The first line must name the columns.")
    if not all(_is_utf8(name) for name in names):
        raise UsageError(f"{path}, line 1: is not UTF-8 text. Save the file as UTF-8.")
    return names
