"""Azure ML v2 pipeline jobs as this project uses them: read, checked, put in order.

What is read here runs unchanged in Azure ML; what the local runner cannot do is refused with the
file and the field, never skipped.
Schema: https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-pipeline
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from .errors import UsageError
from .files import read_yaml

LITERALS = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
PATHS = ("uri_file", "uri_folder")
BINDING = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")
OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)

PIPELINE_FIELDS = {
    "$schema",
    "type",
    "name",
    "display_name",
    "description",
    "experiment_name",
    "tags",
    "inputs",
    "outputs",
    "jobs",
    "settings",
    "compute",
}
JOB_FIELDS = {
    "type",
    "name",
    "display_name",
    "description",
    "tags",
    "component",
    "inputs",
    "outputs",
    "compute",
    "command",
    "code",
    "environment",
    "environment_variables",
    "resources",
    "limits",
    "distribution",
    "identity",
}
COMPONENT_FIELDS = {
    "$schema",
    "type",
    "name",
    "version",
    "display_name",
    "description",
    "tags",
    "inputs",
    "outputs",
    "command",
    "code",
    "environment",
    "environment_variables",
    "is_deterministic",
    "resources",
    "distribution",
}


@dataclass(frozen=True)
class Port:
    """A declared input or output."""

    type: str
    optional: bool = False
    default: Any = None


@dataclass(frozen=True)
class FromStep:
    """An input that another step's output fills."""

    step: str
    output: str


@dataclass(frozen=True)
class FromPipeline:
    """An input that one of the pipeline's inputs fills."""

    name: str


@dataclass(frozen=True)
class Step:
    """One command with its ports and what is plugged into them."""

    name: str
    source: Path
    command: str
    code: Path | None
    inputs: dict[str, Port]
    outputs: dict[str, Port]
    bindings: dict[str, FromStep | FromPipeline | Path | Any]
    environment: dict[str, str] = field(default_factory=dict)
    deterministic: bool = True


@dataclass(frozen=True)
class Pipeline:
    """A pipeline job; `steps` stand in an order in which they can run."""

    name: str
    source: Path
    inputs: dict[str, Any]
    steps: list[Step]
    outputs: dict[str, FromStep]


def load(path: Path, overrides: Mapping[str, str] | None = None) -> Pipeline:
    """Read a pipeline job; `overrides` replace its inputs by name.

    Raises:
        UsageError: anything that cannot run here, with file and field.
    """
    content = read_yaml(path)
    _known(content, PIPELINE_FIELDS, path, "")
    if content.get("type") != "pipeline":
        raise UsageError(f"{path}, field `type`: expected 'pipeline', got {content.get('type')!r}.")
    inputs = _pipeline_inputs(content.get("inputs") or {}, overrides or {}, path)
    declared_outputs = content.get("outputs") or {}
    jobs = content.get("jobs")
    if not isinstance(jobs, dict) or not jobs:
        raise UsageError(f"{path}, field `jobs`: a pipeline needs at least one job.")

    steps: dict[str, Step] = {}
    outputs: dict[str, FromStep] = {}
    for name, job in jobs.items():
        step, bound = _step(name, job, path)
        steps[name] = step
        for port, target in bound.items():
            if target not in declared_outputs:
                raise UsageError(
                    f"{path}, field `jobs.{name}.outputs.{port}`: the pipeline has no output "
                    f"'{target}'; it has {_list(declared_outputs)}."
                )
            outputs[target] = FromStep(name, port)
    for name in declared_outputs:
        if name not in outputs:
            raise UsageError(f"{path}, field `outputs.{name}`: no job writes it.")
    for step in steps.values():
        _check_bindings(step, steps, inputs, path)
    return Pipeline(path.stem, path, inputs, _in_order(steps, path), outputs)


def _pipeline_inputs(
    declared: dict[str, Any], overrides: Mapping[str, str], path: Path
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in overrides:
        if name not in declared:
            raise UsageError(f"{path}: has no input '{name}'; it has {_list(declared)}.")
    for name, given in declared.items():
        where = f"{path}, field `inputs.{name}`"
        if name in overrides:
            values[name] = _override(given, overrides[name], where)
        else:
            values[name] = _value(given, path, where)
    return values


def _override(given: Any, text: str, where: str) -> Any:
    kind = given.get("type") if isinstance(given, dict) else None
    if kind in PATHS:
        return Path(text).resolve()
    if kind == "boolean" or isinstance(given, bool):
        if text not in ("true", "false"):
            raise UsageError(f"{where}: expected true or false, got {text!r}.")
        return text == "true"
    try:
        if kind == "integer" or (kind is None and isinstance(given, int)):
            return int(text)
        if kind == "number" or (kind is None and isinstance(given, float)):
            return float(text)
    except ValueError:
        raise UsageError(f"{where}: expected a number, got {text!r}.") from None
    return text


def _value(given: Any, path: Path, where: str) -> Any:
    """A literal, or the local path of a file or folder input."""
    if not isinstance(given, dict):
        if given is None or isinstance(given, list):
            raise UsageError(f"{where}: give a value, or `type` and `path`.")
        return given
    kind = given.get("type")
    if kind in LITERALS:
        return given.get("default", given.get("value"))
    if kind not in PATHS:
        raise UsageError(
            f"{where}.type: {kind!r} cannot run here; local runs take "
            f"{', '.join((*LITERALS, *PATHS))}."
        )
    location = given.get("path")
    if location is None:
        return None
    if "://" in str(location) or str(location).startswith("azureml:"):
        raise UsageError(
            f"{where}.path: {location!r} is in the cloud. Give a local one: "
            f"`--input {where.rsplit('.', 1)[-1].rstrip('`')}=PATH`."
        )
    return (path.parent / str(location)).resolve()


def _step(name: str, job: Any, path: Path) -> tuple[Step, dict[str, str]]:
    """A step, and which of its outputs are the pipeline's, by name."""
    where = f"jobs.{name}"
    if not isinstance(job, dict):
        raise UsageError(f"{path}, field `{where}`: expected `key: value` lines.")
    kind = job.get("type", "command")
    if kind != "command":
        raise UsageError(
            f"{path}, field `{where}.type`: {kind!r} runs in Azure ML only; "
            "local runs take 'command'."
        )
    _known(job, JOB_FIELDS, path, f"{where}.")
    definition, source = job, path
    if "component" in job:
        definition, source = _component(job["component"], path, f"{where}.component")
    if not isinstance(definition.get("command"), str):
        raise UsageError(f"{source}, field `command`: is missing; write what to run.")
    inline = definition is job
    inputs = _ports(definition.get("inputs") or {}, source, "inputs", inline=inline)
    outputs = _ports(definition.get("outputs") or {}, source, "outputs", inline=inline)
    bindings = {
        port: _binding(given, path, f"{path}, field `{where}.inputs.{port}`")
        for port, given in (job.get("inputs") or {}).items()
    }
    bound: dict[str, str] = {}
    for port, given in (job.get("outputs") or {}).items():
        target = given.get("path") if isinstance(given, dict) else given
        match = BINDING.fullmatch(str(target or ""))
        if match and match[1].startswith("parent.outputs."):
            bound[port] = match[1].removeprefix("parent.outputs.")
        if port not in outputs:
            raise UsageError(
                f"{path}, field `{where}.outputs.{port}`: {source.name} has no such output; "
                f"it has {_list(outputs)}."
            )
    code = definition.get("code")
    return (
        Step(
            name=name,
            source=source,
            command=definition["command"],
            code=(source.parent / str(code)).resolve() if code else None,
            inputs=inputs,
            outputs=outputs,
            bindings=bindings,
            environment={
                key: str(value)
                for part in (definition, job)
                for key, value in (part.get("environment_variables") or {}).items()
            },
            deterministic=bool(definition.get("is_deterministic", True)),
        ),
        bound,
    )


def _component(reference: Any, path: Path, where: str) -> tuple[dict[str, Any], Path]:
    text = str(reference)
    if text.startswith("azureml:") or "://" in text:
        raise UsageError(
            f"{path}, field `{where}`: {text!r} lies in a registry or workspace; local runs take a "
            "component's file."
        )
    source = (path.parent / text.removeprefix("file:")).resolve()
    source = Path(_relative(source))
    content = read_yaml(source)
    kind = content.get("type", "command")
    if kind != "command":
        raise UsageError(
            f"{source}, field `type`: {kind!r} components run in Azure ML only; local runs take "
            "'command'."
        )
    _known(content, COMPONENT_FIELDS, source, "")
    return content, source


def _relative(path: Path) -> str:
    """Shorter in messages: relative to where the user stands, if it is below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _ports(declared: dict[str, Any], source: Path, group: str, *, inline: bool) -> dict[str, Port]:
    ports = {}
    for name, given in declared.items():
        where = f"{source}, field `{group}.{name}"
        if inline:
            kind = given.get("type", "uri_folder") if isinstance(given, dict) else "any"
            ports[name] = Port(kind)
            continue
        kind = given.get("type") if isinstance(given, dict) else None
        allowed = PATHS if group == "outputs" else (*LITERALS, *PATHS)
        if kind not in allowed:
            raise UsageError(
                f"{where}.type`: {kind!r} cannot run here; local runs take {', '.join(allowed)}."
            )
        ports[name] = Port(kind, bool(given.get("optional")), given.get("default"))
    return ports


def _binding(given: Any, path: Path, where: str) -> FromStep | FromPipeline | Path | Any:
    target = given.get("path") if isinstance(given, dict) else given
    if isinstance(target, str) and "${{" in target:
        match = BINDING.fullmatch(target)
        parts = match[1].split(".") if match else []
        if parts[:2] == ["parent", "inputs"] and len(parts) == 3:
            return FromPipeline(parts[2])
        if parts[:2] == ["parent", "jobs"] and len(parts) == 5 and parts[3] == "outputs":
            return FromStep(parts[2], parts[4])
        raise UsageError(
            f"{where}: {target!r} is no binding; write ${{{{parent.inputs.NAME}}}} or "
            "${{parent.jobs.STEP.outputs.NAME}}."
        )
    return _value(given, path, where)


def _check_bindings(step: Step, steps: dict[str, Step], inputs: dict[str, Any], path: Path) -> None:
    where = f"{path}, field `jobs.{step.name}.inputs"
    for port, bound in step.bindings.items():
        if port not in step.inputs:
            raise UsageError(
                f"{where}.{port}`: {step.source.name} has no such input; "
                f"it has {_list(step.inputs)}."
            )
        if isinstance(bound, FromPipeline) and bound.name not in inputs:
            raise UsageError(
                f"{where}.{port}`: the pipeline has no input '{bound.name}'; "
                f"it has {_list(inputs)}."
            )
        if isinstance(bound, FromStep):
            if bound.step not in steps:
                raise UsageError(
                    f"{where}.{port}`: there is no job '{bound.step}'; there are {_list(steps)}."
                )
            if bound.output not in steps[bound.step].outputs:
                raise UsageError(
                    f"{where}.{port}`: job '{bound.step}' has no output '{bound.output}'; "
                    f"it has {_list(steps[bound.step].outputs)}."
                )
    for port, declared in step.inputs.items():
        if port not in step.bindings and not declared.optional and declared.default is None:
            raise UsageError(f"{where}.{port}`: is missing; {step.source.name} needs it.")
    for name in BINDING.findall(step.command):
        group, _, port = name.partition(".")
        ports = {"inputs": step.inputs, "outputs": step.outputs}.get(group)
        if ports is None or port not in ports:
            raise UsageError(
                f"{step.source}, field `command`: '{name}' is not declared; there are inputs "
                f"{_list(step.inputs)} and outputs {_list(step.outputs)}."
            )


def _in_order(steps: dict[str, Step], path: Path) -> list[Step]:
    graph = {
        name: {bound.step for bound in step.bindings.values() if isinstance(bound, FromStep)}
        for name, step in steps.items()
    }
    try:
        return [steps[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise UsageError(
            f"{path}, field `jobs`: these jobs wait for each other: {' -> '.join(error.args[1])}."
        ) from None


def _known(content: dict[str, Any], fields: set[str], path: Path, where: str) -> None:
    for name in content:
        if name not in fields:
            raise UsageError(
                f"{path}, field `{where}{name}`: local runs do not know it; they take "
                f"{', '.join(sorted(fields))}."
            )


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(names) or "none"
