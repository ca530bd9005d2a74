"""What was found of a fact: yes, no, or unknown with the reason. Unknown is not yes."""

from __future__ import annotations

from typing import Literal, NamedTuple

Verdict = Literal["yes", "no", "unknown"]


class Finding(NamedTuple):
    """A verdict, and where its evidence is or what is missing there."""

    verdict: Verdict
    where: str


def yes(where: str) -> Finding:
    """The fact is there."""
    return Finding("yes", where)


def no(where: str) -> Finding:
    """It is not."""
    return Finding("no", where)


def unknown(where: str) -> Finding:
    """It cannot be said from here."""
    return Finding("unknown", where)


def judge(holds: bool, where: str, missing: str = "") -> Finding:
    """Yes or no; `missing` replaces the text of a no."""
    return yes(where) if holds else no(missing or where)
