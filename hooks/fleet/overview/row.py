"""What is told of one project. What its last commit does not say is None, and never guessed."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Kind = Literal["models", "components", "environments", "packages", "data", "existing work"]
State = Literal["read", "in part", "failed"]


@dataclass(frozen=True)
class Asset:
    """Something that a project has or uses.

    `origin` says whose it is: `template`, `own`, a registry, or where it is written. `users` are
    those who use it, if that is not the project itself.
    """

    kind: Kind
    name: str
    origin: str
    users: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Pending:
    """Something that a person has to decide: until a day, or None where there is none."""

    what: str
    until: date | None = None


@dataclass(frozen=True)
class Maturity:
    """The line that `poe maturity` wrote into README.md."""

    overall: int
    dimensions: dict[str, int]
    measured: date


@dataclass(frozen=True)
class Cost:
    """What a month may cost, and what this month cost up to now where the project ran.

    `azure` is in the currency of the subscription, the others in `currency`.
    """

    azure: float | None = None
    machine: float | None = None
    currency: str | None = None
    seconds: float | None = None
    spent: float | None = None


@dataclass(frozen=True)
class Drift:
    """What `fleet status` found: the state of the update, and the number of files."""

    state: str
    drift: int
    conflicts: int


@dataclass(frozen=True)
class Project:
    """A project of the list. `problems` says what could not be read, and why."""

    place: str
    name: str
    state: State = "failed"
    problems: list[str] = field(default_factory=list)
    commit: str | None = None
    template: str | None = None
    version: str | None = None
    newest: str | None = None
    behind: int | None = None
    package: str | None = None
    team: str | None = None
    stage: str | None = None
    maturity: Maturity | None = None
    pending: list[Pending] = field(default_factory=list)
    cost: Cost = Cost()
    assets: list[Asset] = field(default_factory=list)
    update: Drift | None = None
    seconds: float = 0.0
    copies: dict[str, str] = field(default_factory=dict, repr=False)  # hash to path

    def needs_attention(self) -> bool:
        """Whether a person has to act: something could not be read."""
        return self.state != "read"
