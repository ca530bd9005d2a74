"""Reads CSV files of any size in blocks, with Arrow.

Arrow reads what the csv module refuses, such as a quotation mark inside a value, and it has no
line numbers. So a block is looked at first: what is not plain is read by `csv_rows`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

from mlops_platform.data import csv_rows
from mlops_platform.data.chunk import Chunk
from mlops_platform.data.source import PLAIN, Source

BLOCK = 8_000_000  # letters
LONGEST = 100_000  # bytes of a line; the csv module takes fields of up to 131,072
KEEP = "surrogatepass"  # bytes of another encoding
NEWLINE, RETURN, QUOTE = b"\n"[0], b"\r"[0], b'"'[0]


class Block(NamedTuple):
    """Whole rows as text; `closed`: the next block begins with a row, too."""

    text: str
    closed: bool


class Table(NamedTuple):
    """Rows as Arrow's text, and the line in the block where each of them ends, from 0."""

    rows: pa.Table
    ends: np.ndarray


def chunks(path: Path, size: int, source: Source = PLAIN) -> Iterator[Chunk]:
    """Read the rows below the header, at most `size` at a time; text with missing values.

    An empty field, and a text of `source.missing`, is a missing value.

    Raises:
        UsageError: an invalid header, or a line that is too long.
    """
    with csv_rows.opened(path, source) as (file, text):
        names, line = csv_rows.read_header(text, path, source)
        row, read = 1, 0
        while (block := _next(text)).text:
            table = _table(block.text, names, source) if block.closed else None
            if table is not None:
                parts = _parts(table, row, line, size)
            else:
                lines = _lines(block, text, path, source, line)
                found = csv_rows.parse(lines, len(names), source, size, row=row, line=line)
                parts = (
                    Chunk(part.frame(names, source), part.lines, part.malformed) for part in found
                )
            for chunk in parts:
                chunk.size, read = file.tell() - read, file.tell()
                row += len(chunk.frame) + len(chunk.malformed)
                yield chunk
            line += block.text.count("\n")


def is_closed(data: bytes, source: Source) -> bool:
    """Whether all values of some lines end in them; lines whose quotes are not plain may not."""
    return _quotes(data, source) is not None


def _parts(table: Table, row: int, line: int, size: int) -> Iterator[Chunk]:
    """A block's rows, `size` at a time; the first is number `row`, the block begins at `line`."""
    for start in range(0, table.rows.num_rows, size):
        frame = table.rows.slice(start, size).to_pandas()
        frame.index += row + start
        yield Chunk(frame, (table.ends[start : start + size] + line).tolist())


def _lines(
    block: Block, text: io.TextIOWrapper, path: Path, source: Source, first: int
) -> Iterator[str]:
    """The lines of a block; those of all others, too, if its end may be within a value."""
    yield from csv_rows.lines(io.StringIO(block.text, newline="\n"), path, first)
    if not block.closed or _quotes(block.text.encode(errors=KEEP), source) is None:
        yield from csv_rows.lines(text, path, first + block.text.count("\n"))


def _next(text: io.TextIOWrapper) -> Block:
    """The next block; it ends with a row unless a quotation mark is not closed for long."""
    parts = [text.read(BLOCK)]
    is_open, size = parts[0].count('"') % 2 == 1, 0
    while parts[-1] and (is_open or not parts[-1].endswith("\n")) and size < BLOCK:
        parts.append(text.readline(csv_rows.MAX_LINE_BYTES))
        is_open ^= parts[-1].count('"') % 2 == 1
        size += len(parts[-1])
    return Block("".join(parts), not is_open and size < BLOCK)


def _table(block: str, names: list[str], source: Source) -> Table | None:
    """The rows of a block; None if there is something that the csv module reads otherwise."""
    if not source.separator.isascii():
        return None
    try:
        data = block.encode()
    except UnicodeEncodeError:  # bytes of another encoding
        return None
    ends = _ends(data, source)
    if ends is None:
        return None
    text = pa.string()
    try:
        rows = pa.csv.read_csv(
            pa.py_buffer(data),
            read_options=pa.csv.ReadOptions(column_names=names, block_size=len(data) + 1),
            parse_options=pa.csv.ParseOptions(
                delimiter=source.separator, newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, text),
                null_values=["", *source.missing],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:  # such as a row of another width
        return None
    return Table(rows, ends) if rows.num_rows == len(ends) else None


def _ends(data: bytes, source: Source) -> np.ndarray | None:
    """The lines where rows end, from 0; None unless all is plain CSV without blank lines."""
    if b"\0" in data or data.startswith(b"\n") or b"\n\n" in data:
        return None
    if b"\r" in data and (
        data.count(b"\r") != data.count(b"\r\n") or data.startswith(b"\r\n") or b"\n\r\n" in data
    ):
        return None
    letters = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(letters == NEWLINE)
    if not data.endswith(b"\n"):
        newlines = np.append(newlines, len(data))
    if np.diff(newlines, prepend=-1).max() > LONGEST:
        return None
    quotes = _quotes(data, source)
    if quotes is None:
        return None
    return np.flatnonzero(np.searchsorted(quotes, newlines) % 2 == 0)


def _quotes(data: bytes, source: Source) -> np.ndarray | None:
    """Positions of quotation marks; None if one is not at the beginning or the end of a value."""
    if b'"' not in data:
        return np.empty(0, dtype=np.int64)
    letters = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(letters == QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    separator = source.separator.encode()[0]
    before = letters[opening - 1][opening > 0]
    after = letters[np.minimum(closing + 1, len(letters) - 1)]
    plain = (
        len(opening) == len(closing)
        and np.isin(before, [separator, NEWLINE, QUOTE]).all()
        and np.isin(after, [separator, NEWLINE, RETURN, QUOTE]).all()
    )
    return quotes if plain else None
