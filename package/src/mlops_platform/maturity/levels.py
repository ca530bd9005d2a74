"""Levels from facts: the highest whose facts, and all below, are yes; overall the lowest."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_platform.core.files import write_text
from mlops_platform.maturity.facts import DIMENSIONS, HIGHEST, NAMES, Dimension
from mlops_platform.maturity.measure import Measured
from mlops_platform.maturity.sources import read

# The one line of README.md that `poe maturity` writes; a team may take it out.
MARK = "<!-- measured by `poe maturity` -->"
LINE = re.compile(rf"^.*{re.escape(MARK)}$", re.MULTILINE)


@dataclass(frozen=True)
class Maturity:
    """The level of each dimension."""

    levels: dict[Dimension, int]

    @property
    def overall(self) -> int:
        """The lowest of all: never a mean."""
        return min(self.levels.values())


def of(measured: Sequence[Measured]) -> Maturity:
    """The levels that these facts reach."""
    return Maturity({each: _level(each, measured) for each in DIMENSIONS})


def missing(measured: Sequence[Measured], maturity: Maturity) -> list[Measured]:
    """The facts that each dimension's next level lacks."""
    return [
        each
        for each in measured
        if each.verdict != "yes" and each.fact.level == maturity.levels[each.fact.dimension] + 1
    ]


def sentence(maturity: Maturity) -> str:
    """The overall level and that of each dimension, in one line."""
    parts = ", ".join(f"{name} {level}" for name, level in maturity.levels.items())
    return f"Maturity level {maturity.overall} of {HIGHEST}, {NAMES[maturity.overall]}: {parts}"


def write_line(readme: Path, maturity: Maturity, today: datetime.date) -> bool:
    """Write the level into the README's marked line; False if it has none."""
    text = read(readme) if readme.is_file() else ""
    line = f"{sentence(maturity)}. Measured on {today}. {MARK}"
    changed, count = LINE.subn(lambda _: line, text)
    if changed != text:
        write_text(readme, changed)
    return bool(count)


def _level(dimension: Dimension, measured: Sequence[Measured]) -> int:
    lacking = [
        each.fact.level
        for each in measured
        if each.fact.dimension == dimension and each.verdict != "yes"
    ]
    return min(lacking, default=HIGHEST + 1) - 1
