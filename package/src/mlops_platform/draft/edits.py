"""Changes values in YAML text and leaves the rest, with all comments, as people wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from mlops_platform.core import strict_yaml
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


def without_measures(text: str, measures: frozenset[str], note: str, over: str = "") -> str:
    """conf/ethics.yml without the checks of these measures, and a note in their place.

    With `over`, only those with this one.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    lines: list[str | None] = list(text.splitlines(keepends=True))
    for principle in _at(root, "principles").value:
        checks = _at(principle[1], "checks")
        gone = [each for each in checks.value if _scalar(each, "measure") in measures]
        gone = [each for each in gone if over in ("", _scalar(each, "over"))]
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


def change_columns(
    text: str,
    changes: dict[str, dict[str, Any]],
    gone: list[str],
    added: dict[str, str],
    file: str,
) -> str:
    """conf/data.yml with other fields of columns, without some, and with new ones at the end.

    Args:
        text: what the file says.
        changes: by the column's name, the new values of fields; of a list, all values.
        gone: names of columns to remove.
        added: YAML of one line by the key, as it is written.
        file: its name, for messages.

    Raises:
        UsageError: it is written so that the change would do something else, such as with anchors.
    """
    columns = _at(yaml.compose(text, Loader=yaml.SafeLoader), "columns")
    kept = [pair for pair in columns.value if pair[0].value not in gone]
    spans = [_removal(text, columns, key) for key, _ in columns.value if key.value in gone]
    for key, node in kept:
        spans += _field_spans(text, node, changes.get(key.value, {}))
    for name, line in added.items():
        spans.append(_insertion(text, columns, kept[-1][1], f"{name}: {line}"))
    # From the end, so that the places before stay where they are; at one place what goes is first.
    order = sorted(range(len(spans)), key=lambda n: (spans[n].start, spans[n].end, n))
    new = text
    for span in (spans[number] for number in reversed(order)):
        new = new[: span.start] + span.text + new[span.end :]
    expected = strict_yaml.load(text)
    known = expected["columns"].items()
    expected["columns"] = {
        name: fields | changes.get(name, {}) for name, fields in known if name not in gone
    }
    for name, line in added.items():
        expected["columns"] |= yaml.safe_load(f"{name}: {line}")
    try:
        if strict_yaml.load(new) == expected:
            return new
    except yaml.YAMLError:
        pass
    named = ", ".join(f"`{name}`" for name in [*changes, *gone, *added])
    raise UsageError(
        f"{file}, field `columns`: is written in a way that cannot be edited here, such as with "
        f"anchors. Change {named} by hand, as the data is now."
    )


class _Span(NamedTuple):
    """A place in a text, and what stands there instead."""

    start: int
    end: int
    text: str


def _field_spans(text: str, node: Any, fields: dict[str, Any]) -> Iterator[_Span]:
    """The places of a column's fields with their new values."""
    for field, value in fields.items():
        former = next((inner for name, inner in node.value if name.value == field), None)
        if former is None:
            yield _insertion(text, node, node.value[-1][1], f"{field}: {flow(value)}")
        elif isinstance(former, yaml.SequenceNode):
            for each in value[len(former.value) :]:  # in quotes where a comma needs them
                yield _insertion(text, former, former.value[-1], flow([each])[1:-1])
        else:
            yield _Span(former.start_mark.index, _end(former), flow(value))


def _insertion(text: str, parent: yaml.CollectionNode, last: yaml.Node, item: str) -> _Span:
    """The place after the last item of a mapping or list, and the text of one more."""
    end = _end(last)
    if parent.flow_style:
        return _Span(end, end, f", {item.partition('  # ')[0]}")
    end += len(text[end:].partition("\n")[0])  # after a comment
    dash = "- " if isinstance(parent, yaml.SequenceNode) else ""
    return _Span(end, end, f"\n{' ' * parent.start_mark.column}{dash}{item}")


def _removal(text: str, columns: yaml.MappingNode, key: yaml.Node) -> _Span:
    """The place of a column with its comment, or with a comma; it is replaced by nothing."""
    keys = [each for each, _ in columns.value]
    at = keys.index(key)
    start, end = key.start_mark.index, _end(columns.value[at][1])
    if not columns.flow_style:
        start = text.rfind("\n", 0, start) + 1
        return _Span(start, end + len(text[end:].partition("\n")[0]) + 1, "")
    if at + 1 < len(keys):
        return _Span(start, keys[at + 1].start_mark.index, "")
    return _Span(_end(columns.value[at - 1][1]), end, "")
