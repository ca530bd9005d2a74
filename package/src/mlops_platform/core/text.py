"""Helpers for the text of messages."""

from __future__ import annotations


def pluralize(number: int, noun: str) -> str:
    """The number with its noun: `1 row`, `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
