"""Expands a file of Azure Pipelines as the service does: templates inserted, conditions resolved.

https://learn.microsoft.com/azure/devops/pipelines/process/template-expressions
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.delivery.audit import structure

PARAMETER = re.compile(r"\$\{\{ *parameters\.(\w+) *\}\}")
USED = re.compile(r"parameters\.(\w+)")
INSERTED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
CONDITION = re.compile(r"^\$\{\{ *(if|elseif|else|each|insert)\b(.*)\}\}$")
COMPARED = re.compile(r"^ *(eq|ne)\(parameters\.(\w+), *('[^']*'|true|false)\) *$")
KINDS = ("steps", "jobs", "stages", "variables")
BOOLEANS = {True: "true", False: "false"}


class Expansion:
    """An expanded pipeline, with the problems of its templates, parameters and structure."""

    def __init__(self, path: Path, folder: Path) -> None:
        """Expand the pipeline at `path`; file names in problems are relative to `folder`."""
        self.problems: list[str] = []
        self.templates: set[Path] = set()
        self.unchecked: list[str] = []  # templates in other repositories
        self.root = folder.parent
        self._stack = [path]
        # A run sets the pipeline's own parameters: their expressions stay.
        self.content = self._extended(self._sound(self._read(path), {}, path), path)

    def add_problem(self, path: Path, text: str) -> None:
        """Add a problem of a file."""
        self.problems.append(f"{path.relative_to(self.root).as_posix()}: {text}")

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            content = read_yaml(path)
        except UsageError as error:
            self.problems.append(str(error))
            return {}
        if "parameters" in content:
            content["parameters"] = structure.parameters(
                content["parameters"], lambda text: self.add_problem(path, text)
            )
        declared = {entry["name"] for entry in content.get("parameters", [])}
        text = " ".join(_strings({key: content[key] for key in content if key != "parameters"}))
        used = {name for part in INSERTED.findall(text) for name in USED.findall(part)}
        for name in sorted(used - declared):
            self.add_problem(path, f"`parameters.{name}` is not declared under `parameters`.")
        for name in sorted(declared - used):
            self.add_problem(path, f"the parameter `{name}` is declared, and nothing uses it.")
        return content

    def _node(self, node: Any, values: dict[str, Any], path: Path) -> Any:
        if isinstance(node, str):
            return _fill(node, values)
        if isinstance(node, list):
            return [part for item in node for part in self._item(item, values, path)]
        if not isinstance(node, dict):
            return node
        result: dict[str, Any] = {}
        for key, value in node.items():
            if not (isinstance(key, str) and CONDITION.match(key)):
                result[key] = self._node(value, values, path)
            elif _is_true(key, values):
                inner = self._node(value, values, path)
                result |= inner if isinstance(inner, dict) else {}
        return result

    def _item(self, item: Any, values: dict[str, Any], path: Path) -> list[Any]:
        """Expand an entry of a list: itself, or those of a template, parameter or condition."""
        if isinstance(item, dict) and "template" in item:
            return self._template(item, values, path)
        if (
            isinstance(item, dict)
            and len(item) == 1
            and CONDITION.match(str(key := next(iter(item))))
        ):
            inner = self._node(item[key], values, path) if _is_true(key, values) else []
            return inner if isinstance(inner, list) else [inner]
        result = self._node(item, values, path)
        return result if isinstance(item, str) and isinstance(result, list) else [result]

    def _template(self, item: dict[str, Any], values: dict[str, Any], path: Path) -> list[Any]:
        template_parts = self._opened(item, values, path)
        if template_parts is None:
            return [{structure.UNCHECKED: str(item["template"])}]
        target, content, parameters = template_parts
        kind = next((kind for kind in KINDS if kind in content), None)
        if kind is None:
            self.add_problem(target, f"a template has one of {', '.join(KINDS)}.")
            return []
        self._stack.append(target)
        result = self._sound({kind: content[kind]}, parameters, target)[kind]
        self._stack.pop()
        return result if isinstance(result, list) else [result]

    def _sound(self, content: dict[str, Any], values: dict[str, Any], path: Path) -> dict[str, Any]:
        """Expand a file's content, without values of a wrong type."""
        return structure.normalize(
            self._node(content, values, path), lambda text: self.add_problem(path, text)
        )

    def _extended(self, content: dict[str, Any], path: Path) -> dict[str, Any]:
        """Expand `extends` of a pipeline; unchanged if the template cannot be read."""
        if "extends" not in content:
            return content
        item = content["extends"]
        if not (isinstance(item, dict) and "template" in item):
            self.add_problem(path, "`extends` names no template; write `template: FILE` below it.")
            return content
        template_parts = self._opened(item, {}, path)
        if template_parts is None:
            return content
        target, base, parameters = template_parts
        self._stack.append(target)
        result = self._extended(self._sound(base, parameters, target), target)
        self._stack.pop()
        result.pop("parameters", None)
        variable_lists = [each["variables"] for each in (result, content) if "variables" in each]
        variables = [
            part for each in variable_lists for part in (each if isinstance(each, list) else [each])
        ]
        own_fields = {key: value for key, value in content.items() if key != "extends"}
        return result | own_fields | ({"variables": variables} if variable_lists else {})

    def _opened(
        self, item: dict[str, Any], values: dict[str, Any], path: Path
    ) -> tuple[Path, dict[str, Any], dict[str, Any]] | None:
        """A template's path, content and parameter values; None if it cannot be read."""
        name = self._node(item["template"], values, path)
        if not isinstance(name, str):
            self.add_problem(path, f"`template` is {name!r}; write the path of a file.")
            return None
        path_in_repository = name.removesuffix("@self")
        if "@" in path_in_repository or structure.is_expression(path_in_repository):
            self.unchecked.append(f"{path.relative_to(self.root).as_posix()}: `{name}`")
            return None
        start = self.root if path_in_repository.startswith("/") else path.parent
        target = Path(os.path.normpath(start / path_in_repository.lstrip("/")))
        if not (target.is_relative_to(self.root) and target.is_file()):
            self.add_problem(path, f"there is no template `{name}`.")
            return None
        self.templates.add(target.resolve())
        if target in self._stack:
            self.add_problem(path, f"the template `{name}` includes itself; remove it here.")
            return None
        content = self._read(target)
        given = self._node(item.get("parameters"), values, path)
        given = structure.values(given, name, lambda text: self.add_problem(path, text))
        return target, content, self._bound(content.get("parameters", []), given, path, name)

    def _bound(
        self, declared: list[dict[str, Any]], given: dict[str, Any], path: Path, template: str
    ) -> dict[str, Any]:
        """Bind values to the template's parameters."""
        values_by_name: dict[str, Any] = {}
        for entry in declared:
            name = entry["name"]
            if name not in given and "default" not in entry:
                self.add_problem(path, f"{template} needs the parameter `{name}`.")
            value = given.get(name, entry.get("default", ""))
            values_by_name[name] = value
            if structure.is_expression(value):
                continue
            allowed_values = entry.get("values")
            if allowed_values and value not in allowed_values:
                self.add_problem(
                    path, f"{template}: `{name}` is {value!r}, not one of {allowed_values}."
                )
            if entry.get("type") == "boolean" and not isinstance(value, bool):
                self.add_problem(path, f"{template}: `{name}` is {value!r}, not true or false.")
        for name in sorted(set(given) - set(values_by_name)):
            self.add_problem(path, f"{template} has no parameter `{name}`.")
        return values_by_name


def _strings(node: Any) -> list[str]:
    """All strings in a tree, including keys."""
    if isinstance(node, dict):
        return [text for pair in node.items() for part in pair for text in _strings(part)]
    if isinstance(node, list):
        return [text for item in node for text in _strings(item)]
    return [str(node)]


def _fill(text: str, values: dict[str, Any]) -> Any:
    match = PARAMETER.fullmatch(text)
    if match and match[1] in values:
        return values[match[1]]
    return PARAMETER.sub(lambda part: str(values.get(part[1], part[0])), text)


def _is_true(key: str, values: dict[str, Any]) -> bool:
    """Whether a condition is true; an unknown one counts as true, so that its part is checked."""
    match = CONDITION.match(key)
    comparison = COMPARED.match(match[2]) if match and match[1] == "if" else None
    if comparison is None or comparison[2] not in values:
        return True
    value = values[comparison[2]]
    known = BOOLEANS[value] if isinstance(value, bool) else str(value)
    return (known == comparison[3].strip("'")) == (comparison[1] == "eq")
