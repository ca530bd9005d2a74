"""Some rows of a file, as a reader hands them on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd


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
    """Rows of one file. `frame` has the valid ones, indexed by row number, the first being 1.

    `lines` has the line of each of them in a CSV file; in other files there are none. Text of a
    CSV file is text, other files' values have their own types. `size`: bytes that were read.
    """

    frame: pd.DataFrame
    lines: Sequence[int] = ()
    malformed: list[Malformed] = field(default_factory=list)
    size: int = 0
