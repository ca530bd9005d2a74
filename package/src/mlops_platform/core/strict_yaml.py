"""Strict YAML: what YAML 1.1 reads as something else than its writer meant is an error.

It silently keeps the last of two equal keys, and reads `no` as false, `010` as 8 and `1:30` as 90.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

OCTAL_OR_MINUTES = re.compile(r"[-+]?(0[0-9_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
KINDS = {
    "bool": "true or false",
    "float": "a number",
    "int": "a number",
    "null": "nothing",
    "timestamp": "a date",
}
ADVICE = {
    "mapping values are not allowed": "write a space after a colon, or put a text with `: ` in "
    "quotes",
    "found character '\\t'": "indent with spaces, not with a tab",
    "that cannot start any token": "put a text that begins with it in quotes",
    "could not determine a constructor": "put a text that begins with ! in quotes",
    "found undefined alias": "put a text that begins with * in quotes",
    "expected ',' or ']'": "close the bracket, or put a text with a bracket or comma in quotes",
    "expected ',' or '}'": "close the brace, or put a text with a brace or comma in quotes",
}


class _StrictLoader(yaml.SafeLoader):
    """A loader that refuses duplicate keys, keys that are no text, and surprising numbers."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct a value; an invalid date (2024-13-45) is an error with its line."""
        tag = node.tag.rpartition(":")[2]
        try:
            value = super().construct_object(node, deep)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(
                None,
                None,
                f"{str(node.value)[:40]!r}: {error}; put a text in quotes",
                node.start_mark,
            ) from None
        if tag in ("int", "float") and OCTAL_OR_MINUTES.fullmatch(node.value):
            raise yaml.constructor.ConstructorError(
                None,
                None,
                f"`{node.value}` is the number {value} in YAML; write {value}, or put a text in "
                "quotes",
                node.start_mark,
            )
        return value


def _mapping_without_duplicates(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        if key_node.tag.endswith(":merge"):
            continue
        if not key_node.tag.endswith(":str"):
            what = describe(key_node)
            reason = f"a key must be text, got {what}" if what else "a key must be text"
            advice = "put it in quotes"
            if node.flow_style and value_node.tag.endswith(":null"):
                advice += ", or write a number without a comma"
            raise yaml.constructor.ConstructorError(
                None, None, f"{reason}; {advice}", key_node.start_mark
            )
        if key_node.value in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"duplicate key '{key_node.value}'; keep one", key_node.start_mark
            )
        seen.add(key_node.value)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates
)


def load(text: str) -> Any:
    """Parse a text.

    Raises:
        yaml.YAMLError: not YAML, a duplicate key, or a key or number that YAML reads as something
            else than was written.
        RecursionError: it is nested too deeply.
    """
    return yaml.load(text, Loader=_StrictLoader)  # noqa: S506  a SafeLoader


def explain(error: yaml.YAMLError) -> str:
    """The line and the reason of an error, and what to do, to stand after the file's name."""
    mark = getattr(error, "problem_mark", None)
    where = f", line {mark.line + 1}" if mark else ""
    problem = getattr(error, "problem", None) or str(error)
    advice = next((f"; {ADVICE[part]}" for part in ADVICE if part in problem), "")
    return f"{where}: not valid YAML: {problem}{advice}"


def describe(node: yaml.Node | None) -> str:
    """What YAML makes of a value without quotes: "`no`, which is true or false in YAML".

    Empty if it is a text, a list or a mapping, or nothing was written.
    """
    kind = KINDS.get(node.tag.rpartition(":")[2], "") if isinstance(node, yaml.ScalarNode) else ""
    written = isinstance(node, yaml.ScalarNode) and node.value
    return (
        f"`{node.value}`, which is {kind} in YAML" if node is not None and kind and written else ""
    )


def find_node(path: Path, location: Sequence[object]) -> yaml.Node | None:
    """The node at the names and numbers of `location` in a file; None if there is none."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part] if part < len(node.value) else None
    return node
