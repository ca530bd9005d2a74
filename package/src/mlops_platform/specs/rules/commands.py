"""Commands and arguments: do they name inputs and outputs that are declared?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops_platform.pipelines.checks import command_faults
from mlops_platform.pipelines.model import BINDING, listed
from mlops_platform.specs.nodes import Fault, Node
from mlops_platform.specs.ports import Ports, declared, given
from mlops_platform.specs.project import Spec

# Fields beside `command` where a job's or component's own ports may stand.
ARGUMENTS = ("input_data", "args", "task.program_arguments", "task.append_row_to", "task.model")
UNBOUND = re.compile(r"(?<!\$)\{\{[^}]*\}\}|\$\{(?!\{)(?:inputs|outputs)\.[^}]*\}")


def faults(spec: Spec) -> Iterator[Fault]:
    """Undeclared names, in whole files; those inside pipelines are found with their job."""
    tree = spec.tree
    if spec.is_a("component"):
        yield from of(tree, declared(tree))
    elif spec.is_a("job", "spark"):
        yield from of(tree, given(tree))
    elif spec.is_a("sweep"):
        trial = tree.get("trial")
        if trial is not None and isinstance(trial.value, dict):
            yield from of(trial, given(tree), {"search_space": tree.fields("search_space")})


def of(node: Node, ports: Ports, more: Mapping[str, Mapping] | None = None) -> Iterator[Fault]:
    """Faults of the command and the arguments that stand in `node`."""
    groups = {"inputs": ports.inputs, "outputs": ports.outputs, **(more or {})}
    command = node.get("command")
    if command is not None and isinstance(command.value, str):
        if not command.value.strip():
            return
        for says in command_faults(command.value, groups):
            yield command.fault(says if ";" in says else f"{says}; declare it, or correct it")
        yield from _unbound(command)
    for field in ARGUMENTS:
        arguments = node.get(*field.split("."))
        if arguments is None or not isinstance(arguments.value, str):
            continue
        for name in BINDING.findall(arguments.value):
            group, _, port = name.partition(".")
            if group in groups and port not in groups[group]:
                yield arguments.fault(
                    f"'{name}' is not declared; write one of {listed(groups[group])}"
                )


def _unbound(command: Node) -> Iterator[Fault]:
    """`{{inputs.x}}` and `${inputs.x}` reach the shell as they are."""
    for found in re.findall(
        r"(?<!\$)\{\{[^}]*\}\}|\$\{(?!\{)(?:inputs|outputs)\.[^}]*\}", command.value
    ):
        name = found.strip("${} ")
        yield command.fault(f"{found!r} is no binding; write ${{{{{name}}}}}")
