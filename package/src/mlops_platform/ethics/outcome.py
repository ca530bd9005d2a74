"""What a check of any kind says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mlops_platform.evidence.ethics import Word


@dataclass(frozen=True)
class Finding:
    """The word, one sentence of what was found, and what to do next; `figures` go to ethics.json.

    `next` is empty where the check passed.
    """

    word: Word
    message: str
    next: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
