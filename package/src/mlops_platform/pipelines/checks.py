"""Does everything that a pipeline plugs together exist, and fit?

Each fault is a field and what is wrong with it. The local runner refuses the file for the first
one, the check of specs shows them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.pipelines.model import (
    BINDING,
    LITERALS,
    OPTIONAL,
    FromPipeline,
    FromStep,
    Port,
    Step,
    listed,
    words,
)

SHELL = set("();<>|&")
Faults = Iterator[tuple[str, str]]


def binding_faults(step: Step, steps: Mapping[str, Step], inputs: Mapping[str, Any]) -> Faults:
    """Bindings to what is not there, values of a wrong type and missing inputs."""
    where = f"jobs.{step.name}.inputs"
    for port, bound in step.bindings.items():
        if port not in step.inputs:
            yield (
                f"{where}.{port}",
                f"{step.source.name} has no such input; it has {listed(step.inputs)}",
            )
            continue
        if isinstance(bound, FromPipeline) and bound.name not in inputs:
            yield (
                f"{where}.{port}",
                f"the pipeline has no input '{bound.name}'; it has {listed(inputs)}",
            )
            continue
        given = inputs[bound.name] if isinstance(bound, FromPipeline) else bound
        for says in literal_faults(given, step.inputs[port]):
            yield f"{where}.{port}", says
        if isinstance(bound, FromStep):
            if bound.step not in steps:
                yield (
                    f"{where}.{port}",
                    f"there is no job '{bound.step}'; there are {listed(steps)}",
                )
            elif bound.output not in steps[bound.step].outputs:
                yield (
                    f"{where}.{port}",
                    f"job '{bound.step}' has no output '{bound.output}'; "
                    f"it has {listed(steps[bound.step].outputs)}",
                )
    for port, declared in step.inputs.items():
        if port not in step.bindings and not declared.optional and declared.default is None:
            yield f"{where}.{port}", f"is missing; {step.source.name} needs it"


def literal_faults(given: Any, port: Port) -> Iterator[str]:
    """Paths and what other steps make are no literals; a whole number is a number, too."""
    if given is None or isinstance(given, FromStep | Path) or port.type not in LITERALS:
        return
    wanted = LITERALS[port.type]
    if not isinstance(given, wanted) or (isinstance(given, bool) and port.type != "boolean"):
        yield f"expected a {port.type}, got {given!r}"
    elif port.low is not None and given < port.low:
        yield f"expected at least {port.low}, got {given!r}"
    elif port.high is not None and given > port.high:
        yield f"expected at most {port.high}, got {given!r}"
    elif port.allowed and str(given) not in map(str, port.allowed):
        yield f"expected one of {', '.join(map(str, port.allowed))}, got {given!r}"


def command_faults(command: str, ports: Mapping[str, Mapping[str, Port]]) -> Iterator[str]:
    """Bindings in a command that Azure ML would not fill; `ports` by group: inputs, outputs."""
    if "${{" in BINDING.sub("", command):
        yield "write a binding as ${{inputs.NAME}}, with no other signs"
    for name in BINDING.findall(OPTIONAL.sub("", command)):
        port = ports.get("inputs", {}).get(name.removeprefix("inputs."))
        if port and port.optional and port.default is None:
            yield f"'{name}' is optional; put what falls away without it into $[[ ]]"
    for name in BINDING.findall(command):
        group, _, port_name = name.partition(".")
        if group not in ports or port_name not in ports[group]:
            declared = " and ".join(f"{key} {listed(ports[key])}" for key in ports)
            yield f"'{name}' is not declared; there are {declared}"


def local_faults(command: str) -> Iterator[str]:
    """What a shell does in Azure ML, and the local runner does not."""
    try:
        tokens = words(OPTIONAL.sub(lambda match: match[1], command))
    except ValueError as error:
        yield f"cannot be divided into words: {error}"
        return
    if operators := [token for token in tokens if set(token) <= SHELL]:
        yield (
            f"a step is one command, found {operators[0]!r}. Make two steps, or a command of "
            "your own"
        )
    if not tokens:
        yield "is empty; write what to run"


def in_order(steps: Mapping[str, Step], path: Path) -> list[Step]:
    """The steps, each after those that it waits for.

    Raises:
        UsageError: some wait for each other.
    """
    if circle := cycle(steps):
        raise UsageError(f"{path}, field `jobs`: these jobs wait for each other: {circle}.")
    return [steps[name] for name in _graph(steps).static_order()]


def cycle(steps: Mapping[str, Step]) -> str:
    """Jobs that wait for each other, `a -> b -> a`; empty where there are none."""
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
