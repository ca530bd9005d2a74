"""A column of the data contract: its kind, its role and its allowed values."""

from __future__ import annotations

import math
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mlops_platform.settings import Settings

Kind = Literal["number", "integer", "category", "text", "date"]
Role = Literal["feature", "target", "id", "time", "sensitive", "ignored"]
MAX_TEXT = 10_000
EXACT = 2**53 - 1  # up to here, each integer is one float64, and no other integer is the same


class Column(Settings):
    """The kind, role and allowed values of one column.

    `missing` is the largest allowed share of missing values.
    """

    kind: Kind
    role: Role = "feature"
    about: str = ""
    min: float | date | None = None
    max: float | date | None = None
    values: list[str] | None = None
    positive: str | None = None
    missing: float = Field(default=0, ge=0, lt=1)

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.kind in ("number", "integer")

    @model_validator(mode="after")
    def _consistent(self) -> Column:
        if (self.values is not None) != (self.kind == "category") or self.values == []:
            raise ValueError("`values` is required for `kind: category`, and only allowed there")
        if self.values is not None and (len(set(self.values)) != len(self.values)):
            raise ValueError("`values` has a duplicate value")
        bounds = [bound for bound in (self.min, self.max) if bound is not None]
        if bounds and not (self.numeric or self.kind == "date"):
            raise ValueError("`min` and `max` are only allowed for numbers and dates")
        if any(isinstance(bound, date) != (self.kind == "date") for bound in bounds):
            raise ValueError(
                "`min` and `max` must have the column's kind: a number, or a date as 2024-12-31"
            )
        if len(bounds) == 2 and not bounds[0] <= bounds[1]:  # type: ignore[operator]
            raise ValueError("`min` is above `max`")
        if self.kind == "date" and self.role == "feature":
            raise ValueError("a date cannot be a feature; derive numbers from it in data.py")
        if self.role in ("target", "id", "time") and self.missing:
            raise ValueError(f"`missing` is not allowed for `role: {self.role}`")
        if self.role == "time" and self.kind not in ("date", "integer"):
            raise ValueError("`role: time` needs a date or an integer (for example, a year)")
        if self.role == "sensitive" and self.kind != "category":
            raise ValueError("`role: sensitive` needs a category; bin numbers in data.py")
        if self.positive is not None and self.positive not in (self.values or []):
            raise ValueError("`positive` is not one of `values`")
        return self


def as_text(value: Any, known: frozenset[str] = frozenset()) -> str:
    """A value of a category or text; a number that is whole is written without `.0`.

    pandas reads integers as floats where a value is missing. A text is kept as it is, but for a
    category that `known` has only without its `.0`.
    """
    text = str(value)
    whole = text.removesuffix(".0")
    if isinstance(value, str):
        return whole if text not in known and whole in known else text
    return text if text in known else whole


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
    return Annotated[str, Field(max_length=MAX_TEXT)]  # a number is no text where JSON says so


def _without_empty(value: Any) -> Any:
    return None if value == "" else value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _category(value: Any, known: frozenset[str]) -> Any:
    is_text = isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    return as_text(value, known) if is_text else value
