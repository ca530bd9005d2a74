"""Checks the structure of Azure Pipelines files: lists and mappings in the right fields.

An expression that only a run resolves (`steps: ${{ parameters.steps }}`) is accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LISTS = {"stages": "a stage", "jobs": "a job", "steps": "a step"}
# An entry with this key stands for entries that cannot be checked.
UNCHECKED = "template"

Report = Callable[[str], None]


def normalize(content: dict[str, Any], report: Report, prefix: str = "") -> dict[str, Any]:
    """Remove values of a wrong type; `report` gets a message for each, with its field."""
    result = dict(content)
    for key, value in content.items():
        field = f"{prefix}{key}"
        if key in LISTS:
            result[key] = _list(value, LISTS[key], field, report)
        elif key == "variables" and not isinstance(value, dict):
            result[key] = _list(value, "a variable", field, report)
        elif key == "strategy" and _is_mapping(value, field, report):
            result[key] = _hooks(value, field, report)
        elif key == "dependsOn":
            result[key] = _names(value, field, report)
        elif key in ("strategy", "env", "inputs") and not _is_mapping(value, field, report):
            result[key] = value if is_expression(value) else {}
    return result


def parameters(declared: Any, report: Report) -> list[dict[str, Any]]:
    """The declared `parameters` of a file in the long form, a list of entries with a name.

    The short form is a mapping of names to defaults.
    """
    if isinstance(declared, dict):
        return [{"name": str(name), "default": value} for name, value in declared.items()]
    if not isinstance(declared, list | None):
        report(f"`parameters` is {_describe(declared)}; write a list of entries `- name: NAME`.")
    entries = []
    for number, entry in enumerate(declared if isinstance(declared, list) else [], 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str | int | float):
            report(f"`parameters`, entry {number} has no name; write `- name: NAME`.")
        elif "values" in entry and not isinstance(entry["values"], list):
            report(f"`parameters`, entry {number}: `values` is not a list; write `[one, two]`.")
        else:
            entries.append(entry | {"name": str(entry["name"])})
    return entries


def values(given: Any, template: str, report: Report) -> dict[str, Any]:
    """The parameter values for a template."""
    if given is None or isinstance(given, dict):
        return {str(name): value for name, value in (given or {}).items()}
    report(f"`parameters` of {template} is {_describe(given)}; write `name: value` lines.")
    return {}


def is_expression(value: Any) -> bool:
    """Whether it is an expression that only a run resolves."""
    return isinstance(value, str) and "${{" in value


def _hooks(strategy: dict[Any, Any], field: str, report: Report) -> dict[Any, Any]:
    """The hooks of a deployment, at any depth: each may have steps."""
    result = normalize(strategy, report, f"{field}.")
    hooks = {key: value for key, value in result.items() if isinstance(value, dict)}
    return result | {key: _hooks(value, f"{field}.{key}", report) for key, value in hooks.items()}


def _list(value: Any, entry_kind: str, field: str, report: Report) -> list[dict[str, Any]]:
    if is_expression(value):
        return [{UNCHECKED: value}]
    if value is not None and not isinstance(value, list):
        report(f"`{field}` is {_describe(value)}; write a list, each entry {entry_kind}.")
    entries = []
    for number, entry in enumerate(value if isinstance(value, list) else [], 1):
        if is_expression(entry):
            entries.append({UNCHECKED: entry})
        elif isinstance(entry, dict):
            entries.append(normalize(entry, report, f"{field}[{number}]."))
        else:
            report(
                f"`{field}`, entry {number} is {_describe(entry)}; write {entry_kind}, or remove "
                "it."
            )
    return entries


def _names(value: Any, field: str, report: Report) -> list[str]:
    names = []
    for name in value if isinstance(value, list) else [] if value is None else [value]:
        if isinstance(name, str | int | float):
            names.append(str(name))
        else:
            report(f"`{field}` is {_describe(name)}; write a name, or a list of names.")
    return names


def _is_mapping(value: Any, field: str, report: Report) -> bool:
    if not (isinstance(value, dict) or value is None or is_expression(value)):
        report(f"`{field}` is {_describe(value)}; write `name: value` lines.")
    return isinstance(value, dict)


def _describe(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"`{str(value)[:40]}`"
