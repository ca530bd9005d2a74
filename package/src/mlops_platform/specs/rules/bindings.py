"""Pipelines: is everything plugged together that should be, and does it fit?

The questions are those of the local runner (mlops/pipeline/checks.py), asked of every kind of job.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_platform.pipelines.checks import binding_faults, cycle, literal_faults
from mlops_platform.pipelines.model import (
    BINDING,
    BINDINGS,
    LITERALS,
    PATHS,
    FromPipeline,
    FromStep,
    Step,
    listed,
    source_of,
)
from mlops_platform.specs.nodes import Fault, Node
from mlops_platform.specs.ports import declared, of_job
from mlops_platform.specs.project import Spec, is_local
from mlops_platform.specs.rules import commands

CONTROL = ("do_while", "parallel_for", "if_else", "automl", "import")


def faults(spec: Spec) -> Iterator[Fault]:
    """Faults of a pipeline, of a component's defaults, or of what a schedule changes."""
    if spec.is_a("pipeline", "pipeline component"):
        yield from _pipeline(spec)
    if spec.is_a("component", "pipeline component"):
        yield from _defaults(spec.tree)
    if spec.is_a("schedule"):
        yield from _schedule(spec)


def _pipeline(spec: Spec) -> Iterator[Fault]:
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
        for field, says in binding_faults(step, steps, inputs):
            yield _at(jobs[name], field, says)
        yield from _kinds(jobs[name], step, steps)
    if circle := cycle(steps):
        jobs_node = tree.get("jobs") or tree
        yield jobs_node.fault(f"these jobs wait for each other: {circle}; cut one of the bindings")
    yield from _outputs(tree, jobs)
    yield from _elsewhere(jobs, inputs)
    if spec.is_a("pipeline") and not tree.get("compute"):
        yield from _machines(tree, jobs)


def _step(name: str, job: Node, spec: Spec) -> tuple[Step, list[Fault]]:
    """A job as the checks of pipelines take it, and what stands in the way."""
    found: list[Fault] = []
    ports, source = of_job(job, spec)
    bindings: dict[str, Any] = {}
    for port, node in job.fields("inputs").items():
        given = _value(node)
        if isinstance(given, str) and "${{" in given:
            bound = source_of(given)
            if bound is None:
                found.append(node.fault(f"{given!r} is no binding; {BINDINGS}"))
                continue
            given = bound
        bindings[port] = given
    search = job.fields("search_space")
    for port in search:
        bindings.setdefault(port, None)
    if source is job or source.file == job.file:
        found += commands.of(source, ports, {"search_space": search} if search else None)
    for port, node in job.fields("outputs").items():
        if port not in ports.outputs:
            there = listed(ports.outputs)
            found.append(node.fault(f"{source.file.name} has no such output; write one of {there}"))
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
    """What is given: a binding's text, a literal, or None for a file, which has no value here."""
    if not isinstance(node.value, dict):
        return node.value
    path, value = node.get("path"), node.get("value")
    if path is not None and isinstance(path.value, str) and "${{" in path.value:
        return path.value
    return value.value if value is not None else None


def _kinds(job: Node, step: Step, steps: dict[str, Step]) -> Iterator[Fault]:
    """A file where a number is wanted, or one word where a file is."""
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
                yield node.fault(
                    f"job '{bound.step}' makes a {made}, and {step.source} takes a {wanted}; "
                    "bind another output, or change one of the types"
                )
        elif wanted not in LITERALS and (
            isinstance(bound, int | float) or (isinstance(bound, str) and is_local(bound))
        ):
            yield node.fault(f"expected a {wanted}, got {bound!r}; write `type` and `path`")


def _at(job: Node, field: str, says: str) -> Fault:
    port = field.rpartition(".")[2]
    node = job.get("inputs", port)
    says = says if ";" in says else f"{says}; write one of that type"
    if node is not None:
        return node.fault(says)
    return Fault(job.file, (job.get("inputs") or job).line, field, says)


def _outputs(tree: Node, jobs: dict[str, Node]) -> Iterator[Fault]:
    """The pipeline's own outputs: each is written by a job, and a job writes no other."""
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
                    there = f"it has {listed(declared_outputs)}"
                    yield node.fault(f"the pipeline has no output '{name}'; {there}; declare it")
            elif isinstance(target, str) and "${{parent" in target:
                yield node.fault(f"{target!r} is no binding; write ${{{{parent.outputs.NAME}}}}")
    seen_through = jobs and not any(job.text("type") in CONTROL for job in jobs.values())
    for name, node in declared_outputs.items():
        if name not in written and seen_through:
            yield node.fault(f"no job writes it; bind an output to ${{{{parent.outputs.{name}}}}}")


def _elsewhere(jobs: dict[str, Node], inputs: dict[str, Any]) -> Iterator[Fault]:
    """`${{parent.inputs.x}}` outside of a job's inputs: machines, limits, arguments."""
    for job in jobs.values():
        skip = {id(node) for node in job.fields("inputs").values()}
        for name, node in job.value.items():
            if name in ("inputs", "outputs") or id(node) in skip:
                continue
            for below in node.walk():
                for found in BINDING.findall(below.value) if isinstance(below.value, str) else ():
                    bound = source_of(f"${{{{{found}}}}}")
                    if isinstance(bound, FromPipeline) and bound.name not in inputs:
                        yield below.fault(
                            f"the pipeline has no input '{bound.name}'; write one of "
                            f"{listed(inputs)}"
                        )


def _machines(tree: Node, jobs: dict[str, Node]) -> Iterator[Fault]:
    if tree.get("settings", "default_compute"):
        return
    for job in jobs.values():
        placed = job.get("compute") or job.get("resources", "instance_type")
        if not placed and (job.text("type") or "command") in ("command", "sweep", "parallel"):
            yield job.missing(
                "compute", "is missing; write azureml:NAME, or `settings.default_compute` for all"
            )


def _defaults(component: Node) -> Iterator[Fault]:
    for name, port in declared(component).inputs.items():
        node = component.get("inputs", name)
        low, high = port.low, port.high
        if low is not None and high is not None and low > high and node is not None:
            yield node.fault(f"`min` {low} is above `max` {high}; exchange them")
        default = node.get("default") if node else None
        if default is not None:
            for says in literal_faults(default.value, port):
                yield default.fault(f"{says}; write one of that type and range")


def _schedule(spec: Spec) -> Iterator[Fault]:
    """What a schedule gives to the job that it starts."""
    job = spec.tree.get("create_job", "job")
    if job is None or not isinstance(job.value, str) or not is_local(job.value):
        return
    started = spec.files.beside(spec, job.value)
    if started is None:
        return
    if not started.is_a("pipeline", "job", "spark"):
        yield job.fault(f"{started.path.name} is no job; name a pipeline job or a command job")
        return
    wanted = spec.tree.text("create_job", "type")
    is_type = started.tree.text("type") or "command"
    if wanted and wanted != is_type:
        yield (spec.tree.get("create_job", "type") or job).fault(
            f"{started.path.name} is a {is_type} job; write {is_type}"
        )
    for group in ("inputs", "outputs"):
        there = started.tree.fields(group)
        for name, node in spec.tree.fields("create_job", group).items():
            if name not in there:
                yield node.fault(
                    f"{started.path.name} has no such {group[:-1]}; write one of {listed(there)}"
                )
                continue
            before, now = _value(there[name]), _value(node)
            if before is not None and now is not None and type(before) is not type(now):
                yield node.fault(
                    f"expected a value like {before!r}, got {now!r}; write one of that type"
                )
