"""Finds placeholders in text, such as TODO."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(
    r"\b(?:todo|tbd|fixme|xxx|lorem ipsum|fill (?:this )?in|to be (?:done|written|defined))\b"
    r"|<[a-z][a-z ]*>|\[\.\.\.\]|^\s*\.\.\.\s*$",
    re.IGNORECASE | re.MULTILINE,
)


def find(text: str) -> str | None:
    """The first placeholder in a text; None without one."""
    match = PLACEHOLDER.search(text)
    return match[0].strip() if match else None
