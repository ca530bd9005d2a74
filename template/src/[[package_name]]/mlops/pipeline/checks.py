# Managed: belongs to the standard, `copier update` changes it.
"""Does everything that a pipeline plugs together exist, and fit?"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .model import BINDING, LITERALS, OPTIONAL, FromPipeline, FromStep, Port, Step, listed, words

SHELL = set("();<>|&")


def check_bindings(step: Step, steps: dict[str, Step], inputs: dict[str, Any], path: Path) -> None:
    """Refuse bindings to what is not there, missing inputs and undeclared names in the command."""
    where = f"{path}, field `jobs.{step.name}.inputs"
    for port, bound in step.bindings.items():
        if port not in step.inputs:
            raise UsageError(
                f"{where}.{port}`: {step.source.name} has no such input; "
                f"it has {listed(step.inputs)}."
            )
        if isinstance(bound, FromPipeline) and bound.name not in inputs:
            raise UsageError(
                f"{where}.{port}`: the pipeline has no input '{bound.name}'; "
                f"it has {listed(inputs)}."
            )
        given = inputs[bound.name] if isinstance(bound, FromPipeline) else bound
        check_literal(given, step.inputs[port], f"{where}.{port}`")
        if isinstance(bound, FromStep):
            if bound.step not in steps:
                raise UsageError(
                    f"{where}.{port}`: there is no job '{bound.step}'; there are {listed(steps)}."
                )
            if bound.output not in steps[bound.step].outputs:
                raise UsageError(
                    f"{where}.{port}`: job '{bound.step}' has no output '{bound.output}'; "
                    f"it has {listed(steps[bound.step].outputs)}."
                )
    for port, declared in step.inputs.items():
        if port not in step.bindings and not declared.optional and declared.default is None:
            raise UsageError(f"{where}.{port}`: is missing; {step.source.name} needs it.")
    _check_command(step)


def check_literal(given: Any, port: Port, where: str) -> None:
    """Paths and what other steps make are none; a whole number is a number, too."""
    if given is None or isinstance(given, FromStep | Path) or port.type not in LITERALS:
        return
    wanted = LITERALS[port.type]
    if not isinstance(given, wanted) or (isinstance(given, bool) and port.type != "boolean"):
        raise UsageError(f"{where}: expected a {port.type}, got {given!r}.")


def _check_command(step: Step) -> None:
    where = f"{step.source}, field `command`"
    if "${{" in BINDING.sub("", step.command):
        raise UsageError(f"{where}: write a binding as ${{{{inputs.NAME}}}}, with no other signs.")
    for name in BINDING.findall(OPTIONAL.sub("", step.command)):
        port = step.inputs.get(name.removeprefix("inputs."))
        if port and port.optional and port.default is None:
            raise UsageError(
                f"{where}: '{name}' is optional; put what falls away without it into $[[ ]]."
            )
    try:
        tokens = words(OPTIONAL.sub(lambda match: match[1], step.command))
    except ValueError as error:
        raise UsageError(f"{where}: cannot be divided into words: {error}.") from None
    if operators := [token for token in tokens if set(token) <= SHELL]:
        raise UsageError(
            f"{where}: a step is one command, found {operators[0]!r}. Make two steps, or a "
            "command of your own."
        )
    if not tokens:
        raise UsageError(f"{where}: is empty; write what to run.")
    for name in BINDING.findall(step.command):
        group, _, port = name.partition(".")
        ports = {"inputs": step.inputs, "outputs": step.outputs}.get(group)
        if ports is None or port not in ports:
            raise UsageError(
                f"{step.source}, field `command`: '{name}' is not declared; there are inputs "
                f"{listed(step.inputs)} and outputs {listed(step.outputs)}."
            )


def in_order(steps: dict[str, Step], path: Path) -> list[Step]:
    """The steps, each after those that it waits for."""
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
