"""What to write instead of a value that violates the contract; without the value itself."""

from __future__ import annotations

import re
from typing import Any

from mlops_platform.data.columns import Column
from mlops_platform.data.source import PLAIN, Source

MISSING = {"na", "n/a", "nan", "null", "none", "-", "?", "."}
ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
DAY_OR_MONTH = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})")
WHERE = "in `source:` of conf/data.yml"
COMMA = 'or write `decimal: ","` ' + WHERE


def suggest(column: Column, value: Any, source: Source = PLAIN) -> str:
    """The next step for a value that the column does not allow; empty if there is none to give."""
    if not isinstance(value, str):
        return ""
    text = value
    if text.strip().lower() in MISSING and text not in (column.values or ()):
        return f"leave the field of a missing value empty, or list the text as `missing` {WHERE}"
    if column.numeric:
        return _number(text, source)
    if column.kind == "date":
        return _date(text, source)
    if column.kind == "category" and text not in (column.values or ()):
        return _category(text, column.values or [])
    return ""


def _number(text: str, source: Source) -> str:
    if source.decimal == "," and re.fullmatch(r"\s*[-+]?\d+\.\d+\s*", text):
        return f"write numbers with a comma, as `decimal` {WHERE} says, and no point"
    if re.fullmatch(r"\s*[-+]?\d+,\d+\s*", text):
        return f"write numbers with a point, not a comma, {COMMA}"
    if re.fullmatch(r"\s*[-+]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?\s*", text):
        return "write numbers with one point, and nothing between thousands"
    if re.fullmatch(r"\s*[-+]?[\d.,' ]*\d\s*[^\d\s.,]+\s*|\s*[^\d\s.,+-]+\s*[\d.,]+\s*", text):
        return (
            "write the number alone, without a unit, or make the column `kind: text` with "
            "`role: input` and derive the number in data.py"
        )
    return ""


def _date(text: str, source: Source) -> str:
    """The format that the value has, if it is one that many write."""
    if source.date_format is not None:
        return f'write dates as `date_format: "{source.date_format}"` {WHERE} says'
    if ISO.match(text):
        return ""
    if not (found := DAY_OR_MONTH.match(text.strip())):
        return f"write a date as 2024-12-31, or say how it is written: `date_format` {WHERE}"
    first, separator, second, year = found.groups()
    order = ["%m", "%d"] if int(second) > 12 or (separator == "/" and int(first) <= 12) else None
    written = separator.join([*(order or ["%d", "%m"]), "%Y" if len(year) == 4 else "%y"])
    return f'write a date as 2024-12-31, or write `date_format: "{written}"` {WHERE}'


def _category(text: str, values: list[str]) -> str:
    if text.strip() in values:
        return "remove the spaces around it"
    if text.strip().lower() in {value.lower() for value in values}:
        return "write it in the small and capital letters of `values`"
    return ""
