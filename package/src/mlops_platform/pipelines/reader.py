"""Reads pipeline jobs and their components from YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.pipelines.checks import (
    Problems,
    check_bindings,
    check_command,
    check_literal,
    check_local_command,
    sort_steps,
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
    join_names,
    parse_binding,
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
    _reject_unknown_fields(content, PIPELINE_FIELDS, path, "")
    if content.get("type") != "pipeline":
        raise UsageError(f"{path}, field `type`: expected 'pipeline', got {content.get('type')!r}.")
    inputs = _pipeline_inputs(_read_mapping(content, "inputs", path, ""), overrides or {}, path)
    declared_outputs = _read_mapping(content, "outputs", path, "")
    jobs = _read_mapping(content, "jobs", path, "")
    if not jobs:
        raise UsageError(f"{path}, field `jobs`: a pipeline needs at least one job.")

    steps: dict[str, Step] = {}
    outputs: dict[str, FromStep] = {}
    for name, job in jobs.items():
        step, bound_outputs = _step(name, job, path)
        steps[name] = step
        for port, target in bound_outputs.items():
            if target not in declared_outputs:
                raise UsageError(
                    f"{path}, field `jobs.{name}.outputs.{port}`: the pipeline has no output "
                    f"'{target}'; it has {join_names(declared_outputs)}."
                )
            outputs[target] = FromStep(name, port)
    for name in declared_outputs:
        if name not in outputs:
            raise UsageError(f"{path}, field `outputs.{name}`: no job writes it.")
    for step in steps.values():
        _raise_first(path, check_bindings(step, steps, inputs))
        field = f"jobs.{step.name}.command" if step.source == path else "command"
        ports = {"inputs": step.inputs, "outputs": step.outputs}
        problems = (*check_command(step.command, ports), *check_local_command(step.command))
        _raise_first(step.source, ((field, message) for message in problems))
    return Pipeline(path.stem, path, inputs, sort_steps(steps, path), outputs)


def _raise_first(path: Path, problems: Problems) -> None:
    for field, message in problems:
        raise UsageError(f"{path}, field `{field}`: {message}.")


def _pipeline_inputs(
    declared: dict[str, Any], overrides: Mapping[str, str], path: Path
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in overrides:
        if name not in declared:
            raise UsageError(f"{path}: has no input '{name}'; it has {join_names(declared)}.")
    for name, value in declared.items():
        where = f"{path}, field `inputs.{name}`"
        if name in overrides:
            values[name] = _override(value, overrides[name], where)
        else:
            values[name] = _value(value, path, where)
    return values


def _override(value: Any, text: str, where: str) -> Any:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind in PATHS:
        return Path(text).resolve()
    if kind == "boolean" or isinstance(value, bool):
        if text not in ("true", "false"):
            raise UsageError(f"{where}: expected true or false, got {text!r}.")
        return text == "true"
    try:
        if kind == "integer" or (kind is None and isinstance(value, int)):
            return int(text)
        if kind == "number" or (kind is None and isinstance(value, float)):
            return float(text)
    except ValueError:
        raise UsageError(f"{where}: expected a number, got {text!r}.") from None
    return text


def _value(value: Any, path: Path, where: str) -> Any:
    """The value of an input: a literal, or the local path of a file or folder."""
    if not isinstance(value, dict):
        if value is None or isinstance(value, list):
            raise UsageError(f"{where}: give a value, or `type` and `path`.")
        return value
    _reject_unknown_fields(value, INPUT_FIELDS, path, where.split("`")[-2] + ".")
    kind = value.get("type", "uri_folder" if "path" in value else None)
    if kind in LITERALS:
        return value.get("default", value.get("value"))
    if kind not in PATHS:
        raise UsageError(
            f"{where}: the type {kind!r} cannot run here; local runs take "
            f"{', '.join((*LITERALS, *PATHS))}."
        )
    location = value.get("path")
    if location is None:
        return None
    if "://" in str(location) or str(location).startswith("azureml:"):
        raise UsageError(
            f"{where}: {location!r} is in the cloud. Give a local path: "
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
    _reject_unknown_fields(job, JOB_FIELDS, path, f"{where}.")
    definition, source = job, path
    if "component" in job:
        definition, source = _component(job["component"], path, f"{where}.component")
    if not isinstance(definition.get("command"), str):
        raise UsageError(f"{source}, field `command`: is missing; write what to run.")
    inline = definition is job
    prefix = f"{where}." if inline else ""
    inputs = _ports(
        _read_mapping(definition, "inputs", source, prefix), source, "inputs", inline=inline
    )
    outputs = _ports(
        _read_mapping(definition, "outputs", source, prefix), source, "outputs", inline=inline
    )
    bindings = {
        port: _binding(value, path, f"{path}, field `{where}.inputs.{port}`")
        for port, value in _read_mapping(job, "inputs", path, f"{where}.").items()
    }
    bound_outputs: dict[str, str] = {}
    for port, value in _read_mapping(job, "outputs", path, f"{where}.").items():
        target = value.get("path") if isinstance(value, dict) else value
        match = BINDING.fullmatch(str(target or ""))
        if match and match[1].startswith("parent.outputs."):
            bound_outputs[port] = match[1].removeprefix("parent.outputs.")
        if port not in outputs:
            raise UsageError(
                f"{path}, field `{where}.outputs.{port}`: {source.name} has no such output; "
                f"it has {join_names(outputs)}."
            )
    code = (source.parent / str(definition["code"])).resolve() if "code" in definition else None
    if code is not None and not code.exists():
        raise UsageError(
            f"{source}, field `{prefix}code`: there is no {code}; name a local folder."
        )
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
                for key, value in _read_mapping(
                    part, "environment_variables", source, prefix
                ).items()
            },
            deterministic=bool(definition.get("is_deterministic", True)),
        ),
        bound_outputs,
    )


def _component(reference: Any, path: Path, where: str) -> tuple[dict[str, Any], Path]:
    text = reference if isinstance(reference, str) else "an inline component"
    if text is not reference or text.startswith("azureml:") or "://" in text:
        raise UsageError(
            f"{path}, field `{where}`: {text!r} is not a local file, but in a registry, a "
            "workspace or the pipeline; local runs need the file of a component."
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
    _reject_unknown_fields(content, COMPONENT_FIELDS, source, "")
    return content, source


def _relative(path: Path) -> str:
    """A path for messages: relative to the working folder, if it is inside."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _ports(declared: dict[str, Any], source: Path, group: str, *, inline: bool) -> dict[str, Port]:
    ports = {}
    for name, declaration in declared.items():
        where = f"{source}, field `{group}.{name}"
        if inline and not isinstance(declaration, dict):
            ports[name] = Port("any")
            continue
        if not isinstance(declaration, dict):
            raise UsageError(f"{where}`: expected `key: value` lines, got {declaration!r}.")
        kind = declaration.get("type", "uri_folder" if inline else None)
        allowed = PATHS if group == "outputs" else (*LITERALS, *PATHS)
        if kind not in allowed:
            raise UsageError(
                f"{where}.type`: {kind!r} cannot run here; local runs take {', '.join(allowed)}."
            )
        if inline:
            ports[name] = Port(kind)
            continue
        if group == "inputs":
            _reject_unknown_fields(
                declaration, INPUT_FIELDS - {"path", "value"}, source, f"inputs.{name}."
            )
        ports[name] = Port(kind, bool(declaration.get("optional")), declaration.get("default"))
        problems = check_literal(declaration.get("default"), ports[name])
        _raise_first(source, ((f"{group}.{name}.default", message) for message in problems))
    return ports


def _binding(value: Any, path: Path, where: str) -> FromStep | FromPipeline | Path | Any:
    target = value.get("path") if isinstance(value, dict) else value
    if isinstance(target, str) and "${{" in target:
        bound = parse_binding(target)
        if bound is None:
            raise UsageError(f"{where}: {target!r} is no binding; {BINDINGS}.")
        return bound
    return _value(value, path, where)


def _read_mapping(content: dict[str, Any], field: str, path: Path, prefix: str) -> dict[str, Any]:
    """A mapping whose keys are valid names for folders, arguments and variables."""
    mapping = content.get(field)
    if mapping is None:
        return {}
    where = f"{path}, field `{prefix}{field}"
    if not isinstance(mapping, dict):
        raise UsageError(f"{where}`: expected `name: value` lines, got {mapping!r}.")
    for name in mapping:
        if not NAME.fullmatch(str(name)):
            raise UsageError(f"{where}.{name}`: a name is made of letters, digits and _.")
    return mapping


def _reject_unknown_fields(
    content: dict[str, Any], fields: set[str], path: Path, where: str
) -> None:
    for name in content:
        if name not in fields:
            raise UsageError(
                f"{path}, field `{where}{name}`: local runs do not support it; they support "
                f"{', '.join(sorted(fields))}."
            )
