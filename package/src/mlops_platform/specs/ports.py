"""Inputs and outputs of jobs and components, read from their nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_platform.pipelines.model import LITERALS, Port
from mlops_platform.schemas.nodes import Node
from mlops_platform.specs.project import Spec, is_local


class AnyPorts(dict[str, Port]):
    """Ports of an asset in Azure: every name is accepted."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Port:
        return Port("any")


@dataclass(frozen=True)
class Ports:
    """The inputs and outputs of a job or component."""

    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]


ANY_PORTS = Ports(AnyPorts(), AnyPorts())


def component_ports(component: Node) -> Ports:
    """The ports of a component, with declared types, defaults and limits."""
    return Ports(
        *(
            {name: _port(node) for name, node in component.fields(group).items()}
            for group in ("inputs", "outputs")
        )
    )


def job_ports(job: Node) -> Ports:
    """The ports of a job without a component: its own inputs and outputs."""
    return Ports(
        *(dict.fromkeys(job.fields(group), Port("any")) for group in ("inputs", "outputs"))
    )


def ports_of_job(job: Node, spec: Spec) -> tuple[Ports, Node]:
    """The ports of a job in a pipeline, and the node that has its command."""
    reference = job.get("trial" if job.text("type") == "sweep" else "component")
    if job.text("type") in ("automl", "import", "do_while", "parallel_for", "if_else"):
        return ANY_PORTS, job
    if reference is None:
        return job_ports(job), job
    if isinstance(reference.value, dict):
        return component_ports(reference), reference
    if isinstance(reference.value, str) and is_local(reference.value):
        component = spec.files.resolve(spec, reference.value)
        if component is not None and component.kind.family:
            return component_ports(component.tree), component.tree
    return ANY_PORTS, job


def _port(node: Node) -> Port:
    def limit(name: str) -> float | None:
        value = node.get(name)
        number = value is not None and isinstance(value.value, int | float)
        return value.value if value is not None and number else None

    default = node.get("default")
    optional = node.get("optional")
    allowed: Any = node.get("enum")
    kind = node.text("type") or "any"
    return Port(
        kind,
        bool(optional and optional.value is True),
        default.value if default else None,
        limit("min") if kind in LITERALS else None,
        limit("max") if kind in LITERALS else None,
        tuple(allowed.to_python()) if allowed and isinstance(allowed.value, list) else (),
    )
