"""Guesses kind and role of each column, and its range or values, with the reason."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_float_dtype

from mlops_platform.core.errors import UsageError
from mlops_platform.data import values
from mlops_platform.data.columns import EXACT, Column, Kind, Role, as_text
from mlops_platform.data.source import Source
from mlops_platform.ethics.personal import find_personal_data, suggests_identity
from mlops_platform.settings import Task

MAX_VALUES = 50
MAX_LENGTH = 100  # of a value of a category
MOSTLY = 0.95  # so many numbers: the others are faults, which the contract then names
WORDS = 3  # a text with so many words on average is written by people
ID_NAME = re.compile(r"(^|_)(id|ids|uuid|guid|key|nr|no|num|number)$|^[a-z]+id$")
YEAR_NAME = re.compile(r"(^|_)(year|jahr)$")
SENSITIVE = re.compile(
    r"(^|_)(sex|gender|race|ethnicity|ethnic_group|religion|nationality|citizenship|disability"
    r"|marital_status|age|age_?(band|group|class|range)|sexual_orientation|pregnant|geschlecht)$"
)
WITH_UNIT = re.compile(r"[€$£]?\s*[-+]?\d[\d.,]*\s*(%|€|\$|£|[a-zA-Z°]{1,3})?")
POSITIVE = ("1", "yes", "true", "y", "positive", "ja")
DIGITS_OF_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


@dataclass
class Guess:
    """What the draft says about one column.

    `typed`: (rows,) values in their type. `reason` is why; `doubtful` puts it into conf/data.yml.
    """

    name: str
    kind: Kind
    typed: pd.Series
    role: Role = "feature"
    reason: str = ""
    doubtful: bool = False
    positive: str | None = None
    disguised: bool = False

    @property
    def present(self) -> pd.Series:
        """The values that are there."""
        return self.typed.dropna()

    @property
    def gaps(self) -> float:
        """The share of missing values."""
        return float(self.typed.isna().mean())

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return int(self.present.nunique())

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.kind in ("number", "integer")

    def say(self, role: Role, reason: str, *, doubtful: bool = False) -> None:
        """Give the column a role, and the reason for it."""
        self.role, self.reason, self.doubtful = role, reason, doubtful

    def fields(self) -> dict[str, Any]:
        """The fields of the column in conf/data.yml."""
        kind = "text" if self.kind == "category" and self.role == "ignored" else self.kind
        fields: dict[str, Any] = {"kind": kind}
        if self.numeric and self.role != "ignored" and self.distinct:
            fields |= dict(zip(("min", "max"), self._range(), strict=True))
        if kind == "category":
            fields["values"] = sorted(self.present.unique())
        if self.positive is not None:
            fields["positive"] = self.positive
        if self.gaps and self.role not in ("target", "id", "time"):
            fields["missing"] = allowed_gaps(self.gaps)
        if self.role != "feature":
            fields["role"] = self.role
        return fields

    def _range(self) -> tuple[float, float]:
        """The range seen, half as wide again at each side; not below 0 if nothing is."""
        low, high = float(self.present.min()), float(self.present.max())
        if self.role == "time":
            return _whole(low - 100), _whole(high + 100)
        if self.kind == "number" and low >= 0 and high <= 1:
            return 0, 1
        slack = (high - low or abs(high) or 1) / 2
        bottom = 0.0 if low >= 0 and low - slack < 0 else _outward(low - slack)
        top = 0.0 if high <= 0 and high + slack > 0 else -_outward(-high - slack)
        if self.kind == "integer":
            bottom, top = max(bottom // 1, -EXACT), min(-(-top // 1), EXACT)
        return _whole(min(bottom, low)), _whole(max(top, high))


def allowed_gaps(share: float) -> float:
    """The share of missing values to allow where so many are: half as many again, and 5 %."""
    return round(min(0.99, float(np.ceil((1.5 * share + 0.05) * 100) / 100)), 2)


def columns(frame: pd.DataFrame, source: Source, target: str, task: Task) -> list[Guess]:
    """One guess for each column of `frame`, (rows, columns), in its order.

    Raises:
        UsageError: there is no such target, or it does not match the task.
    """
    if target not in frame.columns:
        near = difflib.get_close_matches(target, map(str, frame.columns), n=1)
        names = ", ".join(f"`{name}`" for name in frame.columns[:20])
        hint = f"Did you mean `{near[0]}`?" if near else f"Choose one of {names}."
        raise UsageError(f"--target {target}: the data has no such column. {hint}")
    guesses = [_kind(str(name), frame[name], source) for name in frame.columns]
    for guess in guesses:
        if guess.name == target:
            _as_target(guess, frame[target], task)
        else:
            _role(guess)
    _one_of_each(guesses)
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


def _role(guess: Guess) -> None:
    """The role by name and values alone."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+", "_", guess.name.strip()).lower()
    if guess.present.empty:
        return
    distinct = guess.distinct
    unique = distinct == len(guess.typed)
    if suggests_identity(guess.name):
        guess.say("ignored", "by its name it identifies people", doubtful=True)
    elif guess.kind == "category" and any(map(_is_personal, guess.present.unique())):
        guess.say("ignored", "its values look personal", doubtful=True)
    elif distinct == 1:
        guess.say("ignored", "one value only", doubtful=True)
    elif unique and _is_id(guess, name):
        guess.say("id", "all values differ")
    elif guess.kind == "date":
        guess.say("time", "written as a number" if guess.disguised else "a date")
    elif (
        guess.kind == "integer"
        and YEAR_NAME.search(name)
        and guess.present.between(1800, 2200).all()
    ):
        guess.say("time", "a year, by its name")
    elif SENSITIVE.search(name):
        _sensitive(guess)
    elif guess.kind in ("integer", "text") and ID_NAME.search(name):
        guess.say("ignored", f"by its name an id, with {distinct} values", doubtful=True)
    elif guess.kind == "text":
        _of_texts(guess)
    elif guess.kind == "category":
        guess.reason = f"{distinct} values"


def _of_texts(guess: Guess) -> None:
    """Texts of several words are read by the model; short ones are something else."""
    if guess.present.str.fullmatch(WITH_UNIT).all():
        why = "numbers with a unit; make numbers of them in derive() of data.py"
        guess.say("ignored", why, doubtful=True)
    elif _words(guess) < WORDS:
        rows = len(guess.present)
        guess.say("ignored", f"{guess.distinct} short texts in {rows} rows: a code?", doubtful=True)
    else:
        guess.reason = "texts of several words"


def _is_personal(value: str) -> bool:
    return any(True for _ in find_personal_data(value))


def _is_id(guess: Guess, name: str) -> bool:
    if guess.kind == "text":
        return bool(ID_NAME.search(name)) or _words(guess) == 1
    if guess.gaps:
        return False
    steps = guess.typed.diff().dropna()
    return guess.kind == "integer" and (bool(ID_NAME.search(name)) or bool((steps == 1).all()))


def _words(guess: Guess) -> float:
    return float(guess.present.str.split().str.len().mean())


def _sensitive(guess: Guess) -> None:
    if guess.kind == "integer" and guess.distinct <= 10:
        guess.kind = "category"
        guess.typed = guess.typed.map(as_text, na_action="ignore").astype(object)
    if guess.kind == "category":
        guess.say("sensitive", "by its name", doubtful=True)
    else:
        guess.say(
            "ignored",
            "sensitive by its name; make groups of it in derive() of data.py",
            doubtful=True,
        )


def _one_of_each(guesses: list[Guess]) -> None:
    """Keep the first id and the first time that can be one; the others are ignored."""
    for guess in [guess for guess in guesses if guess.role == "id"][1:]:
        guess.say("ignored", "a second id", doubtful=True)
    times = [guess for guess in guesses if guess.role == "time"]
    usable = [guess for guess in times if not guess.gaps and guess.distinct >= 3]
    usable.sort(key=lambda guess: guess.kind != "date")
    for guess in times:
        if guess in usable[:1]:
            guess.doubtful = len(times) > 1
        elif guess.kind == "integer":
            guess.say("feature", "a year; another column is the time", doubtful=True)
        else:
            why = "has gaps" if guess.gaps else "another one is the time" if usable else "few dates"
            guess.say(
                "ignored", f"a date that {why}" if guess.gaps else f"a date; {why}", doubtful=True
            )


def _outward(value: float) -> float:
    """The next lower number with two digits that count."""
    if not value:
        return 0.0
    unit = 10.0 ** (np.ceil(np.log10(abs(value))) - 2)
    return float(f"{value // unit * unit:.12g}")


def _whole(value: float) -> float:
    """An int where it is one, as people write it."""
    return int(value) if value == int(value) else float(value)
