"""Roles of a version and the tags that say them: on this machine and in Azure ML the same.

champion (serves), challenger (may become champion), archived, rejected, rolled_back. Where an
interrupted change left two champions, the later one counts.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Role = Literal["champion", "challenger", "archived", "rejected", "rolled_back"]


@dataclass(frozen=True)
class Version:
    """One registered version."""

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


def current_user() -> str:
    """Who acts: the pipeline's actor in CI, else the user of this machine."""
    for name in ("GITHUB_ACTOR", "BUILD_REQUESTEDFOR", "MLOPS_USER"):
        if os.environ.get(name):
            return os.environ[name]
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def stamp(role: Role, why: str, by: str | None = None) -> dict[str, str]:
    """Who, why, when, and last the role; the time is UTC, so that text order is time order."""
    return {
        "role_why": why,
        "role_by": by or current_user(),
        "role_since": datetime.now(UTC).isoformat(timespec="microseconds"),
        "role": role,
    }
