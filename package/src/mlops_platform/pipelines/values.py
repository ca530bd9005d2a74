"""Values of inputs: a pipeline's own, those of its jobs, and what a command line replaces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.pipelines.fields import INPUT, refuse_fields
from mlops_platform.pipelines.model import (
    BINDINGS,
    LITERALS,
    PATHS,
    FromPipeline,
    FromStep,
    join_names,
    parse_binding,
)


def read_inputs(
    declared: Mapping[str, Any], overrides: Mapping[str, str], path: Path
) -> dict[str, Any]:
    """The inputs of a pipeline by name: a literal, a local path, or None where none is given.

    Raises:
        UsageError: a value that cannot run here, or an override of an unknown name or wrong type.
    """
    for name in overrides:
        if name not in declared:
            raise UsageError(f"{path}: has no input '{name}'; it has {join_names(declared)}.")
    return {
        name: _override(value, overrides[name], path, f"inputs.{name}")
        if name in overrides
        else _value(value, path, f"inputs.{name}")
        for name, value in declared.items()
    }


def read_binding(value: Any, path: Path, field: str) -> FromStep | FromPipeline | Path | Any:
    """What a job's input is bound to, or its own literal or local path.

    Raises:
        UsageError: a binding or value that cannot run here.
    """
    target = value.get("path") if isinstance(value, dict) else value
    if isinstance(target, str) and "${{" in target:
        bound = parse_binding(target)
        if bound is None:
            raise UsageError(f"{path}, field `{field}`: {target!r} is no binding; {BINDINGS}.")
        return bound
    return _value(value, path, field)


def _override(value: Any, text: str, path: Path, field: str) -> Any:
    _refuse_declaration(value, path, field)
    where = f"{path}, field `{field}`"
    if isinstance(value, dict) and "value" not in value:
        return Path(text).resolve()
    before = value["value"] if isinstance(value, dict) else value
    if isinstance(before, bool):
        if text not in ("true", "false"):
            raise UsageError(f"{where}: expected true or false, got {text!r}.")
        return text == "true"
    try:
        return type(before)(text) if isinstance(before, int | float) else text
    except ValueError:
        raise UsageError(f"{where}: expected a number, got {text!r}.") from None


def _value(value: Any, path: Path, field: str) -> Any:
    """The value of an input: a literal, or the local path of a file or folder."""
    where = f"{path}, field `{field}`"
    if not isinstance(value, dict):
        if value is None or isinstance(value, list):
            raise UsageError(f"{where}: give a value, or `type` and `path`.")
        return value
    _refuse_declaration(value, path, field)
    refuse_fields(value, INPUT, path, f"{field}.")
    if "value" in value:
        return value["value"]
    kind = value.get("type", "uri_folder" if "path" in value else None)
    if kind not in PATHS:
        raise UsageError(
            f"{where}: the type {kind!r} cannot run here; local runs take {', '.join(PATHS)}."
        )
    location = value.get("path")
    if location is None:
        return None
    if "://" in str(location) or str(location).startswith("azureml:"):
        raise UsageError(
            f"{where}: {location!r} is in the cloud. Give a local path: "
            f"`--input {field.rpartition('.')[2]}=PATH`."
        )
    return (path.parent / str(location)).resolve()


def _refuse_declaration(value: Any, path: Path, field: str) -> None:
    """Refuse `{type: number, default: 1}`, which a component declares and a job only gives."""
    if isinstance(value, dict) and value.get("type") in LITERALS:
        name = field.rpartition(".")[2]
        raise UsageError(
            f"{path}, field `{field}`: only a component declares a {value['type']}, as in Azure "
            f"ML; write `{name}: VALUE`."
        )
