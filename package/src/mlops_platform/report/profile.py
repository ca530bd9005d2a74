"""The self-contained page of a data set: each column, its values, and what to be careful with.

Own code, as none of the libraries fits: ydata-profiling and its successor fg-data-profiling need
pandas < 3, which the lock has left; skrub and sweetviz make a page of their own, in which role,
reason and doubts have no place.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_platform.report import templates

FILE = "data-profile.html"


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram: its height from 0 to 1, and what it counts."""

    height: float
    label: str


@dataclass(frozen=True)
class Column:
    """One column, in words; `doubts` are those about it."""

    name: str
    kind: str
    role: str
    why: str
    gaps: str
    distinct: int
    values: str
    bars: list[Bar]
    doubts: list[str]


def render(path: str, target: str, rows: int, columns: list[Column], doubts: list[str]) -> str:
    """Render the page as HTML; the same data gives the same bytes."""
    return templates.load("profile.html").render(
        path=path, target=target, rows=rows, columns=columns, doubts=doubts
    )
