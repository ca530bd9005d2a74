"""Guesses the role of a column by its name and values, with the reason."""

from __future__ import annotations

import re

from mlops_platform.data.columns import as_text
from mlops_platform.draft.guess import Guess
from mlops_platform.ethics.personal import find_personal_data, suggests_identity

WORDS = 3  # a text with so many words on average is written by people
GROUPS = 20  # fewer cannot be divided into three parts
ROWS_PER_GROUP = 1.5
ID_NAME = re.compile(r"(^|_)(id|ids|uuid|guid|key|nr|no|num|number)$|^[a-z]+id$")
YEAR_NAME = re.compile(r"(^|_)(year|jahr)$")
SENSITIVE = re.compile(
    r"(^|_)(sex|gender|race|ethnicity|ethnic_group|religion|nationality|citizenship|disability"
    r"|marital_status|age|age_?(band|group|class|range)|sexual_orientation|pregnant|geschlecht)$"
)
WITH_UNIT = re.compile(r"[€$£]?\s*[-+]?\d[\d.,]*\s*(%|€|\$|£|[a-zA-Z°]{1,3})?")


def assign(guess: Guess) -> None:
    """Give a column, which is not the target, its role by name and values alone."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+", "_", guess.name.strip()).lower()
    if guess.present.empty:
        return
    distinct = guess.distinct
    unique = distinct == len(guess.typed)
    if suggests_identity(guess.name):
        guess.say("ignored", "by its name it identifies people", doubtful=True)
    elif guess.kind == "category" and any(map(looks_personal, guess.present.unique())):
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


def looks_personal(value: str) -> bool:
    """Whether a value holds personal data, such as an e-mail address."""
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


def repeats(guess: Guess) -> bool:
    """Whether it looks like ids whose values repeat: rows of one are more alike than others."""
    if guess.role not in ("group", "ignored") or guess.kind not in ("text", "integer"):
        return False
    if guess.kind == "text" and guess.present.str.fullmatch(WITH_UNIT).all():
        return False  # quantities
    return guess.distinct >= GROUPS and len(guess.present) >= ROWS_PER_GROUP * guess.distinct


def settle(guesses: list[Guess]) -> None:
    """Keep the first id, time and group that can be one; the others are ignored."""
    _one_id_and_time(guesses)
    group = next((guess for guess in guesses if repeats(guess) and not guess.gaps), None)
    if group is not None:
        rows = len(group.present)
        why = f"{group.distinct} values in {rows} rows, and rows of one may be alike"
        group.say("group", f"{group.reason}; {why}", doubtful=True)


def _one_id_and_time(guesses: list[Guess]) -> None:
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
