"""Validators of values. schemas/ combines them, and each validates a node.

A binding `${{...}}` may replace any scalar; rules/ check bindings.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_platform.core.literals import convert
from mlops_platform.schemas.nodes import Node, Problem

# The words and numbers that azure-ai-ml reads as true or false.
FLAGS = {"true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0"}


class Validator(Protocol):
    """Validates a value."""

    def validate(self, node: Node) -> Iterator[Problem]:
        """Find the problems of a value."""


def is_binding(value: Any) -> bool:
    """Whether a value is a binding, which Azure ML resolves."""
    return isinstance(value, str) and "${{" in value


def join_names(names: Any) -> str:
    """Join names for a message."""
    return ", ".join(sorted(str(name) for name in names)) or "none"


def nearest(name: str, names: Any) -> str:
    """The known name that was probably meant, else all of them."""
    close = difflib.get_close_matches(name, [str(known) for known in names], 1, 0.75)
    return f"`{close[0]}`" if close else f"one of {join_names(names)}"


@dataclass(frozen=True)
class Anything:
    """Any value."""

    def validate(self, node: Node) -> Iterator[Problem]:
        """Find no problems."""
        yield from ()


@dataclass(frozen=True)
class Text:
    """A string. `example` explains `pattern`.

    `allow_integer` accepts 3 for "3". `allow_float` accepts 1.10 too, but YAML makes 1.1 of it, so
    a house rule wants quotes. `allow_scalars` accepts whatever Azure ML makes a text of.
    """

    pattern: str = ""
    example: str = ""
    max_length: int = 0
    allow_integer: bool = False
    allow_float: bool = False
    allow_scalars: bool = False

    def validate(self, node: Node) -> Iterator[Problem]:
        """Another type, no match with the pattern, too long, or empty."""
        value = node.value
        if isinstance(value, dict | list):
            yield node.problem(f"expected a text, got {_kind(value)}; write one value")
        elif self.allow_scalars and not isinstance(value, str):
            return
        elif value is None:
            yield node.problem(f"expected a text, got {_kind(value)}; write one value")
        elif self.allow_integer and type(value) is int and value >= 0:
            return
        elif self.allow_float and type(value) is float:
            message = f"is the number {value!r} to YAML, which reads 1.10 as 1.1; put it in quotes"
            yield node.problem(message, house=True)
        elif not isinstance(value, str):
            yield node.problem(f"expected a text, got {value!r}; put it in quotes")
        elif not value.strip():
            yield node.problem("is empty; write a value, or remove the field")
        elif is_binding(value):
            return
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield node.problem(f"{value!r} is not allowed; write {self.example}")
        elif self.max_length and len(value) > self.max_length:
            yield node.problem(
                f"has {len(value)} characters; write at most {self.max_length}, as Azure ML allows"
            )


@dataclass(frozen=True)
class Number:
    """A number between `low` and `high`, both allowed; `integer` allows no fractions.

    As in azure-ai-ml, a text that is a number is one: YAML 1.1 reads 1e-3 as text.
    """

    low: float | None = None
    high: float | None = None
    integer: bool = False

    def validate(self, node: Node) -> Iterator[Problem]:
        """Another type, or out of range."""
        value = node.value
        if is_binding(value):
            return
        what = "whole number" if self.integer else "number"
        number = convert(value, "integer" if self.integer else "number")
        if not isinstance(number, int | float):
            yield node.problem(f"expected a {what}, got {_kind(value)}; write {self._range(what)}")
        elif not self._inside(number):
            yield node.problem(f"{value} is out of range; write {self._range(what)}")

    def _inside(self, value: float) -> bool:
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)

    def _range(self, what: str) -> str:
        parts = [f"from {self.low}"] if self.low is not None else []
        parts += [f"to {self.high}"] if self.high is not None else []
        return f"a {what} {' '.join(parts)}".rstrip()


def integer(low: float | None = None, high: float | None = None) -> Number:
    """A whole number."""
    return Number(low, high, integer=True)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def validate(self, node: Node) -> Iterator[Problem]:
        """Another type."""
        if str(node.value).lower() not in FLAGS and not is_binding(node.value):
            yield node.problem(
                f"expected true or false, got {_kind(node.value)}; write one of them"
            )


class OneOf:
    """One of a few words, in any case; Azure ML also accepts LowPriority for low_priority."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def validate(self, node: Node) -> Iterator[Problem]:
        """Another word."""
        if is_binding(node.value):
            return
        given = node.value if isinstance(node.value, str) else ""
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", given).lower()
        if snake not in self.words and given.lower() not in self.words:
            what = _kind(node.value)
            yield node.problem(f"{what} is not known here; write {nearest(given, self.words)}")


@dataclass(frozen=True)
class ListOf:
    """A list of at least `min_items` items with the same validator."""

    item: Validator
    min_items: int = 0

    def validate(self, node: Node) -> Iterator[Problem]:
        """No list, too few items, or an invalid item."""
        if not isinstance(node.value, list):
            yield node.problem(f"expected a list, got {_kind(node.value)}; write `- ` lines")
            return
        if len(node.value) < self.min_items:
            yield node.problem(f"is empty; write at least {self.min_items}, or remove the field")
        for item in node.value:
            yield from self.item.validate(item)


@dataclass(frozen=True)
class Named:
    """A mapping with names that the team chooses; all values have the same validator."""

    item: Validator
    pattern: str = ""

    def validate(self, node: Node) -> Iterator[Problem]:
        """No mapping, an invalid name, or an invalid value."""
        if not isinstance(node.value, dict):
            yield node.problem(f"expected names with values, got {_kind(node.value)}; write `a: b`")
            return
        for name, item in node.value.items():
            if self.pattern and not re.fullmatch(self.pattern, name):
                yield item.problem(
                    "is not a valid name; write letters, digits and _, a letter first"
                )
            yield from self.item.validate(item)


@dataclass(frozen=True)
class Locally:
    """A field that the local runner uses, or ignores because it changes nothing there."""

    validator: Validator
    ignored: bool


Field = Validator | Locally


def used(validator: Validator) -> Locally:
    """A field that the local runner uses."""
    return Locally(validator, ignored=False)


def ignored(validator: Validator) -> Locally:
    """A field that changes nothing in a local run, such as the size of a machine."""
    return Locally(validator, ignored=True)


class Fields:
    """A mapping with known fields. A name that ends in `!` is required.

    The local runner accepts those that are `used` or `ignored`, and refuses the others: a new field
    is refused until somebody decides what it means there. Where Azure ML does not look at unknown
    fields, they are only against the house rules (`lenient`): it ignores what was meant.
    """

    def __init__(self, table: Mapping[str, Field], *, lenient: bool = False) -> None:
        self.lenient = lenient
        fields = {name.rstrip("!"): field for name, field in table.items()}
        self.validators = {
            name: field.validator if isinstance(field, Locally) else field
            for name, field in fields.items()
        }
        self.required = [name.rstrip("!") for name in table if name.endswith("!")]
        local = {name: field for name, field in fields.items() if isinstance(field, Locally)}
        self.used = {name for name, field in local.items() if not field.ignored}
        self.ignored = {name for name, field in local.items() if field.ignored}

    def refuse_locally(self, name: str) -> str | None:
        """The reason why the local runner refuses a field; None if it does not."""
        if name in self.used | self.ignored:
            return None
        if name in self.validators:
            return f"local runs do not support it; they use {join_names(self.used)}"
        return (
            "local runs do not support it, and Azure ML does not know it; write "
            f"{self._meant(name)}"
        )

    def validate(self, node: Node) -> Iterator[Problem]:
        """No mapping, or an unknown, missing or invalid field."""
        if not isinstance(node.value, dict):
            yield node.problem(
                f"expected fields, got {_kind(node.value)}; write `key: value` lines"
            )
            return
        for name in self.required:
            if name not in node.value:
                yield node.missing(name, "is missing; write it")
        for name, item in node.value.items():
            if name not in self.validators:
                message = f"Azure ML does not know this field; write {self._meant(name)}"
                yield item.problem(message, house=self.lenient)
            else:
                yield from self.validators[name].validate(item)

    def _meant(self, name: str) -> str:
        return nearest(name, [known for known in self.validators if known != "$schema"])


class ByType:
    """A mapping whose field `type` (or `by`) decides which other fields it has."""

    def __init__(
        self, tables: Mapping[str, Validator], default: str = "", by: str = "type"
    ) -> None:
        self.tables = tables
        self.default = default
        self.by = by

    def validate(self, node: Node) -> Iterator[Problem]:
        """No mapping, an unknown type, or a problem with the fields of that type."""
        if not isinstance(node.value, dict):
            yield node.problem(
                f"expected fields, got {_kind(node.value)}; write `key: value` lines"
            )
            return
        given = node.get(self.by)
        name = str(given.value).lower() if given else self.default
        if not name:
            yield node.missing(self.by, f"is missing; write one of {join_names(self.tables)}")
        elif name not in self.tables:
            at = given or node
            yield at.problem(f"{name!r} is not known here; write {nearest(name, self.tables)}")
        else:
            yield from self.tables[name].validate(node)


@dataclass(frozen=True)
class Either:
    """Validators for a mapping, for a list if it is given, and for other values."""

    scalar: Validator
    mapping: Validator
    list_validator: Validator | None = None

    def validate(self, node: Node) -> Iterator[Problem]:
        """The problems of the validator that applies."""
        if isinstance(node.value, dict):
            yield from self.mapping.validate(node)
        elif isinstance(node.value, list) and self.list_validator is not None:
            yield from self.list_validator.validate(node)
        else:
            yield from self.scalar.validate(node)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "fields" if isinstance(value, dict) else "a list"
    return repr(value)
