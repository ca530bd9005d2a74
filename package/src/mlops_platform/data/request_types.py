"""The types of values in requests."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mlops_platform.data.columns import EXACT, MAX_TEXT, Column, as_text


def request_type(column: Column) -> Any:
    """The type of the column's values in a request: what a file may hold, a request may, too.

    As a file's empty field, an empty text is a missing value. JSON knows no integers: 1 and 1.0
    are one number, as they are in a file.
    """
    inner = _present_type(column)
    optional = bool(column.missing) or column.role == "id"
    return Annotated[inner | None if optional else inner, BeforeValidator(_without_empty)]


def _present_type(column: Column) -> Any:
    if column.kind == "category":
        values = tuple(column.values or [])
        return Annotated[
            Literal[values], BeforeValidator(partial(_category, known=frozenset(values)))
        ]
    if column.kind == "integer":
        low = -EXACT if column.min is None else max(-EXACT, math.ceil(column.min))  # type: ignore[arg-type]
        high = EXACT if column.max is None else min(EXACT, int(column.max // 1))  # type: ignore[operator]
        return Annotated[int, Field(ge=low, le=high), BeforeValidator(_whole)]
    if column.kind == "number":
        return Annotated[float, Field(ge=column.min, le=column.max)]
    if column.kind == "date":
        return Annotated[
            str, Field(max_length=MAX_TEXT), AfterValidator(partial(_date, column=column))
        ]
    return Annotated[str, Field(max_length=MAX_TEXT)]  # a number is no text where JSON says so


def _date(value: str, column: Column) -> str:
    """A date of a request; judged as one of a file is."""
    from mlops_platform.data import values  # noqa: PLC0415  pandas takes a second to import

    if fault := values.date_fault(value, column.min, column.max):
        raise PydanticCustomError("date", "{fault}", {"fault": fault})
    return value


def _without_empty(value: Any) -> Any:
    return None if value == "" else value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _category(value: Any, known: frozenset[str]) -> Any:
    is_text = isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    return as_text(value, known) if is_text else value
