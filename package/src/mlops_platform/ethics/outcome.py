"""The result of one check, of any kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mlops_platform.evidence.ethics import CheckVerdict


@dataclass(frozen=True)
class Outcome:
    """The verdict, a message with its reason, and the next step; `details` go to ethics.json.

    `next_step` is empty when the check passed.
    """

    verdict: CheckVerdict
    message: str
    next_step: str = ""
    details: dict[str, Any] = field(default_factory=dict)
