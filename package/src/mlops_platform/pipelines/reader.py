"""Reads pipeline jobs and their components from YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.pipelines.checks import (
    Faults,
    binding_faults,
    command_faults,
    in_order,
    literal_faults,
    local_faults,
)
from mlops_platform.pipelines.model import (
    BINDING,
    BINDINGS,
    LITERALS,
    PATHS,
    FromPipeline,
    FromStep,
    Pipeline,
    Port,
    Step,
    listed,
    source_of,
)

NAME = re.compile(r"[A-Za-z_]\w*")
INPUT_FIELDS = {"type", "path", "mode", "default", "value", "optional", "description"}

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
    "distribution",
    "limits",
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


def load(path: Path, overrides: Mapping[str, str] | None = None) -> Pipeline:
    """Read a pipeline job; `overrides` replace its inputs by name.

    Raises:
        UsageError: anything that cannot run here, with file and field.
    """
    content = read_yaml(path)
    _known(content, PIPELINE_FIELDS, path, "")
    if content.get("type") != "pipeline":
        raise UsageError(f"{path}, field `type`: expected 'pipeline', got {content.get('type')!r}.")
    inputs = _pipeline_inputs(_named(content, "inputs", path, ""), overrides or {}, path)
    declared_outputs = _named(content, "outputs", path, "")
    jobs = _named(content, "jobs", path, "")
    if not jobs:
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
                    f"'{target}'; it has {listed(declared_outputs)}."
                )
            outputs[target] = FromStep(name, port)
    for name in declared_outputs:
        if name not in outputs:
            raise UsageError(f"{path}, field `outputs.{name}`: no job writes it.")
    for step in steps.values():
        _refuse(path, binding_faults(step, steps, inputs))
        at = f"jobs.{step.name}.command" if step.source == path else "command"
        ports = {"inputs": step.inputs, "outputs": step.outputs}
        found = (*command_faults(step.command, ports), *local_faults(step.command))
        _refuse(step.source, ((at, says) for says in found))
    return Pipeline(path.stem, path, inputs, in_order(steps, path), outputs)


def _refuse(path: Path, faults: Faults) -> None:
    for field, says in faults:
        raise UsageError(f"{path}, field `{field}`: {says}.")


def _pipeline_inputs(
    declared: dict[str, Any], overrides: Mapping[str, str], path: Path
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in overrides:
        if name not in declared:
            raise UsageError(f"{path}: has no input '{name}'; it has {listed(declared)}.")
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
    _known(given, INPUT_FIELDS, path, where.split("`")[-2] + ".")
    kind = given.get("type", "uri_folder" if "path" in given else None)
    if kind in LITERALS:
        return given.get("default", given.get("value"))
    if kind not in PATHS:
        raise UsageError(
            f"{where}: the type {kind!r} cannot run here; local runs take "
            f"{', '.join((*LITERALS, *PATHS))}."
        )
    location = given.get("path")
    if location is None:
        return None
    if "://" in str(location) or str(location).startswith("azureml:"):
        raise UsageError(
            f"{where}: {location!r} is in the cloud. Give a local one: "
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
    at = f"{where}." if inline else ""
    inputs = _ports(_named(definition, "inputs", source, at), source, "inputs", inline=inline)
    outputs = _ports(_named(definition, "outputs", source, at), source, "outputs", inline=inline)
    bindings = {
        port: _binding(given, path, f"{path}, field `{where}.inputs.{port}`")
        for port, given in _named(job, "inputs", path, f"{where}.").items()
    }
    bound: dict[str, str] = {}
    for port, given in _named(job, "outputs", path, f"{where}.").items():
        target = given.get("path") if isinstance(given, dict) else given
        match = BINDING.fullmatch(str(target or ""))
        if match and match[1].startswith("parent.outputs."):
            bound[port] = match[1].removeprefix("parent.outputs.")
        if port not in outputs:
            raise UsageError(
                f"{path}, field `{where}.outputs.{port}`: {source.name} has no such output; "
                f"it has {listed(outputs)}."
            )
    code = (source.parent / str(definition["code"])).resolve() if "code" in definition else None
    if code is not None and not code.exists():
        raise UsageError(f"{source}, field `{at}code`: there is no {code}; name a local folder.")
    return (
        Step(
            name=name,
            source=source,
            command=definition["command"],
            code=code,
            inputs=inputs,
            outputs=outputs,
            bindings=bindings,
            environment={
                key: str(value)
                for part in (definition, job)
                for key, value in _named(part, "environment_variables", source, at).items()
            },
            deterministic=bool(definition.get("is_deterministic", True)),
        ),
        bound,
    )


def _component(reference: Any, path: Path, where: str) -> tuple[dict[str, Any], Path]:
    text = reference if isinstance(reference, str) else "an inline component"
    if text is not reference or text.startswith("azureml:") or "://" in text:
        raise UsageError(
            f"{path}, field `{where}`: {text!r} is no file here but lies in a registry, a "
            "workspace or the pipeline; local runs take a component's file."
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
        if inline and not isinstance(given, dict):
            ports[name] = Port("any")
            continue
        if not isinstance(given, dict):
            raise UsageError(f"{where}`: expected `key: value` lines, got {given!r}.")
        kind = given.get("type", "uri_folder" if inline else None)
        allowed = PATHS if group == "outputs" else (*LITERALS, *PATHS)
        if kind not in allowed:
            raise UsageError(
                f"{where}.type`: {kind!r} cannot run here; local runs take {', '.join(allowed)}."
            )
        if inline:
            ports[name] = Port(kind)
            continue
        if group == "inputs":
            _known(given, INPUT_FIELDS - {"path", "value"}, source, f"inputs.{name}.")
        ports[name] = Port(kind, bool(given.get("optional")), given.get("default"))
        found = literal_faults(given.get("default"), ports[name])
        _refuse(source, ((f"{group}.{name}.default", says) for says in found))
    return ports


def _binding(given: Any, path: Path, where: str) -> FromStep | FromPipeline | Path | Any:
    target = given.get("path") if isinstance(given, dict) else given
    if isinstance(target, str) and "${{" in target:
        bound = source_of(target)
        if bound is None:
            raise UsageError(f"{where}: {target!r} is no binding; {BINDINGS}.")
        return bound
    return _value(given, path, where)


def _named(content: dict[str, Any], field: str, path: Path, at: str) -> dict[str, Any]:
    """A mapping by names, which become folders, arguments and variables."""
    given = content.get(field)
    if given is None:
        return {}
    where = f"{path}, field `{at}{field}"
    if not isinstance(given, dict):
        raise UsageError(f"{where}`: expected `name: value` lines, got {given!r}.")
    for name in given:
        if not NAME.fullmatch(str(name)):
            raise UsageError(f"{where}.{name}`: a name is made of letters, digits and _.")
    return given


def _known(content: dict[str, Any], fields: set[str], path: Path, where: str) -> None:
    for name in content:
        if name not in fields:
            raise UsageError(
                f"{path}, field `{where}{name}`: local runs do not know it; they take "
                f"{', '.join(sorted(fields))}."
            )
