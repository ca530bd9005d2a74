"""A column of the data contract: its kind, its role and its allowed values."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field, model_validator

from mlops_platform.settings import Settings

Kind = Literal["number", "integer", "category", "text", "date"]
Role = Literal["feature", "input", "target", "id", "time", "group", "sensitive", "ignored"]
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
            raise ValueError(
                "a date cannot be a feature; give it `role: input`, and derive numbers from it "
                "in derive() of data.py"
            )
        if self.role in ("target", "id", "time", "group") and self.missing:
            raise ValueError(f"`missing` is not allowed for `role: {self.role}`")
        if self.role == "time" and self.kind not in ("date", "integer"):
            raise ValueError("`role: time` needs a date or an integer (for example, a year)")
        if self.role == "group" and self.kind not in ("text", "integer", "category"):
            raise ValueError("`role: group` needs a text, an integer or a category")
        if self.role == "sensitive" and self.kind != "category":
            raise ValueError(
                "`role: sensitive` needs a category; bin numbers in derive() of data.py"
            )
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
