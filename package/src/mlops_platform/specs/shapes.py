"""Shapes of values. A table of fields is made of them, and a node is held against one.

Where Azure ML reads `${{...}}`, a binding may stand in place of every scalar; rules/ look into it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_platform.specs.nodes import Fault, Node


class Shape(Protocol):
    """What a value must look like."""

    def faults(self, node: Node) -> Iterator[Fault]:
        """What does not."""


def is_binding(value: Any) -> bool:
    """Whether a value is for Azure ML to fill in."""
    return isinstance(value, str) and "${{" in value


def listed(names: Any) -> str:
    """Names for a message."""
    return ", ".join(sorted(str(name) for name in names)) or "none"


def nearest(name: str, names: Any) -> str:
    """The known name that was probably meant, or all of them."""
    close = difflib.get_close_matches(name, [str(known) for known in names], 1, 0.75)
    return f"`{close[0]}`" if close else f"one of {listed(names)}"


@dataclass(frozen=True)
class Anything:
    """Not looked at."""

    def faults(self, node: Node) -> Iterator[Fault]:
        """None."""
        yield from ()


@dataclass(frozen=True)
class Text:
    """A string. `like` says in words what `pattern` means; `or_whole` takes 3 for "3"."""

    pattern: str = ""
    like: str = ""
    at_most: int = 0
    or_whole: bool = False

    def faults(self, node: Node) -> Iterator[Fault]:
        """Another type, a name that breaks the pattern, too long, or empty."""
        value = node.value
        if isinstance(value, dict | list) or value is None:
            yield node.fault(f"expected a text, got {_kind(value)}; write one value")
        elif self.or_whole and type(value) is int and value >= 0:
            return
        elif not isinstance(value, str):
            yield node.fault(f"expected a text, got {value!r}; put it in quotes")
        elif not value.strip():
            yield node.fault("is empty; write a value, or remove the field")
        elif is_binding(value):
            return
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield node.fault(f"{value!r} is not allowed; write {self.like}")
        elif self.at_most and len(value) > self.at_most:
            yield node.fault(
                f"has {len(value)} characters; write at most {self.at_most}, as Azure ML allows"
            )


@dataclass(frozen=True)
class Number:
    """A number between `low` and `high`, both allowed; `whole` refuses fractions."""

    low: float | None = None
    high: float | None = None
    whole: bool = False

    def faults(self, node: Node) -> Iterator[Fault]:
        """Another type, or outside."""
        value = node.value
        if is_binding(value):
            return
        what = "whole number" if self.whole else "number"
        types: Any = int if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, types):
            yield node.fault(f"expected a {what}, got {_kind(value)}; write {self._range(what)}")
        elif not self._inside(value):
            yield node.fault(f"{value} is out of range; write {self._range(what)}")

    def _inside(self, value: float) -> bool:
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)

    def _range(self, what: str) -> str:
        parts = [f"from {self.low}"] if self.low is not None else []
        parts += [f"to {self.high}"] if self.high is not None else []
        return f"a {what} {' '.join(parts)}".rstrip()


def whole(low: float | None = None, high: float | None = None) -> Number:
    """A whole number."""
    return Number(low, high, whole=True)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def faults(self, node: Node) -> Iterator[Fault]:
        """Another type."""
        if not isinstance(node.value, bool) and not is_binding(node.value):
            yield node.fault(f"expected true or false, got {_kind(node.value)}; write one of them")


class OneOf:
    """One of a few words; Azure ML does not mind capitals, nor LowPriority for low_priority."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def faults(self, node: Node) -> Iterator[Fault]:
        """Another word."""
        if is_binding(node.value):
            return
        given = node.value if isinstance(node.value, str) else ""
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", given).lower()
        if snake not in self.words and given.lower() not in self.words:
            what = _kind(node.value)
            yield node.fault(f"{what} is not known here; write {nearest(given, self.words)}")


@dataclass(frozen=True)
class ListOf:
    """A list of at least `at_least`, each of one shape."""

    item: Shape
    at_least: int = 0

    def faults(self, node: Node) -> Iterator[Fault]:
        """No list, a short one, or a wrong item."""
        if not isinstance(node.value, list):
            yield node.fault(f"expected a list, got {_kind(node.value)}; write `- ` lines")
            return
        if len(node.value) < self.at_least:
            yield node.fault(f"is empty; write at least {self.at_least}, or remove the field")
        for item in node.value:
            yield from self.item.faults(item)


@dataclass(frozen=True)
class Named:
    """A mapping whose names the team chooses, each value of one shape."""

    item: Shape
    pattern: str = ""

    def faults(self, node: Node) -> Iterator[Fault]:
        """No mapping, a wrong name, or a wrong value."""
        if not isinstance(node.value, dict):
            yield node.fault(f"expected names with values, got {_kind(node.value)}; write `a: b`")
            return
        for name, item in node.value.items():
            if self.pattern and not re.fullmatch(self.pattern, name):
                yield item.fault("is no name; write letters, digits and _, a letter first")
            yield from self.item.faults(item)


class Fields:
    """A mapping with known fields. A name that ends in `!` is needed."""

    def __init__(self, table: Mapping[str, Shape], **more: Mapping[str, Shape]) -> None:
        self.known = {name.rstrip("!"): shape for name, shape in table.items()}
        self.needed = [name.rstrip("!") for name in table if name.endswith("!")]

    def faults(self, node: Node) -> Iterator[Fault]:
        """No mapping, a field that Azure ML does not know, a missing one, or a wrong one."""
        if not isinstance(node.value, dict):
            yield node.fault(f"expected fields, got {_kind(node.value)}; write `key: value` lines")
            return
        for name in self.needed:
            if name not in node.value:
                yield node.missing(name, "is missing; write it")
        for name, item in node.value.items():
            if name not in self.known:
                yield item.fault(f"Azure ML does not know this field; write {self._meant(name)}")
            else:
                yield from self.known[name].faults(item)

    def _meant(self, name: str) -> str:
        return nearest(name, [known for known in self.known if known != "$schema"])


class ByType:
    """A mapping whose field `type` (or `by`) decides what else may stand there."""

    def __init__(self, tables: Mapping[str, Shape], default: str = "", by: str = "type") -> None:
        self.tables = tables
        self.default = default
        self.by = by

    def faults(self, node: Node) -> Iterator[Fault]:
        """No mapping, an unknown type, or a fault by its table."""
        if not isinstance(node.value, dict):
            yield node.fault(f"expected fields, got {_kind(node.value)}; write `key: value` lines")
            return
        given = node.get(self.by)
        name = str(given.value).lower() if given else self.default
        if not name:
            yield node.missing(self.by, f"is missing; write one of {listed(self.tables)}")
        elif name not in self.tables:
            at = given or node
            yield at.fault(f"{name!r} is not known here; write {nearest(name, self.tables)}")
        else:
            yield from self.tables[name].faults(node)


@dataclass(frozen=True)
class Either:
    """One shape for a mapping (or, with `lists`, for a list), another for everything else."""

    scalar: Shape
    mapping: Shape
    lists: Shape | None = None

    def faults(self, node: Node) -> Iterator[Fault]:
        """What the fitting shape finds."""
        if isinstance(node.value, dict):
            yield from self.mapping.faults(node)
        elif isinstance(node.value, list) and self.lists is not None:
            yield from self.lists.faults(node)
        else:
            yield from self.scalar.faults(node)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "fields" if isinstance(value, dict) else "a list"
    return repr(value)
