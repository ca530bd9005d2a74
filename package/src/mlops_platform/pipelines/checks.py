"""Checks of a pipeline: its bindings exist and have the right types.

A problem is a field and a message. The local runner raises the first one, the check of specs shows
all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.core.literals import convert
from mlops_platform.pipelines.model import (
    BINDING,
    LITERALS,
    OPTIONAL,
    FromPipeline,
    FromStep,
    Port,
    Step,
    join_names,
    split_command,
)

SHELL_OPERATORS = set("();<>|&")
# Azure ML only documents an `enum`, and starts a job with another value: see the check of specs.
LISTED = "expected one of"
Problems = Iterator[tuple[str, str]]


def check_bindings(step: Step, steps: Mapping[str, Step], inputs: Mapping[str, Any]) -> Problems:
    """Find missing bindings, values of a wrong type and missing inputs."""
    field = f"jobs.{step.name}.inputs"
    for port, bound in step.bindings.items():
        if port not in step.inputs:
            yield (
                f"{field}.{port}",
                f"{step.source.name} has no such input; it has {join_names(step.inputs)}",
            )
            continue
        if isinstance(bound, FromPipeline) and bound.name not in inputs:
            yield (
                f"{field}.{port}",
                f"the pipeline has no input '{bound.name}'; it has {join_names(inputs)}",
            )
            continue
        value = inputs[bound.name] if isinstance(bound, FromPipeline) else bound
        for message in check_literal(value, step.inputs[port]):
            yield f"{field}.{port}", message
        if isinstance(bound, FromStep):
            if bound.step not in steps:
                yield (
                    f"{field}.{port}",
                    f"there is no job '{bound.step}'; there are {join_names(steps)}",
                )
            elif bound.output not in steps[bound.step].outputs:
                yield (
                    f"{field}.{port}",
                    f"job '{bound.step}' has no output '{bound.output}'; "
                    f"it has {join_names(steps[bound.step].outputs)}",
                )
    for port, declared in step.inputs.items():
        if port not in step.bindings and not declared.optional and declared.default is None:
            yield f"{field}.{port}", f"is missing; {step.source.name} needs it"


def check_literal(value: Any, port: Port) -> Iterator[str]:
    """Check a literal value; paths and outputs of other steps are no literals."""
    if value is None or isinstance(value, FromStep | Path) or port.type not in LITERALS:
        return
    read: Any = convert(value, port.type)
    if read is None:
        yield f"expected a {port.type}, got {value!r}"
    elif port.low is not None and read < port.low:
        yield f"expected at least {port.low}, got {value!r}"
    elif port.high is not None and read > port.high:
        yield f"expected at most {port.high}, got {value!r}"
    elif port.allowed and str(value) not in map(str, port.allowed):
        yield f"{LISTED} {', '.join(map(str, port.allowed))}, got {value!r}"


def check_command(command: str, ports: Mapping[str, Mapping[str, Port]]) -> Iterator[str]:
    """Find bindings in a command that Azure ML cannot resolve; `ports` by group."""
    if "${{" in BINDING.sub("", command):
        yield "write a binding as ${{inputs.NAME}}, without other characters"
    for name in BINDING.findall(OPTIONAL.sub("", command)):
        port = ports.get("inputs", {}).get(name.removeprefix("inputs."))
        if port and port.optional and port.default is None:
            yield f"'{name}' is optional; put the part that depends on it into $[[ ]]"
    for name in BINDING.findall(command):
        group, _, port_name = name.partition(".")
        if group not in ports or port_name not in ports[group]:
            declared = " and ".join(f"{key} {join_names(ports[key])}" for key in ports)
            yield f"'{name}' is not declared; there are {declared}"


def check_local_command(command: str) -> Iterator[str]:
    """Find shell syntax, which works in Azure ML but not in the local runner."""
    try:
        tokens = split_command(OPTIONAL.sub(lambda match: match[1], command))
    except ValueError as error:
        yield f"cannot be split into arguments: {error}"
        return
    if operators := [token for token in tokens if set(token) <= SHELL_OPERATORS]:
        yield (
            f"a step is one command, found {operators[0]!r}. Make two steps, or write a command "
            "of your own"
        )
    if not tokens:
        yield "is empty; write what to run"


def sort_steps(steps: Mapping[str, Step], path: Path) -> list[Step]:
    """Sort the steps: each comes after its dependencies.

    Raises:
        UsageError: some depend on each other.
    """
    if path_of_jobs := find_cycle(steps):
        raise UsageError(f"{path}, field `jobs`: these jobs depend on each other: {path_of_jobs}.")
    return [steps[name] for name in _graph(steps).static_order()]


def find_cycle(steps: Mapping[str, Step]) -> str:
    """Find jobs that depend on each other, as `a -> b -> a`; empty if there are none."""
    try:
        _graph(steps).prepare()
    except CycleError as error:
        return " -> ".join(error.args[1])
    return ""


def _graph(steps: Mapping[str, Step]) -> TopologicalSorter[str]:
    return TopologicalSorter(
        {
            name: {bound.step for bound in step.bindings.values() if isinstance(bound, FromStep)}
            for name, step in steps.items()
        }
    )
