"""Guesses the kind of each column, and with draft.roles its role, with the reason."""

from __future__ import annotations

import difflib
import re

import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_float_dtype

from mlops_platform.core.errors import UsageError
from mlops_platform.data import values
from mlops_platform.data.columns import EXACT, Column, Kind, as_text
from mlops_platform.data.source import Source
from mlops_platform.draft import roles
from mlops_platform.draft.guess import Guess
from mlops_platform.settings import Task

MAX_VALUES = 50
MAX_LENGTH = 100  # of a value of a category
MOSTLY = 0.95  # so many numbers: the others are faults, which the contract then names
POSITIVE = ("1", "yes", "true", "y", "positive", "ja")
DIGITS_OF_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


def only(targets: list[str]) -> str:
    """The target of a project.

    Raises:
        UsageError: there are several.
    """
    if len(targets) > 1:
        raise UsageError(
            f"--target: a project predicts one column, and {' and '.join(targets)} are "
            f"{len(targets)}. Make a project for each, and give the other one `role: ignored` in "
            "conf/data.yml."
        )
    return targets[0]


def guess(frame: pd.DataFrame, source: Source, target: str, task: Task) -> list[Guess]:
    """One guess for each column of `frame`, (rows, columns), in its order.

    Raises:
        UsageError: there is no such target, or it does not match the task.
    """
    if target not in frame.columns:
        if set(several := re.split(r"\s*[,;+]\s*", target)) <= set(frame.columns):
            only(several)
        near = difflib.get_close_matches(target, map(str, frame.columns), n=1)
        names = ", ".join(f"`{name}`" for name in frame.columns[:20])
        hint = f"Did you mean `{near[0]}`?" if near else f"Choose one of {names}."
        raise UsageError(f"--target {target}: the data has no such column. {hint}")
    guesses = [_kind(str(name), frame[name], source) for name in frame.columns]
    for guess in guesses:
        if guess.name == target:
            _as_target(guess, frame[target], task)
        else:
            roles.assign(guess)
    roles.settle(guesses)
    if not any(guess.role == "feature" for guess in guesses):
        raise UsageError(f"--target {target}: no other column can be a feature of the model.")
    return guesses


def _kind(name: str, raw: pd.Series, source: Source) -> Guess:
    raw = values.without_empty(raw)
    present = raw.dropna()
    if present.empty:
        return Guess(name, "text", raw.astype(object), "ignored", "no value at all", doubtful=True)
    text = present.map(as_text)
    if is_datetime64_any_dtype(raw):
        return Guess(name, "date", values.dates(raw))
    if not is_bool_dtype(present) and (kind := _numeric(present, text, source.decimal)):
        is_date = kind == "integer" and text.str.fullmatch(DIGITS_OF_DATE).all()
        if is_date and values.dates(present, source.date_format).notna().all():
            typed = values.dates(raw, source.date_format)
            return Guess(name, "date", typed, disguised=True)
        return Guess(name, kind, values.numbers(raw, source.decimal), disguised=bool(is_date))
    if values.dates(present, source.date_format).notna().all():
        return Guess(name, "date", values.dates(raw, source.date_format))
    distinct = text.nunique()
    few = distinct <= min(MAX_VALUES, max(2, len(text) / 2))
    kind = "category" if few and text.str.len().max() <= MAX_LENGTH else "text"
    return Guess(name, kind, _texts(raw))


def _numeric(present: pd.Series, text: pd.Series, decimal: str) -> Kind | None:
    """Number or integer; None for texts, also those that begin with zeros, such as a code."""
    read = values.numbers(present, decimal)
    numbers = read.notna()
    if numbers.mean() < MOSTLY or text.str.fullmatch(r"0\d+").any():
        return None
    if not numbers.all() and text[~numbers].nunique() == 1 and read.nunique() < MAX_VALUES:
        return None  # a code of digits, and one of letters
    read, text = read[numbers], text[numbers]
    whole = (read % 1 == 0).all() and read.abs().max() <= EXACT
    marked = text.str.contains(r"[.,eE]").any() and not text.str.fullmatch(r"-?\d+\.0").all()
    is_float = is_float_dtype(present) or marked
    return "integer" if whole and not is_float else "number"


def _as_target(guess: Guess, raw: pd.Series, task: Task) -> None:
    field = f"--target {guess.name}"
    guess.say("target", "as asked")
    if guess.distinct == 1:
        raise UsageError(
            f"{field}: is the same in every row: there is nothing to learn. Add others."
        )
    if task == "regression":
        if not guess.numeric:
            raise UsageError(
                f"{field}: regression needs numbers, and it is a {guess.kind}. Choose another "
                "column, or write `--task classification`."
            )
        return
    if guess.numeric or guess.kind == "date":
        guess.typed = _texts(raw).map(_plain, na_action="ignore")
    if not 2 <= guess.distinct <= MAX_VALUES:
        raise UsageError(
            f"{field}: classification needs 2 to {MAX_VALUES} classes, found {guess.distinct}. "
            "Choose another column, or write `--task regression` for a number."
        )
    guess.kind = "category"
    if guess.distinct == 2:
        counts = guess.present.value_counts()
        named = [label for label in counts.index if label.lower() in POSITIVE]
        guess.positive = named[0] if named else str(counts.index[-1])
        reason = "as asked; positive is a guess: " + (named[0] if named else "the rarer class")
        guess.say("target", reason, doubtful=True)


def _texts(raw: pd.Series) -> pd.Series:
    read, _ = values.convert(raw, Column(kind="text"))
    return read


def _plain(text: str) -> str:
    return text.removesuffix(".0")
