"""Reads a whole CSV file strictly, as text; writes rows.

pandas reads any file it can: a row with one field too many makes an index of the first column and
moves all values by one column, a short row is filled with missing values, and the second `month`
becomes `month.1`. Here each of them is an error with its line.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from mlops_platform.core.errors import UsageError
from mlops_platform.core.text import pluralize
from mlops_platform.data import csv_blocks, csv_rows
from mlops_platform.data.chunk import Malformed
from mlops_platform.data.source import Source

CHUNK_ROWS = 100_000
SHOWN = 5


def read(path: Path, separator: str = ",") -> pd.DataFrame:
    """The rows of a file as text, (rows, columns); an empty field is a missing value.

    Raises:
        UsageError: an invalid header, or rows that are no CSV, no UTF-8 text, or have another
            number of fields than the header; with the first lines.
    """
    source = Source(separator=separator)
    names = csv_rows.header(path, source)
    frames, malformed = [], []
    for chunk in csv_blocks.chunks(path, CHUNK_ROWS, source):
        frames.append(chunk.frame.astype(object))
        malformed += chunk.malformed
    if malformed:
        raise UsageError(report(path, malformed, len(names), sum(map(len, frames))))
    if not frames:
        return pd.DataFrame(columns=names, dtype=object)
    return pd.concat(frames, ignore_index=True)


def write_rows(frame: pd.DataFrame, path: Path) -> None:
    """Write rows as CSV in UTF-8, without a header; text is in quotes only if a value needs it."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    try:
        options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
        pa.csv.write_csv(table, path, options)
    except pa.ArrowInvalid:  # a value with a comma, a quotation mark or a line end
        options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
        pa.csv.write_csv(table, path, options)


def report(path: Path, malformed: list[Malformed], width: int, valid: int) -> str:
    """What is wrong with the rows of a file whose header has `width` names."""
    first = malformed[0]
    if not valid and {row.width for row in malformed} == {first.width} - {0, width}:
        fields, advice = pluralize(first.width, "field"), first.reason.partition("; ")[2]
        return (
            f"{path}: every row has {fields}, the header in line 1 has {width}. Of each row, "
            f"{advice}; or name every column in line 1."
        )
    lines = [
        f"  {'' if row.reason.startswith('lines ') else f'line {row.line} '}{row.reason}"
        for row in malformed[:SHOWN]
    ]
    if len(malformed) > SHOWN:
        lines.append(f"  and {len(malformed) - SHOWN} more")
    heading = f"{path}: {pluralize(len(malformed), 'row')} cannot be read:"
    return "\n".join([heading, *lines])
