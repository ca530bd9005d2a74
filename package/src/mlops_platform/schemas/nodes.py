"""A YAML file as a tree of nodes that have a line and a field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, order=True)
class Problem:
    """A problem in a file. `message`: what is wrong and what to write, without a full stop.

    A `house` rule is one of this platform, for reproducible runs and small bills: Azure ML accepts
    a file that breaks it, and refuses all others.
    """

    file: Path
    line: int
    field: str
    message: str
    house: bool = False

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, field `{self.field}`: {self.message}."


@dataclass(frozen=True)
class Node:
    """A value: a mapping or a list of nodes, or a scalar. `field` is its path."""

    file: Path
    line: int
    field: str
    value: Any

    def problem(self, message: str, *, house: bool = False) -> Problem:
        """A problem with this value."""
        return Problem(self.file, self.line, self.field or "(whole file)", message, house)

    def missing(self, name: str, message: str, *, house: bool = False) -> Problem:
        """A problem with a missing field of this mapping."""
        return Problem(self.file, self.line, self.child_path(name), message, house)

    def child_path(self, name: object) -> str:
        """The path of a field of this mapping."""
        return f"{self.field}.{name}" if self.field else str(name)

    def get(self, *names: str) -> Node | None:
        """The node at a path below; None if it does not exist."""
        node: Node | None = self
        for name in names:
            node = node.value.get(name) if node and isinstance(node.value, dict) else None
        return node

    def text(self, *names: str) -> str:
        """The text at a path below; empty if there is none."""
        node = self.get(*names)
        return node.value if node and isinstance(node.value, str) else ""

    def fields(self, *names: str) -> dict[str, Node]:
        """The fields of the mapping at a path below; empty if there is none."""
        node = self.get(*names)
        return node.value if node and isinstance(node.value, dict) else {}

    def to_python(self) -> Any:
        """The value as plain Python objects, without lines."""
        if isinstance(self.value, dict):
            return {name: node.to_python() for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.to_python() for node in self.value]
        return self.value

    def walk(self) -> Iterator[Node]:
        """This node and all below."""
        yield self
        if isinstance(self.value, dict | list):
            below = self.value.values() if isinstance(self.value, dict) else self.value
            for node in below:
                yield from node.walk()


class _InvalidFileError(Exception):
    """A file, or a part of it, that cannot be read; it becomes a problem."""

    def __init__(self, message: str, line: int = 1, field: str = "") -> None:
        super().__init__(message)
        self.line, self.field = line, field or "(whole file)"


def read(path: Path) -> tuple[Node | None, list[Problem]]:
    """Parse a file: returns its tree, None if it cannot be parsed, and the problems of its YAML."""
    problems: list[Problem] = []
    try:
        tree = _tree(path, problems)
    except _InvalidFileError as error:
        return None, [*problems, Problem(path, error.line, error.field, str(error))]
    return tree, problems


def _tree(path: Path, problems: list[Problem]) -> Node:
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        tree = _node(loader, root, path, "", problems) if root is not None else None
    except (OSError, UnicodeDecodeError) as error:
        raise _InvalidFileError(
            f"cannot be read as UTF-8 text ({error}); restore it from git"
        ) from None
    except RecursionError:
        raise _InvalidFileError("contains itself; write each part once") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark else 1
        raise _InvalidFileError(f"not valid YAML, {message}; correct this line", line) from None
    if tree is None:
        raise _InvalidFileError("is empty; write a spec, or delete it")
    if not isinstance(tree.value, dict):
        raise _InvalidFileError("has no fields; write `key: value` lines", tree.line)
    return tree


def _node(loader: Any, node: yaml.Node, path: Path, field: str, problems: list[Problem]) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        items = [
            _node(loader, item, path, f"{field}.{number}" if field else str(number), problems)
            for number, item in enumerate(node.value)
        ]
        return Node(path, line, field, items)
    if not isinstance(node, yaml.MappingNode):
        try:
            return Node(path, line, field, loader.construct_object(node))
        except ValueError as error:  # it looks like a date, but is invalid: 2024-13-45
            message = f"{node.value[:40]!r} is invalid, {error}; put a text in quotes"
            raise _InvalidFileError(message, line, field) from None
    names = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):  # for example {{inputs.x}} without quotes
            message = "braces make a mapping of it; put a text in quotes, or write ${{...}}"
            raise _InvalidFileError(message, key.start_mark.line + 1, field)
        child = f"{field}.{key.value}" if field else str(key.value)
        if key.value in names and key.value != "<<":
            message = "is a duplicate, and only the last one would count; keep one"
            problems.append(Problem(path, key.start_mark.line + 1, child, message))
        names.add(key.value)
    loader.flatten_mapping(node)
    fields: dict[str, Node] = {}
    for key, value in node.value:
        name = str(key.value)
        child = f"{field}.{name}" if field else name
        node_value = _node(loader, value, path, child, problems)
        fields[name] = Node(path, key.start_mark.line + 1, child, node_value.value)
    return Node(path, line, field, fields)
