"""The columns of a draft as a table for the terminal, and as a page."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from mlops_platform.core.text import pluralize
from mlops_platform.draft.guess import Guess
from mlops_platform.report import profile

BLOCKS = "▁▂▃▄▅▆▇█"
BARS, BARS_OF_PAGE = 8, 20
WIDTH = 34
HEADINGS = ["column", "kind", "role", "missing", "values", "how many", "why"]


def rows(guesses: list[Guess]) -> list[list[str]]:
    """One line for each column, in the order of `HEADINGS`."""
    return [
        [
            guess.name,
            guess.kind,
            guess.role,
            f"{guess.gaps:.1%}" if guess.gaps else "",
            _values(guess),
            histogram(guess),
            guess.reason,
        ]
        for guess in guesses
    ]


def _values(guess: Guess) -> str:
    """The range of numbers and dates, or the most frequent values; texts are not shown."""
    present = guess.present
    if present.empty:
        return ""
    if guess.numeric:
        return f"{present.min():.6g} to {present.max():.6g}"
    if guess.kind == "date":
        return f"{present.min():%Y-%m-%d} to {present.max():%Y-%m-%d}"
    if guess.kind == "text" or (guess.kind == "category" and guess.role == "ignored"):
        return pluralize(guess.distinct, "text")
    text = ", ".join(present.value_counts().index)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def histogram(guess: Guess) -> str:
    """Blocks as high as the share of rows: of 8 equal ranges, or of the 8 most frequent values."""
    counts = np.array([count for _, count in _counts(guess, BARS)])
    if not len(counts):
        return ""
    heights = np.ceil(counts / counts.max() * len(BLOCKS)).astype(int)
    return "".join(BLOCKS[height - 1] if height else " " for height in heights)


def page(path: str, guesses: list[Guess], doubts: list[str]) -> str:
    """The columns and the doubts as a page in HTML."""
    target = next(guess for guess in guesses if guess.role == "target")
    return profile.render(
        path, target.name, len(target.typed), [_column(guess, doubts) for guess in guesses], doubts
    )


def _column(guess: Guess, doubts: list[str]) -> profile.Column:
    counts = _counts(guess, BARS_OF_PAGE)
    most = max((count for _, count in counts), default=1)
    return profile.Column(
        name=guess.name,
        kind=guess.kind,
        role=guess.role,
        why=guess.reason,
        gaps=f"{guess.gaps:.1%}" if guess.gaps else "",
        distinct=guess.distinct,
        values=_values(guess),
        bars=[
            profile.Bar(count / most, f"{label}: {pluralize(count, 'row')}")
            for label, count in counts
        ],
        doubts=[line for line in doubts if line.startswith(f"`{guess.name}`")],
    )


def _counts(guess: Guess, bars: int) -> list[tuple[str, int]]:
    """How many rows are in each of equal ranges, or have each of the most frequent values."""
    present = guess.present
    if present.empty or guess.kind == "text":
        return []
    if guess.kind == "category":
        known = present.value_counts().head(bars)
        hidden = guess.role == "ignored"
        return [("one value" if hidden else str(value), int(n)) for value, n in known.items()]
    numbers = present.astype("int64") if guess.kind == "date" else present
    counts, edges = np.histogram(numbers.to_numpy(dtype="float64"), bars)
    shown = [f"{edge:.6g}" for edge in edges]
    if guess.kind == "date":
        shown = [f"{each:%Y-%m-%d}" for each in pd.to_datetime(edges, unit=present.dt.unit)]
    labels = [f"{low} to {high}" for low, high in pairwise(shown)]
    return list(zip(labels, map(int, counts), strict=True))
