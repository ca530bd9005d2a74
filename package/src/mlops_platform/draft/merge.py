"""Merges data that has changed into a contract that people have edited.

Only what the data needs is changed: bounds, values and gaps that are too narrow become wider, new
columns are added as a draft guesses them, and those that have vanished are removed. What people
wrote stays: comments, roles, kinds, descriptions and all limits that still hold.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.core.text import pluralize
from mlops_platform.data.columns import Column
from mlops_platform.data.contract import Contract
from mlops_platform.draft import columns, doubts, edits, files
from mlops_platform.draft.guess import Guess, allowed_gaps
from mlops_platform.draft.roles import looks_personal
from mlops_platform.settings import Task

NO_GAPS = ("target", "id", "time", "group")


def merge(
    text: str, frame: pd.DataFrame, contract: Contract, task: Task, file: str
) -> tuple[str, list[Guess], list[str]]:
    """The new text of conf/data.yml, all columns of the data, and doubts.

    Args:
        text: what `file`, conf/data.yml, says now.
        frame: (rows, columns) as `contract.source` reads them.
        contract: that of `text`.
        task: the project's.
        file: the name of conf/data.yml, for messages.

    Raises:
        UsageError: the target has vanished, or the text is written so that it cannot be edited.
    """
    guesses = columns.guess(frame, contract.source, contract.target, task)
    new = [guess for guess in guesses if guess.name not in contract.raw]
    typed, unread = contract.typed(frame)
    for guess in guesses:
        if guess.name in contract.raw:
            column = contract.raw[guess.name]
            guess.kind, guess.typed, guess.reason = column.kind, typed[guess.name], column.about
            guess.role = column.role
        elif guess.role in ("id", "time", "group"):
            guess.say("ignored", f"perhaps `role: {guess.role}`", doubtful=True)
    gone = [name for name in contract.raw if name not in frame.columns]
    lines = [
        f"`{name}`: is no longer in the data, and leaves the contract; git keeps its line"
        for name in gone
    ]
    changes: dict[str, dict[str, Any]] = {}
    for name, column in contract.raw.items():
        if name in typed:
            changes[name] = dict(_wider(name, column, typed[name], unread[name]))
            lines += _personal(name, column, typed[name])
    lines += [
        line
        for line in doubts.find(guesses)
        if any(line.startswith(f"`{guess.name}`") for guess in new)
    ]
    added = {files.key(guess.name): files.line(guess) for guess in new}
    merged = edits.change_columns(
        text, {name: fields for name, fields in changes.items() if fields}, gone, added, file
    )
    return merged, guesses, lines


def difference(old: str, new: str, name: str) -> list[str]:
    """Lines of a unified diff, each without its line break."""
    return list(
        difflib.unified_diff(old.splitlines(), new.splitlines(), name, name, n=1, lineterm="")
    )


def _wider(
    name: str, column: Column, typed: pd.Series, unread: pd.Series
) -> Iterator[tuple[str, Any]]:
    """Fields of a column that the data breaks, with the values that allow it."""
    present = typed.dropna()
    if column.values is not None:
        unknown = _unknown(column, present)
        if unknown and len(column.values) + len(unknown) <= columns.MAX_VALUES:
            yield "values", [*column.values, *unknown]
    elif not present.empty and (column.numeric or column.kind == "date"):
        low, high = _bounds(name, column, present)
        for field, bound, wider in (("min", column.min, low), ("max", column.max, high)):
            if bound is None:
                continue
            limit = pd.Timestamp(bound) if isinstance(bound, date) else bound
            if (present < limit).any() if field == "min" else (present > limit).any():
                yield field, wider
    share = float((typed.isna() & ~unread).mean())
    judged = column.role != "ignored" or not column.missing
    if share > column.missing and judged and column.role not in NO_GAPS:
        yield "missing", allowed_gaps(share)


def _unknown(column: Column, present: pd.Series) -> list[str]:
    """Values that the contract does not have, without those that look personal."""
    unknown = sorted(set(present) - set(column.values or ()))
    return [value for value in unknown if not looks_personal(value)]


def _personal(name: str, column: Column, typed: pd.Series) -> Iterator[str]:
    if column.values is None:
        return
    unknown = set(typed.dropna()) - set(column.values)
    if personal := [value for value in unknown if looks_personal(value)]:
        yield (
            f"`{name}`: {pluralize(len(personal), 'new value')} that looks personal is not "
            "written: take personal data out of the file before it goes into git"
        )
    elif len(column.values) + len(unknown) > columns.MAX_VALUES:
        yield (
            f"`{name}`: {len(unknown)} new values are not written, as a category has "
            f"{columns.MAX_VALUES} at most: write `kind: text`"
        )


def _bounds(name: str, column: Column, present: pd.Series) -> tuple[Any, Any]:
    """The least and the largest value to allow; numbers with the slack of a first draft."""
    if column.kind == "date":
        return present.min().date(), present.max().ceil("D").date()
    return Guess(name, column.kind, present, column.role).bounds()


def require_same_target(contract: Contract, target: str, conf: Path) -> None:
    """Refuse another target: an update keeps it.

    Raises:
        UsageError: the contract has another one.
    """
    if contract.target != target:
        raise UsageError(
            f"--target {target}: {conf / 'data.yml'} has the target `{contract.target}`, which "
            "--update keeps. Leave out --update to draft all settings for another one."
        )
