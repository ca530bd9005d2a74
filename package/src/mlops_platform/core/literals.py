"""Literal values of inputs, as Azure ML reads them: it sends each as text and parses it by type.

So `224` is a string for an input of type string, and `1e-3`, text in YAML 1.1, is a number.
"""

from __future__ import annotations

import re
from math import inf, isfinite
from typing import Any

# A number in YAML 1.2 and JSON, which Azure ML's services read; YAML 1.1 needs a point and a sign.
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
WHOLE = re.compile(r"[-+]?\d{1,300}")  # Python refuses thousands of digits
BOOLEANS = {"true": True, "false": False}


def convert(value: Any, kind: str) -> str | int | float | bool | None:
    """The value of an input of type `kind`; None if it is not of that type."""
    if not isinstance(value, str | int | float) or (
        isinstance(value, float) and not isfinite(value)
    ):
        return None
    if kind == "string":
        return str(value)
    if kind == "boolean":
        return BOOLEANS.get(str(value).strip().lower())
    return None if isinstance(value, bool) else _number(str(value).strip(), kind)


def _number(text: str, kind: str) -> int | float | None:
    if kind == "integer" and WHOLE.fullmatch(text):
        return int(text)
    number = float(text) if NUMBER.fullmatch(text) else inf
    if not isfinite(number):
        return None
    if kind == "integer":
        return int(number) if number.is_integer() else None
    return number
