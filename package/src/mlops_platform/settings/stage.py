"""Schema of conf/stage.yml: the decisions whether the project goes on."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mlops_platform.core.files import read_yaml
from mlops_platform.settings.parsing import Settings, parse

FILE = "stage.yml"
Next = Literal["develop", "operate", "stop"]
State = Literal["met", "open", "unknown"]
Text = Annotated[str, Field(min_length=1)]


class Exemption(Settings):
    """A criterion that was not met: who goes on despite it, and until when."""

    criterion: Text
    by: Text
    until: datetime.date


class Decision(Settings):
    """One decision, with the criteria as they were; `commit` is empty outside git."""

    to: Next
    why: Text
    by: Text
    date: datetime.date
    commit: str
    criteria: dict[str, State]
    despite: tuple[Exemption, ...] = ()


class Decisions(Settings):
    """conf/stage.yml: all decisions, oldest first."""

    decisions: tuple[Decision, ...] = ()

    @property
    def last(self) -> Decision | None:
        """The decision that counts; None before the first."""
        return self.decisions[-1] if self.decisions else None

    @property
    def exemptions(self) -> tuple[Exemption, ...]:
        """The open criteria despite which the project goes on."""
        return self.last.despite if self.last else ()


def load_decisions(conf: Path) -> Decisions | None:
    """Read conf/stage.yml; None without the file, as in projects of before."""
    path = conf / FILE
    return parse(Decisions, read_yaml(path), path) if path.exists() else None


def tell(exemption: Exemption, today: datetime.date | None = None) -> str:
    """An exemption as part of a sentence; with `today`, also whether it is over."""
    over = today is not None and exemption.until < today
    word = "expired on" if over else "until"
    return f"despite `{exemption.criterion}`, {word} {exemption.until} ({exemption.by})"


def describe(conf: Path, stage: str, today: datetime.date | None = None) -> str:
    """The stage in conf/project.yml, that it was stopped, and what it goes on despite."""
    found = load_decisions(conf) or Decisions()
    stopped = ["stopped"] if found.last and found.last.to == "stop" else []
    return ", ".join([stage, *stopped, *(tell(each, today) for each in found.exemptions)])
