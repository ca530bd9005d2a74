"""Roles of a version and their tags, the same on this machine and in Azure ML.

champion (serves), challenger (may become champion), archived, rejected, rolled_back. If an
interrupted change left two champions, the later one counts.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

MODEL_HASH = "model_hash"  # the tag that binds a version to its model
FINDINGS = "findings"  # what a person looks at before `promote`
Role = Literal["champion", "challenger", "archived", "rejected", "rolled_back"]


@dataclass(frozen=True)
class Version:
    """A registered version of the model."""

    number: str
    run_id: str
    tags: dict[str, str]

    @property
    def role(self) -> str:
        """The version's role."""
        return self.tags.get("role", "unknown")

    @property
    def since(self) -> str:
        """When it took its role: UTC, ISO 8601, so that text order is time order."""
        return self.tags.get("role_since", "")

    @property
    def model_hash(self) -> str | None:
        """The hash of its model's files; None if an earlier release registered it."""
        return self.tags.get(MODEL_HASH)


def current_user() -> str:
    """The current user: the actor of the pipeline in CI, else the user of this machine."""
    for name in ("GITHUB_ACTOR", "BUILD_REQUESTEDFOR", "MLOPS_USER"):
        if os.environ.get(name):
            return os.environ[name]
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def stamp(role: Role, why: str, by: str | None = None) -> dict[str, str]:
    """Tags of a role: why, who, when (in UTC, so that text order is time order), and the role."""
    return {
        "role_why": why,
        "role_by": by or current_user(),
        "role_since": datetime.now(UTC).isoformat(timespec="microseconds"),
        "role": role,
    }
