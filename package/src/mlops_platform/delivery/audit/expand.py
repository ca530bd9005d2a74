"""A file of Azure Pipelines as the service reads it: templates filled in, conditions decided.

https://learn.microsoft.com/azure/devops/pipelines/process/template-expressions
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.delivery.audit import shape

PARAMETER = re.compile(r"\$\{\{ *parameters\.(\w+) *\}\}")
USED = re.compile(r"parameters\.(\w+)")
INSERTED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
CONDITION = re.compile(r"^\$\{\{ *(if|elseif|else|each|insert)\b(.*)\}\}$")
COMPARED = re.compile(r"^ *(eq|ne)\(parameters\.(\w+), *('[^']*'|true|false)\) *$")
KINDS = ("steps", "jobs", "stages", "variables")
BOOLEANS = {True: "true", False: "false"}


class Expansion:
    """One pipeline, and what is wrong with its templates, its parameters and its shape."""

    def __init__(self, path: Path, folder: Path) -> None:
        """Expand the pipeline at `path`; `folder` is what faults' names are relative to."""
        self.faults: list[str] = []
        self.templates: set[Path] = set()
        self.unseen: list[str] = []  # templates of other repositories
        self.root = folder.parent
        self._within = [path]
        # Its own parameters are answered when a run is started: their text stays.
        self.content = self._extended(self._sound(self._read(path), {}, path), path)

    def fault(self, path: Path, text: str) -> None:
        """Note one."""
        self.faults.append(f"{path.relative_to(self.root)}: {text}")

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            content = read_yaml(path)
        except UsageError as error:
            self.faults.append(str(error))
            return {}
        if "parameters" in content:
            content["parameters"] = shape.parameters(
                content["parameters"], lambda text: self.fault(path, text)
            )
        declared = {entry["name"] for entry in content.get("parameters", [])}
        text = " ".join(_texts({key: content[key] for key in content if key != "parameters"}))
        used = {name for part in INSERTED.findall(text) for name in USED.findall(part)}
        for name in sorted(used - declared):
            self.fault(path, f"`parameters.{name}` is not declared under `parameters`.")
        for name in sorted(declared - used):
            self.fault(path, f"the parameter `{name}` is declared, and nothing uses it.")
        return content

    def _node(self, node: Any, values: dict[str, Any], path: Path) -> Any:
        if isinstance(node, str):
            return _filled(node, values)
        if isinstance(node, list):
            return [part for item in node for part in self._item(item, values, path)]
        if not isinstance(node, dict):
            return node
        made: dict[str, Any] = {}
        for key, value in node.items():
            if not (isinstance(key, str) and CONDITION.match(key)):
                made[key] = self._node(value, values, path)
            elif _holds(key, values):
                inner = self._node(value, values, path)
                made |= inner if isinstance(inner, dict) else {}
        return made

    def _item(self, item: Any, values: dict[str, Any], path: Path) -> list[Any]:
        """An entry of a list: itself, or those of a template, a parameter or a condition."""
        if isinstance(item, dict) and "template" in item:
            return self._template(item, values, path)
        if (
            isinstance(item, dict)
            and len(item) == 1
            and CONDITION.match(str(key := next(iter(item))))
        ):
            inner = self._node(item[key], values, path) if _holds(key, values) else []
            return inner if isinstance(inner, list) else [inner]
        made = self._node(item, values, path)
        return made if isinstance(item, str) and isinstance(made, list) else [made]

    def _template(self, item: dict[str, Any], values: dict[str, Any], path: Path) -> list[Any]:
        opened = self._opened(item, values, path)
        if opened is None:
            return [{shape.UNSEEN: str(item["template"])}]
        target, content, filled = opened
        kind = next((kind for kind in KINDS if kind in content), None)
        if kind is None:
            self.fault(target, f"a template has one of {', '.join(KINDS)}.")
            return []
        self._within.append(target)
        made = self._sound({kind: content[kind]}, filled, target)[kind]
        self._within.pop()
        return made if isinstance(made, list) else [made]

    def _sound(self, content: dict[str, Any], values: dict[str, Any], path: Path) -> dict[str, Any]:
        """A file's content, filled in, without what has a wrong shape."""
        return shape.sound(self._node(content, values, path), lambda text: self.fault(path, text))

    def _extended(self, content: dict[str, Any], path: Path) -> dict[str, Any]:
        """A pipeline with what the template that it extends says; unchanged if that is unseen."""
        if "extends" not in content:
            return content
        item = content["extends"]
        if not (isinstance(item, dict) and "template" in item):
            self.fault(path, "`extends` names no template; write `template: FILE` below it.")
            return content
        opened = self._opened(item, {}, path)
        if opened is None:
            return content
        target, base, filled = opened
        self._within.append(target)
        made = self._extended(self._sound(base, filled, target), target)
        self._within.pop()
        made.pop("parameters", None)
        both = [each["variables"] for each in (made, content) if "variables" in each]
        variables = [part for each in both for part in (each if isinstance(each, list) else [each])]
        own = {key: value for key, value in content.items() if key != "extends"}
        return made | own | ({"variables": variables} if both else {})

    def _opened(
        self, item: dict[str, Any], values: dict[str, Any], path: Path
    ) -> tuple[Path, dict[str, Any], dict[str, Any]] | None:
        """A template's file, its content and its parameters' values, if it can be looked at."""
        name = self._node(item["template"], values, path)
        if not isinstance(name, str):
            self.fault(path, f"`template` is {name!r}; write the path of a file.")
            return None
        here = name.removesuffix("@self")
        if "@" in here or shape.later(here):
            self.unseen.append(f"{path.relative_to(self.root)}: `{name}`")
            return None
        start = self.root if here.startswith("/") else path.parent
        target = Path(os.path.normpath(start / here.lstrip("/")))
        if not (target.is_relative_to(self.root) and target.is_file()):
            self.fault(path, f"there is no template `{name}`.")
            return None
        self.templates.add(target.resolve())
        if target in self._within:
            self.fault(path, f"the template `{name}` uses itself; take it out here.")
            return None
        content = self._read(target)
        given = self._node(item.get("parameters"), values, path)
        given = shape.values(given, name, lambda text: self.fault(path, text))
        return target, content, self._bound(content.get("parameters", []), given, path, name)

    def _bound(
        self, declared: list[dict[str, Any]], given: dict[str, Any], path: Path, template: str
    ) -> dict[str, Any]:
        """The template's parameters with their values."""
        filled: dict[str, Any] = {}
        for entry in declared:
            name = entry["name"]
            if name not in given and "default" not in entry:
                self.fault(path, f"{template} needs the parameter `{name}`.")
            value = given.get(name, entry.get("default", ""))
            filled[name] = value
            if shape.later(value):
                continue
            allowed = entry.get("values")
            if allowed and value not in allowed:
                self.fault(path, f"{template}: `{name}` is {value!r}, not one of {allowed}.")
            if entry.get("type") == "boolean" and not isinstance(value, bool):
                self.fault(path, f"{template}: `{name}` is {value!r}, not true or false.")
        for name in sorted(set(given) - set(filled)):
            self.fault(path, f"{template} has no parameter `{name}`.")
        return filled


def _texts(node: Any) -> list[str]:
    """All text in a tree, keys too."""
    if isinstance(node, dict):
        return [text for pair in node.items() for part in pair for text in _texts(part)]
    if isinstance(node, list):
        return [text for item in node for text in _texts(item)]
    return [str(node)]


def _filled(text: str, values: dict[str, Any]) -> Any:
    whole = PARAMETER.fullmatch(text)
    if whole and whole[1] in values:
        return values[whole[1]]
    return PARAMETER.sub(lambda found: str(values.get(found[1], found[0])), text)


def _holds(key: str, values: dict[str, Any]) -> bool:
    """Is the condition true? What cannot be known here counts as true, so that it is looked at."""
    found = CONDITION.match(key)
    compared = COMPARED.match(found[2]) if found and found[1] == "if" else None
    if compared is None or compared[2] not in values:
        return True
    value = values[compared[2]]
    known = BOOLEANS[value] if isinstance(value, bool) else str(value)
    return (known == compared[3].strip("'")) == (compared[1] == "eq")
