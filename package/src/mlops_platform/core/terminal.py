"""Output for people: progress bars, log lines and tables."""

# ruff: noqa: PLC0415  progress bars and tables are slow to import, and few commands need them

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress

console = Console(stderr=True, highlight=False, emoji=False)
out = Console(highlight=False, emoji=False, soft_wrap=True)
_live: list[Progress] = []


class Advance(Protocol):
    """Advances a progress bar, and may change its label."""

    def __call__(self, steps: int, label: str | None = None) -> None:
        """Advance by some steps."""


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Advance]:
    """Show a progress bar and yield a function that advances it; nested bars share a display.

    The function takes the number of steps, and optionally a new label.
    """
    if not console.is_terminal:
        yield lambda steps, label=None: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    outermost = not _live
    if outermost:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        _live.append(Progress(*columns, TimeElapsedColumn(), console=console, transient=True))
        _live[0].start()
    task = _live[0].add_task(label, total=total)
    try:
        yield lambda steps, label=None: _live[0].update(task, advance=steps, description=label)
    finally:
        _live[0].remove_task(task)
        if outermost:
            _live.pop().stop()


def escape_what_cannot_be_printed() -> None:
    """Let stdout escape letters that its code page lacks, as stderr does, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def log(text: str) -> None:
    """Print a line to stderr; it is not part of a command's result."""
    console.print(text, markup=False, soft_wrap=True)


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table as a command's result; in a file or pipe each row is one line."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        grid.add_row(*map(Text, row))
    wide = Console(file=out.file, highlight=False, emoji=False, width=1000)
    target = out if out.is_terminal else wide
    target.print(Text(title, style="table.title"))  # a table would wrap it at its own width
    target.print(grid)
