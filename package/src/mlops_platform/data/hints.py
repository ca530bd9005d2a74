"""What to write instead of a value that violates the contract; without the value itself."""

from __future__ import annotations

import re
from typing import Any

from mlops_platform.data.columns import Column

MISSING = {"na", "n/a", "nan", "null", "none", "-", "?", "."}
ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


def suggest(column: Column, value: Any) -> str:
    """The next step for a value that the column does not allow; empty if there is none to give."""
    if not isinstance(value, str):
        return ""
    text = value
    if text.strip().lower() in MISSING and text not in (column.values or ()):
        return "leave the field of a missing value empty"
    if column.numeric:
        return _number(text)
    if column.kind == "date" and not ISO.match(text):
        return "write a date as 2024-12-31"
    if column.kind == "category" and text not in (column.values or ()):
        return _category(text, column.values or [])
    return ""


def _number(text: str) -> str:
    if re.fullmatch(r"\s*[-+]?\d+,\d+\s*", text):
        return "write numbers with a point, not a comma"
    if re.fullmatch(r"\s*[-+]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?\s*", text):
        return "write numbers with one point, and nothing between thousands"
    if re.fullmatch(r"\s*[-+]?[\d.,' ]*\d\s*[^\d\s.,]+\s*|\s*[^\d\s.,+-]+\s*[\d.,]+\s*", text):
        return "write the number alone, without a unit"
    return ""


def _category(text: str, values: list[str]) -> str:
    if text.strip() in values:
        return "remove the spaces around it"
    if text.strip().lower() in {value.lower() for value in values}:
        return "write it in the small and capital letters of `values`"
    return ""
