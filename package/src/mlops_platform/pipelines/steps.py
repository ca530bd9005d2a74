"""One job of a pipeline as a step, with its component's ports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.pipelines.checks import check_literal
from mlops_platform.pipelines.fields import (
    COMPONENT,
    DECLARED_INPUTS,
    DECLARED_OUTPUTS,
    JOB,
    OUTPUT,
    raise_first,
    read_mapping,
    refuse_fields,
)
from mlops_platform.pipelines.model import BINDING, LITERALS, PATHS, Port, Step, join_names
from mlops_platform.pipelines.values import read_binding


def read_step(name: str, job: Any, path: Path) -> tuple[Step, dict[str, str]]:
    """A step, and which of its outputs are the pipeline's: names there by names here.

    Raises:
        UsageError: anything that cannot run here, with file and field.
    """
    where = f"jobs.{name}"
    if not isinstance(job, dict):
        raise UsageError(f"{path}, field `{where}`: expected `key: value` lines.")
    kind = job.get("type", "command")
    if kind != "command":
        raise UsageError(
            f"{path}, field `{where}.type`: {kind!r} runs in Azure ML only; "
            "local runs take 'command'."
        )
    refuse_fields(job, JOB, path, f"{where}.")
    definition, source = job, path
    if "component" in job:
        definition, source = _component(job["component"], path, f"{where}.component")
    if not isinstance(definition.get("command"), str):
        raise UsageError(f"{source}, field `command`: is missing; write what to run.")
    prefix = f"{where}." if definition is job else ""
    ports = _inline_ports if definition is job else _declared_ports
    inputs = ports(read_mapping(definition, "inputs", source, prefix), source, "inputs")
    outputs = ports(read_mapping(definition, "outputs", source, prefix), source, "outputs")
    step = Step(
        name=name,
        source=source,
        command=definition["command"],
        code=_code(definition, source, prefix),
        inputs=inputs,
        outputs=outputs,
        bindings={
            port: read_binding(value, path, f"{where}.inputs.{port}")
            for port, value in read_mapping(job, "inputs", path, f"{where}.").items()
        },
        environment={
            key: str(value)
            for part in (definition, job)
            for key, value in read_mapping(part, "environment_variables", source, prefix).items()
        },
        deterministic=bool(definition.get("is_deterministic", True)),
    )
    return step, _bound_outputs(job, step, path)


def _bound_outputs(job: dict[str, Any], step: Step, path: Path) -> dict[str, str]:
    bound: dict[str, str] = {}
    for port, value in read_mapping(job, "outputs", path, f"jobs.{step.name}.").items():
        field = f"jobs.{step.name}.outputs.{port}"
        if isinstance(value, dict):
            refuse_fields(value, OUTPUT, path, f"{field}.")
        target = value.get("path") if isinstance(value, dict) else value
        match = BINDING.fullmatch(str(target or ""))
        if match and match[1].startswith("parent.outputs."):
            bound[port] = match[1].removeprefix("parent.outputs.")
        if port not in step.outputs:
            raise UsageError(
                f"{path}, field `{field}`: {step.source.name} has no such output; "
                f"it has {join_names(step.outputs)}."
            )
    return bound


def _code(definition: dict[str, Any], source: Path, prefix: str) -> Path | None:
    if "code" not in definition:
        return None
    code = (source.parent / str(definition["code"])).resolve()
    if not code.exists():
        raise UsageError(
            f"{source}, field `{prefix}code`: there is no {code}; name a local folder."
        )
    return code


def _component(reference: Any, path: Path, where: str) -> tuple[dict[str, Any], Path]:
    text = reference if isinstance(reference, str) else "an inline component"
    if text is not reference or text.startswith("azureml:") or "://" in text:
        raise UsageError(
            f"{path}, field `{where}`: {text!r} is not a local file, but in a registry, a "
            "workspace or the pipeline; local runs need the file of a component."
        )
    source = (path.parent / text.removeprefix("file:")).resolve()
    # For messages: relative to the working folder, if it is inside.
    source = source.relative_to(Path.cwd()) if source.is_relative_to(Path.cwd()) else source
    content = read_yaml(source)
    kind = content.get("type", "command")
    if kind != "command":
        raise UsageError(
            f"{source}, field `type`: {kind!r} components run in Azure ML only; local runs take "
            "'command'."
        )
    refuse_fields(content, COMPONENT, source, "")
    return content, source


def _inline_ports(given: dict[str, Any], source: Path, group: str) -> dict[str, Port]:
    """The ports of a job without a component: what it gives is what it declares."""
    ports = {}
    for name, value in given.items():
        kind = value.get("type", "uri_folder") if isinstance(value, dict) else "any"
        if isinstance(value, dict):
            _refuse_type(kind, (*LITERALS, *PATHS), f"{source}, field `{group}.{name}")
        ports[name] = Port(kind)
    return ports


def _declared_ports(declared: dict[str, Any], source: Path, group: str) -> dict[str, Port]:
    ports = {}
    for name, declaration in declared.items():
        where = f"{source}, field `{group}.{name}"
        if not isinstance(declaration, dict):
            raise UsageError(f"{where}`: expected `key: value` lines, got {declaration!r}.")
        kind: Any = declaration.get("type")
        _refuse_type(kind, PATHS if group == "outputs" else (*LITERALS, *PATHS), where)
        tables = DECLARED_OUTPUTS if group == "outputs" else DECLARED_INPUTS
        refuse_fields(declaration, tables[kind], source, f"{group}.{name}.")
        port = Port(
            kind,
            bool(declaration.get("optional")),
            declaration.get("default"),
            declaration.get("min"),
            declaration.get("max"),
            tuple(declaration.get("enum") or ()),
        )
        problems = check_literal(port.default, port)
        raise_first(source, ((f"{group}.{name}.default", message) for message in problems))
        ports[name] = port
    return ports


def _refuse_type(kind: Any, allowed: tuple[str, ...], where: str) -> None:
    if kind not in allowed:
        raise UsageError(
            f"{where}.type`: {kind!r} cannot run here; local runs take {', '.join(allowed)}."
        )
