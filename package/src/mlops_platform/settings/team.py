"""Schema of conf/team.yml: who has which role, and how CI logs in."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from mlops_platform.core.files import read_yaml
from mlops_platform.settings.parsing import Settings, parse

UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
ADDRESS = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
Role = Literal[
    "data_scientist",
    "ml_engineer",
    "model_validator",
    "data_engineer",
    "data_reader",
    "domain_expert",
]


class Member(Settings):
    """Who has a role: the object id of a group in Entra ID, the address for its alerts."""

    group: str | None = Field(default=None, pattern=UUID)
    address: str = Field(pattern=ADDRESS)
    on_call: bool = False


class Ci(Settings):
    """How CI's identities log in: the issuer of its tokens, and the subject of each identity."""

    issuer: str = Field(pattern=r"^https://\S+$")
    subjects: dict[Literal["dev", "share", "staging", "prod"], str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_identity_each(self) -> Ci:
        if len(set(self.subjects.values())) < len(self.subjects):
            raise ValueError("two of `subjects` are the same, so one job could act as another")
        return self


class Team(Settings):
    """conf/team.yml. `sponsor` pays, and decides whether to go on; the rest matters in Azure."""

    roles: dict[Role, Member]
    sponsor: str | None = Field(default=None, min_length=1)
    definitions: str = Field(default="own", min_length=1)
    just_in_time: bool = True
    ci: Ci | None = None

    @model_validator(mode="after")
    def _somebody_is_called(self) -> Team:
        if not any(member.on_call for member in self.roles.values()):
            raise ValueError("nobody is on call; write `on_call: true` for a role")
        return self


def load_team(conf: Path) -> Team:
    """Read conf/team.yml."""
    return parse(Team, read_yaml(conf / "team.yml"), conf / "team.yml")
