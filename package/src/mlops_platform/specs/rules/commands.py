"""Commands and arguments: they use declared inputs and outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_platform.pipelines.checks import check_command
from mlops_platform.pipelines.model import BINDING, join_names
from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.specs.ports import Ports, component_ports, job_ports
from mlops_platform.specs.project import Spec

# Fields besides `command` that may use the ports of a job or component.
ARGUMENTS = ("input_data", "args", "task.program_arguments", "task.append_row_to", "task.model")
UNBOUND = re.compile(r"(?<!\$)\{\{[^}]*\}\}|\$\{(?!\{)(?:inputs|outputs)\.[^}]*\}")


def check(spec: Spec) -> Iterator[Problem]:
    """Find undeclared names in whole files; bindings.py checks those inside pipelines."""
    tree = spec.tree
    if spec.is_a("component"):
        yield from check_node(tree, component_ports(tree))
    elif spec.is_a("job", "spark"):
        yield from check_node(tree, job_ports(tree))
    elif spec.is_a("sweep"):
        trial = tree.get("trial")
        if trial is not None and isinstance(trial.value, dict):
            yield from check_node(
                trial, job_ports(tree), {"search_space": tree.fields("search_space")}
            )


def check_node(
    node: Node, ports: Ports, more: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[Problem]:
    """Check the command and the arguments in `node`."""
    groups = {"inputs": ports.inputs, "outputs": ports.outputs, **(more or {})}
    command = node.get("command")
    if command is not None and isinstance(command.value, str):
        if not command.value.strip():
            return
        for message in check_command(command.value, groups):
            yield command.problem(
                message if ";" in message else f"{message}; declare it, or correct it"
            )
        yield from _unbound(command)
    for field in ARGUMENTS:
        arguments = node.get(*field.split("."))
        if arguments is None or not isinstance(arguments.value, str):
            continue
        for name in BINDING.findall(arguments.value):
            group, _, port = name.partition(".")
            if group in groups and port not in groups[group]:
                yield arguments.problem(
                    f"'{name}' is not declared; write one of {join_names(groups[group])}"
                )


def _unbound(command: Node) -> Iterator[Problem]:
    """Find `{{inputs.x}}` and `${inputs.x}`, which Azure ML does not resolve."""
    for found in re.findall(
        r"(?<!\$)\{\{[^}]*\}\}|\$\{(?!\{)(?:inputs|outputs)\.[^}]*\}", command.value
    ):
        name = found.strip("${} ")
        yield command.problem(f"{found!r} is not a binding; write ${{{{{name}}}}}")
