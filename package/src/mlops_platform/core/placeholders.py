"""Finds what a page lacks: placeholders such as TODO, and text."""

from __future__ import annotations

import re

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
MIN_LETTERS = 20  # of a text that says something
PLACEHOLDER = re.compile(
    r"\b(?:todo|tbd|fixme|xxx|lorem ipsum|fill (?:this )?in|to be (?:done|written|defined))\b"
    r"|<[a-z][a-z ]*>|\[\.\.\.\]|^\s*\.\.\.\s*$",
    re.IGNORECASE | re.MULTILINE,
)


def find(text: str) -> str | None:
    """The first placeholder in a text; None without one."""
    match = PLACEHOLDER.search(text)
    return match[0].strip() if match else None


def without_comments(text: str) -> str:
    """A page without its comments, which readers do not see."""
    return COMMENT.sub("", text)


def gap(text: str) -> str:
    """Why a text is not written, as the end of a sentence; empty if it is."""
    if placeholder := find(text):
        return f"still has the placeholder `{placeholder}`"
    return "is empty" if len("".join(text.split())) < MIN_LETTERS else ""
