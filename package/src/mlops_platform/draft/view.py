"""The columns of a draft as a table for the terminal."""

from __future__ import annotations

import numpy as np

from mlops_platform.core.text import pluralize
from mlops_platform.draft.guess import Guess

BLOCKS = "▁▂▃▄▅▆▇█"
BARS = 8
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
    present = guess.present
    if present.empty or guess.kind == "text":
        return ""
    if guess.kind == "category":
        counts = present.value_counts().to_numpy()[:BARS]
    else:
        numbers = present.astype("int64") if guess.kind == "date" else present
        counts, _ = np.histogram(numbers.to_numpy(dtype="float64"), BARS)
    heights = np.ceil(counts / counts.max() * len(BLOCKS)).astype(int)
    return "".join(BLOCKS[height - 1] if height else " " for height in heights)
