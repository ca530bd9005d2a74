"""Lists where Azure Pipelines wants lists, mappings where it wants mappings; else a fault.

What only a run decides (`steps: ${{ parameters.steps }}`) has no shape yet, and is no fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LISTS = {"stages": "a stage", "jobs": "a job", "steps": "a step"}
# An entry with this key stands for entries that cannot be looked at.
UNSEEN = "template"

Fault = Callable[[str], None]


def sound(content: dict[str, Any], fault: Fault, where: str = "") -> dict[str, Any]:
    """The content without what has a wrong shape; `fault` is told of each, with its field."""
    made = dict(content)
    for key, value in content.items():
        field = f"{where}{key}"
        if key in LISTS:
            made[key] = _list(value, LISTS[key], field, fault)
        elif key == "variables" and not isinstance(value, dict):
            made[key] = _list(value, "a variable", field, fault)
        elif key == "strategy" and _is_mapping(value, field, fault):
            made[key] = _hooks(value, field, fault)
        elif key == "dependsOn":
            made[key] = _names(value, field, fault)
        elif key in ("strategy", "env", "inputs") and not _is_mapping(value, field, fault):
            made[key] = value if later(value) else {}
    return made


def parameters(declared: Any, fault: Fault) -> list[dict[str, Any]]:
    """What a file declares under `parameters`, in its long form, a list of entries with a name.

    The short form is a mapping of names to defaults.
    """
    if isinstance(declared, dict):
        return [{"name": str(name), "default": value} for name, value in declared.items()]
    if not isinstance(declared, list | None):
        fault(f"`parameters` is {_told(declared)}; write a list of entries `- name: NAME`.")
    made = []
    for number, entry in enumerate(declared if isinstance(declared, list) else [], 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str | int | float):
            fault(f"`parameters`, entry {number} has no name; write `- name: NAME`.")
        elif "values" in entry and not isinstance(entry["values"], list):
            fault(f"`parameters`, entry {number}: `values` is no list; write `[one, two]`.")
        else:
            made.append(entry | {"name": str(entry["name"])})
    return made


def values(given: Any, template: str, fault: Fault) -> dict[str, Any]:
    """What a template is given for its parameters."""
    if given is None or isinstance(given, dict):
        return {str(name): value for name, value in (given or {}).items()}
    fault(f"`parameters` of {template} is {_told(given)}; write `name: value` lines.")
    return {}


def later(value: Any) -> bool:
    """Is it text that only a run fills in?"""
    return isinstance(value, str) and "${{" in value


def _hooks(strategy: dict[Any, Any], field: str, fault: Fault) -> dict[Any, Any]:
    """The hooks of a deployment, at any depth: each may hold steps."""
    made = sound(strategy, fault, f"{field}.")
    hooks = {key: value for key, value in made.items() if isinstance(value, dict)}
    return made | {key: _hooks(value, f"{field}.{key}", fault) for key, value in hooks.items()}


def _list(value: Any, what: str, field: str, fault: Fault) -> list[dict[str, Any]]:
    if later(value):
        return [{UNSEEN: value}]
    if value is not None and not isinstance(value, list):
        fault(f"`{field}` is {_told(value)}; write a list, each entry {what}.")
    made = []
    for number, entry in enumerate(value if isinstance(value, list) else [], 1):
        if later(entry):
            made.append({UNSEEN: entry})
        elif isinstance(entry, dict):
            made.append(sound(entry, fault, f"{field}[{number}]."))
        else:
            fault(f"`{field}`, entry {number} is {_told(entry)}; write {what}, or remove it.")
    return made


def _names(value: Any, field: str, fault: Fault) -> list[str]:
    made = []
    for name in value if isinstance(value, list) else [] if value is None else [value]:
        if isinstance(name, str | int | float):
            made.append(str(name))
        else:
            fault(f"`{field}` is {_told(name)}; write a name, or a list of names.")
    return made


def _is_mapping(value: Any, field: str, fault: Fault) -> bool:
    if not (isinstance(value, dict) or value is None or later(value)):
        fault(f"`{field}` is {_told(value)}; write `name: value` lines.")
    return isinstance(value, dict)


def _told(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"`{str(value)[:40]}`"
