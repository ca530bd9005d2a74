"""`.mlops/handled/events.json`: which events were handled, what was done, who was told what.

One file, replaced as a whole: an event counts as handled only together with what it led to. A
command that is killed before leaves it unhandled, and the next one does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from mlops_platform import evidence
from mlops_platform.core.paths import STATE
from mlops_platform.settings.team import Role, Team

FOLDER = Path(STATE, "handled")
FILE = "events.json"
KEPT = 5_000  # Event Grid tries for a day


class Told(evidence.Part):
    """Somebody who was told; `role` is why."""

    role: str
    address: str


class Handled(evidence.Part):
    """An event, what was done, and who was told."""

    id: str
    event: str
    at: str
    done: str
    message: str
    told: list[Told]


class Log(evidence.Part):
    """The file. `begun` are trainings that were decided on and have not ended, by event."""

    shape: Literal["events/1"] = "events/1"
    begun: dict[str, str] = Field(default_factory=dict)
    handled: list[Handled] = Field(default_factory=list)

    def find(self, event: str) -> Handled | None:
        """What was done on an event; None if it was not handled."""
        return next((each for each in self.handled if each.id == event), None)

    def begin(self, event: str, why: str) -> Log:
        """The log of when a training for an event has been decided on."""
        return self.model_copy(update={"begun": self.begun | {event: why}})

    def end(self, handled: Handled) -> Log:
        """The log of when an event is handled."""
        begun = {event: why for event, why in self.begun.items() if event != handled.id}
        kept = [*self.handled, handled][-KEPT:]
        return self.model_copy(update={"begun": begun, "handled": kept})


def load(root: Path) -> Log:
    """Read the log of a project; empty if there is none."""
    path = root / FOLDER / FILE
    return evidence.read(Log, path) if path.is_file() else Log()


def save(log: Log, root: Path) -> None:
    """Replace the log; whoever does holds the lock of its folder."""
    evidence.write(log, root / FOLDER / FILE)


def people(team: Team, roles: Sequence[Role]) -> list[Told]:
    """Who has these roles; for a role that nobody has, those on call."""
    told = []
    for role in roles:
        member = team.roles.get(role)
        reached = [member] if member else [each for each in team.roles.values() if each.on_call]
        told += [Told(role=role, address=each.address) for each in reached]
    return told


def now() -> str:
    """The current time in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
