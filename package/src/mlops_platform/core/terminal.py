"""What a person sees: a moving bar on a terminal, a line a step in a log."""

# ruff: noqa: PLC0415  bars and tables take a while to import, and few commands show one

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress

console = Console(stderr=True, highlight=False, emoji=False)
out = Console(highlight=False, emoji=False, soft_wrap=True)
_live: list[Progress] = []


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield a function that moves the bar on; bars inside bars share one display."""
    if not console.is_terminal:
        yield lambda amount: None
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
    task = _live[0].add_task(what, total=total)
    try:
        yield lambda amount: _live[0].advance(task, amount)
    finally:
        _live[0].remove_task(task)
        if outermost:
            _live.pop().stop()


def say(text: str) -> None:
    """A line for the person who waits; not part of a command's result."""
    console.print(text, markup=False, soft_wrap=True)


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table as a command's result; in a file or a pipe each row is one line."""
    from rich.table import Table
    from rich.text import Text

    made = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        made.add_row(*map(Text, row))
    wide = Console(file=out.file, highlight=False, emoji=False, width=1000)
    shown = out if out.is_terminal else wide
    shown.print(Text(title, style="table.title"))  # a table would break it at its own width
    shown.print(made)
