"""The state of a tile, and how alerts make one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from mlops_platform.alerts.evaluate import Verdict
from mlops_platform.dashboard.tiles import Tile

Word = Literal["good", "unknown", "warning", "bad"]
ORDER: tuple[Word, ...] = ("good", "unknown", "warning", "bad")  # the last one counts


class Part(NamedTuple):
    """One thing that a tile looks at; `next` is the command for it."""

    word: Word
    why: str
    next: str = ""


@dataclass(frozen=True)
class History:
    """Numbers of before, the oldest first, and what they are."""

    label: str
    values: Sequence[float]


@dataclass(frozen=True)
class State:
    """A tile's state: one figure, why, and the command to run next; empty if none is needed."""

    tile: Tile
    word: Word
    figure: str
    why: str
    next: str = ""
    history: History | None = None

    def line(self) -> str:
        """One line for people."""
        ask = f" Next: `{self.next}`." if self.next else ""
        return f"{self.tile.title}: {self.word}, {self.figure}; {self.why.rstrip('.')}.{ask}"

    def plain(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "tile": self.tile.name,
            "state": self.word,
            "figure": self.figure,
            "why": self.why,
            "next": self.next or None,
        }


def combine(
    tile: Tile, figure: str, parts: Sequence[Part], history: History | None = None
) -> State:
    """The state of a tile: the worst of its parts counts, with the reasons of all as bad.

    Of a good one the first part says enough.
    """
    word = max((part.word for part in parts), key=ORDER.index)
    worst = [part for part in parts if part.word == word]
    worst = worst[:1] if word == "good" else worst
    why = "; ".join(dict.fromkeys(part.why for part in worst))
    command = next((part.next for part in worst if part.next), "") if word != "good" else ""
    return State(tile, word, figure, why, command, history)


def of_alerts(tile: Tile, verdicts: Sequence[Verdict], command: str) -> list[Part]:
    """What the alerts of a tile's measures say of it; `command` is the one to run if they fire.

    A page is bad and a ticket a warning, and so is what has not been above its limit long enough.
    A measure that no alert watches is not good, as nobody has said what is.
    """
    parts = []
    for measure in tile.measures:
        mine = [each for each in verdicts if each.alert.measure == measure]
        parts += [_of(each, command) for each in mine]
        if not mine:
            parts.append(Part("unknown", f"no alert of conf/alerts.yml watches `{measure}`"))
    return parts


def _of(verdict: Verdict, command: str) -> Part:
    alert = verdict.alert
    if verdict.value is None:
        return Part("unknown", verdict.why, command)
    why = f"{verdict.name}: {verdict.value:.4g}, limit {alert.above:g}"
    if verdict.word == "silent":
        return Part("good", why)
    if verdict.word == "pending":
        return Part("warning", f"{why}, not yet for {alert.lasting}", command)
    word: Word = "bad" if alert.severity == "page" else "warning"
    return Part(word, f"{why}; {alert.severity} to {alert.role.replace('_', ' ')}", command)
