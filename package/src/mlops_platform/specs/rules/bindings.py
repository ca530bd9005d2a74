"""Bindings of pipelines: they exist and have the right types.

The checks of the local runner (pipelines/checks.py), for every kind of job.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_platform.core.literals import convert
from mlops_platform.pipelines.checks import LISTED, check_bindings, check_literal, find_cycle
from mlops_platform.pipelines.model import (
    BINDING,
    BINDINGS,
    LITERALS,
    PATHS,
    FromPipeline,
    FromStep,
    Step,
    join_names,
    parse_binding,
)
from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.specs.ports import component_ports, ports_of_job
from mlops_platform.specs.project import Spec, is_local
from mlops_platform.specs.rules import commands

# Of an input that a pipeline gives without declaring it.
TYPES = {str: "string", bool: "boolean", int: "number", float: "number"}
CONTROL = ("do_while", "parallel_for", "if_else", "automl", "import")


def check(spec: Spec) -> Iterator[Problem]:
    """Check a pipeline, a component's defaults, or the inputs that a schedule changes."""
    if spec.is_a("pipeline", "pipeline component"):
        yield from _pipeline(spec)
    if spec.is_a("component", "pipeline component"):
        yield from _defaults(spec.tree)
    if spec.is_a("schedule"):
        yield from _schedule(spec)


def _pipeline(spec: Spec) -> Iterator[Problem]:
    tree = spec.tree
    jobs = {name: job for name, job in tree.fields("jobs").items() if isinstance(job.value, dict)}
    if not jobs and not tree.get("component"):
        yield tree.missing("jobs", "a pipeline needs at least one job; write one, or a `component`")
    inputs = {name: _value(node) for name, node in tree.fields("inputs").items()}
    if spec.is_a("pipeline component"):
        inputs = dict.fromkeys(tree.fields("inputs"))
    steps: dict[str, Step] = {}
    for name, job in jobs.items():
        step, found = _step(name, job, spec)
        steps[name] = step
        yield from found
    for name, step in steps.items():
        if jobs[name].text("type") in CONTROL:
            continue
        for field, message in check_bindings(step, steps, inputs):
            yield _at(jobs[name], field, message)
        yield from _kinds(jobs[name], step, steps)
    if circle := find_cycle(steps):
        jobs_node = tree.get("jobs") or tree
        yield jobs_node.problem(
            f"these jobs depend on each other: {circle}; remove one of the bindings"
        )
    yield from _outputs(tree, jobs)
    yield from _elsewhere(jobs, inputs)
    if spec.is_a("pipeline") and not tree.get("compute"):
        yield from _machines(tree, jobs)


def _step(name: str, job: Node, spec: Spec) -> tuple[Step, list[Problem]]:
    """A job as a step for the checks, and the problems of the conversion."""
    found: list[Problem] = []
    ports, source = ports_of_job(job, spec)
    bindings: dict[str, Any] = {}
    for port, node in job.fields("inputs").items():
        given = _value(node)
        if isinstance(given, str) and "${{" in given:
            bound = parse_binding(given)
            if bound is None:
                found.append(node.problem(f"{given!r} is not a binding; {BINDINGS}"))
                continue
            given = bound
        bindings[port] = given
    search = job.fields("search_space")
    for port in search:
        bindings.setdefault(port, None)
    if source is job or source.file == job.file:
        found += commands.check_node(source, ports, {"search_space": search} if search else None)
    for port, node in job.fields("outputs").items():
        if port not in ports.outputs:
            there = join_names(ports.outputs)
            found.append(
                node.problem(f"{source.file.name} has no such output; write one of {there}")
            )
    step = Step(
        name=name,
        source=Path(source.file.name),
        command="",
        code=None,
        inputs=ports.inputs,
        outputs=ports.outputs,
        bindings=bindings,
    )
    return step, found


def _value(node: Node) -> Any:
    """The value: a binding's text, a literal, or None for a file."""
    if not isinstance(node.value, dict):
        return node.value
    path, value = node.get("path"), node.get("value")
    if path is not None and isinstance(path.value, str) and "${{" in path.value:
        return path.value
    return value.value if value is not None else None


def _kinds(job: Node, step: Step, steps: dict[str, Step]) -> Iterator[Problem]:
    """Check types: a file instead of a number, or a literal instead of a file."""
    for port, bound in step.bindings.items():
        node = job.get("inputs", port)
        wanted = step.inputs[port].type if port in step.inputs else "any"
        if node is None or wanted == "any":
            continue
        if isinstance(bound, FromStep) and bound.step in steps:
            outputs = steps[bound.step].outputs
            made = outputs[bound.output].type if bound.output in outputs else "any"
            if made in ("any", wanted) or {made, wanted} == {"integer", "number"}:
                continue
            if (made in LITERALS) != (wanted in LITERALS) or {made, wanted} == set(PATHS):
                yield node.problem(
                    f"job '{bound.step}' writes a {made}, but {step.source} expects a {wanted}; "
                    "bind another output, or change one of the types"
                )
        elif wanted not in LITERALS and (
            isinstance(bound, int | float) or (isinstance(bound, str) and is_local(bound))
        ):
            yield node.problem(f"expected a {wanted}, got {bound!r}; write `type` and `path`")


def _at(job: Node, field: str, message: str) -> Problem:
    port = field.rpartition(".")[2]
    node = job.get("inputs", port)
    message = message if ";" in message else f"{message}; write one of that type"
    if node is not None:
        return node.problem(message, house=message.startswith(LISTED))
    return Problem(job.file, (job.get("inputs") or job).line, field, message)


def _outputs(tree: Node, jobs: dict[str, Node]) -> Iterator[Problem]:
    """Check the pipeline's outputs: a job writes each of them, and no others."""
    declared_outputs = tree.fields("outputs")
    written = set()
    for job in jobs.values():
        for node in job.fields("outputs").values():
            target = node.text("path") if isinstance(node.value, dict) else node.value
            match = BINDING.fullmatch(str(target or ""))
            if match and match[1].startswith("parent.outputs."):
                name = match[1].removeprefix("parent.outputs.")
                written.add(name)
                if name not in declared_outputs:
                    there = f"it has {join_names(declared_outputs)}"
                    yield node.problem(f"the pipeline has no output '{name}'; {there}; declare it")
            elif isinstance(target, str) and "${{parent" in target:
                yield node.problem(
                    f"{target!r} is not a binding; write ${{{{parent.outputs.NAME}}}}"
                )
    seen_through = jobs and not any(job.text("type") in CONTROL for job in jobs.values())
    for name, node in declared_outputs.items():
        if name not in written and seen_through:
            yield node.problem(
                f"no job writes it; bind an output to ${{{{parent.outputs.{name}}}}}"
            )


def _elsewhere(jobs: dict[str, Node], inputs: dict[str, Any]) -> Iterator[Problem]:
    """Check `${{parent.inputs.x}}` outside of a job's inputs: compute, limits, arguments."""
    for job in jobs.values():
        skip = {id(node) for node in job.fields("inputs").values()}
        for name, node in job.value.items():
            if name in ("inputs", "outputs") or id(node) in skip:
                continue
            for below in node.walk():
                for found in BINDING.findall(below.value) if isinstance(below.value, str) else ():
                    bound = parse_binding(f"${{{{{found}}}}}")
                    if isinstance(bound, FromPipeline) and bound.name not in inputs:
                        yield below.problem(
                            f"the pipeline has no input '{bound.name}'; write one of "
                            f"{join_names(inputs)}"
                        )


def _machines(tree: Node, jobs: dict[str, Node]) -> Iterator[Problem]:
    if tree.get("settings", "default_compute"):
        return
    for job in jobs.values():
        placed = job.get("compute") or job.get("resources", "instance_type")
        if not placed and (job.text("type") or "command") in ("command", "sweep", "parallel"):
            yield job.missing(
                "compute", "is missing; write azureml:NAME, or `settings.default_compute` for all"
            )


def _defaults(component: Node) -> Iterator[Problem]:
    for name, port in component_ports(component).inputs.items():
        node = component.get("inputs", name)
        low, high = port.low, port.high
        if low is not None and high is not None and low > high and node is not None:
            yield node.problem(f"`min` {low} is above `max` {high}; exchange them")
        default = node.get("default") if node else None
        if default is not None:
            for message in check_literal(default.value, port):
                house = message.startswith(LISTED)
                yield default.problem(f"{message}; write one of that type and range", house=house)


def _schedule(spec: Spec) -> Iterator[Problem]:
    """Check the inputs and outputs that a schedule passes to its job."""
    job = spec.tree.get("create_job", "job")
    if job is None or not isinstance(job.value, str) or not is_local(job.value):
        return
    started = spec.files.resolve(spec, job.value)
    if started is None:
        return
    if not started.is_a("pipeline", "job", "spark"):
        yield job.problem(f"{started.path.name} is not a job; name a pipeline job or a command job")
        return
    wanted = spec.tree.text("create_job", "type")
    is_type = started.tree.text("type") or "command"
    if wanted and wanted != is_type:
        yield (spec.tree.get("create_job", "type") or job).problem(
            f"{started.path.name} is a {is_type} job; write {is_type}"
        )
    for group in ("inputs", "outputs"):
        there = started.tree.fields(group)
        for name, node in spec.tree.fields("create_job", group).items():
            if name not in there:
                yield node.problem(
                    f"{started.path.name} has no such {group[:-1]}; write one of "
                    f"{join_names(there)}"
                )
                continue
            before, now = _value(there[name]), _value(node)
            kind = TYPES.get(type(before))
            if kind is not None and now is not None and convert(now, kind) is None:
                yield node.problem(
                    f"expected a value like {before!r}, got {now!r}; write one of that type"
                )
