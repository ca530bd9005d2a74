"""Changes values in YAML text and leaves the rest, with all comments, as people wrote it."""

from __future__ import annotations

from typing import Any

import yaml

from mlops_platform.core.errors import UsageError


def flow(value: Any) -> str:
    """A value on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return text.removesuffix("\n").removesuffix("\n...")


def replace(text: str, path: list[str], value: str, file: str) -> str:
    """The text with other YAML at the keys of `path`; a list begins with a line break.

    Raises:
        UsageError: `file` has no such field.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for key in path:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((inner for name, inner in pairs if name.value == key), None)
    if node is None:
        raise UsageError(f"{file}, field `{'.'.join(path)}`: is not there. Add it, then try again.")
    start, end = node.start_mark.index, _end(node)
    if value.startswith("\n"):
        start = len(text[:start].rstrip())
        end += len(text[end:].partition("\n")[0])  # with the comment behind the last item
    return text[:start] + value + text[end:]


def set_measure(text: str, measure: str, limit: float) -> str:
    """conf/ethics.yml with another `max` in the checks of a measure."""
    for check in reversed(_checks(text)):
        if check["measure"] == measure and "max" in check:
            found = check["max"]
            text = text[: found.start_mark.index] + f"{limit}" + text[found.end_mark.index :]
    return text


def without_measures(text: str, measures: frozenset[str], note: str) -> str:
    """conf/ethics.yml without the checks of these measures, and a note in their place."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    lines: list[str | None] = list(text.splitlines(keepends=True))
    for principle in _at(root, "principles").value:
        checks = _at(principle[1], "checks")
        gone = [each for each in checks.value if _scalar(each, "measure") in measures]
        if not gone or checks.flow_style:
            continue
        names = ", ".join(_scalar(each, "id") for each in gone)
        for each in gone:
            last = text.count("\n", 0, _end(each))
            lines[each.start_mark.line : last + 1] = [None] * (last + 1 - each.start_mark.line)
        first = gone[0].start_mark
        lines[first.line] = f"{' ' * (checks.start_mark.column)}# {note}: {names}\n"
        if len(gone) == len(checks.value):
            line = next(
                key.start_mark.line for key, _ in principle[1].value if key.value == "checks"
            )
            lines[line] = (lines[line] or "").replace("checks:", "checks: []", 1)
    return "".join(line for line in lines if line is not None)


def _checks(text: str) -> list[dict[str, Any]]:
    """The checks of a measure, each with its `measure` and the node of its `max`."""
    found = []
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for _, principle in _at(root, "principles").value:
        for check in _at(principle, "checks").value:
            fields = {key.value: node for key, node in check.value}
            if "measure" in fields:
                bound = {"max": fields["max"]} if "max" in fields else {}
                found.append({"measure": fields["measure"].value, **bound})
    return found


def _at(node: Any, key: str) -> Any:
    return next(inner for name, inner in node.value if name.value == key)


def _scalar(node: yaml.Node, key: str) -> str:
    return next((str(inner.value) for name, inner in node.value if name.value == key), "")


def _end(node: yaml.Node) -> int:
    """Where a node's text ends; a block's own mark is after the comments below it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)
