"""A YAML file as a tree whose every part knows its line and its field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, order=True)
class Fault:
    """Something wrong in a file. `says` is what is wrong and what to write, without a full stop."""

    file: Path
    line: int
    field: str
    says: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, field `{self.field}`: {self.says}."


@dataclass(frozen=True)
class Node:
    """A value: a mapping or a list of nodes, or what a scalar means. `field` is its place."""

    file: Path
    line: int
    field: str
    value: Any

    def fault(self, says: str) -> Fault:
        """Something wrong here."""
        return Fault(self.file, self.line, self.field or "(whole file)", says)

    def missing(self, name: str, says: str) -> Fault:
        """Something wrong with a field that is not here."""
        return Fault(self.file, self.line, self.below(name), says)

    def below(self, name: object) -> str:
        """The place of a field of this mapping."""
        return f"{self.field}.{name}" if self.field else str(name)

    def get(self, *names: str) -> Node | None:
        """A field below, None where it or a mapping on the way is not there."""
        node: Node | None = self
        for name in names:
            node = node.value.get(name) if node and isinstance(node.value, dict) else None
        return node

    def text(self, *names: str) -> str:
        """A field's text, empty where there is none."""
        found = self.get(*names)
        return found.value if found and isinstance(found.value, str) else ""

    def fields(self, *names: str) -> dict[str, Node]:
        """The fields of a mapping below, empty where there is none."""
        found = self.get(*names)
        return found.value if found and isinstance(found.value, dict) else {}

    def plain(self) -> Any:
        """The value as Python has it, without lines."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def walk(self) -> Iterator[Node]:
        """This node and all below."""
        yield self
        if isinstance(self.value, dict | list):
            below = self.value.values() if isinstance(self.value, dict) else self.value
            for node in below:
                yield from node.walk()


class _Wrong(Exception):  # noqa: N818  not ours to tell: it becomes a fault
    """A file, or a part of it, that stands for nothing."""

    def __init__(self, says: str, line: int = 1, field: str = "") -> None:
        super().__init__(says)
        self.line, self.field = line, field or "(whole file)"


def read(path: Path) -> tuple[Node | None, list[Fault]]:
    """The tree of a file, None where there is none, and what is wrong with it as YAML."""
    faults: list[Fault] = []
    try:
        tree = _tree(path, faults)
    except _Wrong as error:
        return None, [*faults, Fault(path, error.line, error.field, str(error))]
    return tree, faults


def _tree(path: Path, faults: list[Fault]) -> Node:
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        tree = _node(loader, root, path, "", faults) if root is not None else None
    except (OSError, UnicodeDecodeError) as error:
        raise _Wrong(f"cannot be read as UTF-8 text ({error}); bring it back from git") from None
    except RecursionError:
        raise _Wrong("is nested without end; write each part once") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        says = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark else 1
        raise _Wrong(f"not valid YAML, {says}; correct this line", line) from None
    if tree is None:
        raise _Wrong("is empty; write a spec, or delete it")
    if not isinstance(tree.value, dict):
        raise _Wrong("holds no fields; write `key: value` lines", tree.line)
    return tree


def _node(loader: Any, node: yaml.Node, path: Path, field: str, faults: list[Fault]) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        items = [
            _node(loader, item, path, f"{field}.{number}" if field else str(number), faults)
            for number, item in enumerate(node.value)
        ]
        return Node(path, line, field, items)
    if not isinstance(node, yaml.MappingNode):
        try:
            return Node(path, line, field, loader.construct_object(node))
        except ValueError as error:  # looks like a date, and is none: 2024-13-45
            says = f"{node.value[:40]!r} means nothing, {error}; put a text in quotes"
            raise _Wrong(says, line, field) from None
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):  # {{inputs.x}} without quotes, for one
            says = "braces make a mapping of it; put a text in quotes, or write ${{...}}"
            raise _Wrong(says, key.start_mark.line + 1, field)
        below = f"{field}.{key.value}" if field else str(key.value)
        if key.value in seen and key.value != "<<":
            says = "stands twice, and the last one would win in silence; keep one"
            faults.append(Fault(path, key.start_mark.line + 1, below, says))
        seen.add(key.value)
    loader.flatten_mapping(node)
    fields: dict[str, Node] = {}
    for key, value in node.value:
        name = str(key.value)
        below = f"{field}.{name}" if field else name
        made = _node(loader, value, path, below, faults)
        fields[name] = Node(path, key.start_mark.line + 1, below, made.value)
    return Node(path, line, field, fields)
