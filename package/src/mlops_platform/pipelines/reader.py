"""Reads pipeline jobs and their components from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.pipelines.checks import (
    check_bindings,
    check_command,
    check_local_command,
    sort_steps,
)
from mlops_platform.pipelines.fields import PIPELINE, raise_first, read_mapping, refuse_fields
from mlops_platform.pipelines.model import FromStep, Pipeline, Step, join_names
from mlops_platform.pipelines.steps import read_step
from mlops_platform.pipelines.values import read_inputs


def load(path: Path, overrides: Mapping[str, str] | None = None) -> Pipeline:
    """Read a pipeline job; `overrides` replace its inputs by name.

    Raises:
        UsageError: anything that cannot run here, with file and field.
    """
    content = read_yaml(path)
    refuse_fields(content, PIPELINE, path, "")
    if content.get("type") != "pipeline":
        raise UsageError(f"{path}, field `type`: expected 'pipeline', got {content.get('type')!r}.")
    inputs = read_inputs(read_mapping(content, "inputs", path, ""), overrides or {}, path)
    declared_outputs = read_mapping(content, "outputs", path, "")
    jobs = read_mapping(content, "jobs", path, "")
    if not jobs:
        raise UsageError(f"{path}, field `jobs`: a pipeline needs at least one job.")

    steps: dict[str, Step] = {}
    outputs: dict[str, FromStep] = {}
    for name, job in jobs.items():
        step, bound_outputs = read_step(name, job, path)
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
        raise_first(path, check_bindings(step, steps, inputs))
        field = f"jobs.{step.name}.command" if step.source == path else "command"
        ports = {"inputs": step.inputs, "outputs": step.outputs}
        problems = (*check_command(step.command, ports), *check_local_command(step.command))
        raise_first(step.source, ((field, message) for message in problems))
    return Pipeline(path.stem, path, inputs, sort_steps(steps, path), outputs)
