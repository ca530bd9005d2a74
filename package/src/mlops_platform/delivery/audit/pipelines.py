"""What Azure Pipelines would find only in a run, or never: dangling names, unsafe scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mlops_platform.delivery.audit import shape
from mlops_platform.delivery.audit.expand import Expansion

MACRO = re.compile(r"\$\(([A-Za-z_][\w.]*)\)")
SHELL = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)\b")
INDEXED = re.compile(r"variables\['([^']+)'\]")
OF_A_STAGE = re.compile(r"stageDependencies\.(\w+)\.(\w+)\.outputs\['(\w+)\.\w+'\]")
OF_A_NEIGHBOUR = re.compile(r"(?<![.\w])dependencies\.(\w+)\.outputs\['([\w.]+)'\]")
SCRIPTS = ("script", "bash", "pwsh", "powershell")
# The agent's own variables, and their names in a shell.
OWN = re.compile(r"^(System|Build|Pipeline|Agent|Environment|Strategy|Checks)\.", re.IGNORECASE)
OWN_SHELL = re.compile(r"^(SYSTEM|BUILD|PIPELINE|AGENT|TF)_|^(HOME|PATH|PWD|TF_BUILD)$")
PAGE = Path("docs/connect.md")
OUTSIDE_A_JOB = (
    "no `timeoutInMinutes`; steps that hang would run for hours. Only a job has this field: write "
    "`jobs:`, in it `- job: NAME` with `timeoutInMinutes: 20`, and put these `steps:` into the job."
)


class Job(NamedTuple):
    """A job or a deployment, with its steps and the variables it sees."""

    stage: str
    name: str
    content: dict[str, Any]
    steps: list[dict[str, Any]]
    variables: set[str]


class Look(NamedTuple):
    """What is wrong, and the templates that cannot be looked at, each with its file."""

    faults: list[str]
    unseen: list[str]


def look(folder: Path) -> Look:
    """Look at all pipelines in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".yml", ".yaml"))
    expansions = {path: Expansion(path, folder) for path in files}
    templates = {path for each in expansions.values() for path in each.templates}
    # What is told of a template is told by each that uses it.
    found: dict[str, None] = {}
    unseen: dict[str, None] = {}
    for path, each in expansions.items():
        found |= dict.fromkeys(each.faults)
        if path.resolve() in templates:
            continue
        unseen |= dict.fromkeys(each.unseen)
        name = path.relative_to(folder.parent)
        if not each.content:
            continue
        if not {"steps", "jobs", "stages", "extends"} & set(each.content):
            found[f"{name}: no pipeline uses this template."] = None
        else:
            told = _listed(folder.parent / PAGE)
            found |= dict.fromkeys(f"{name}: {text}" for text in _pipeline(each.content, told))
    return Look(list(found), list(unseen))


def jobs(content: dict[str, Any]) -> list[Job]:
    """All jobs of an expanded pipeline, in order; steps outside a job are one without a name."""
    everywhere = _variables(content)
    made = []
    for stage in _stages(content):
        there = everywhere | _variables(stage)
        outside = [stage] if "steps" in stage else []
        for job in _seen(stage["jobs"]) if "jobs" in stage else outside:
            name = str(job.get("job") or job.get("deployment") or "")
            steps = list(_steps(job.get("steps") or job.get("strategy") or []))
            made.append(Job(str(stage.get("stage", "")), name, job, steps, there | _variables(job)))
    return made


def script(step: dict[str, Any]) -> str:
    """What a step runs in a shell; empty where it does not."""
    for key in SCRIPTS:
        if key in step:
            return str(step[key])
    inputs = step.get("inputs")
    return str(inputs.get("inlineScript", "")) if isinstance(inputs, dict) else ""


def _pipeline(content: dict[str, Any], told: set[str]) -> Iterator[str]:
    if "extends" in content and not {*shape.LISTS} & {*content}:
        return  # its jobs lie in a template that cannot be looked at
    every = jobs(content)
    whole = not _has_unseen(content)
    stages = _seen(content.get("stages", []))
    yield from _named("stage", [str(stage.get("stage", "")) for stage in stages])
    yield from _order("stage", stages, whole=whole)
    for stage in _stages(content):
        own = [job for job in every if job.stage == str(stage.get("stage", ""))]
        yield from _named("job", [job.name for job in own])
        yield from _order("job", [job.content for job in own], whole=whole)
        yield from _outputs(stage, every, whole=whole)
    levels = [content, *stages, *(job.content for job in every)]
    blind = any(shape.UNSEEN in entry for each in levels for entry in _entries_of(each))
    loose = blind or any("group" in entry for entry in _entries_of(content))
    for place in [content, *stages]:
        if not (place.get("stages") or place.get("jobs") or "steps" in place):
            name = f"stage {_name(place)}: " if "stage" in place else ""
            yield f"{name}there are no jobs."
    for job in every:
        where = job.name or "steps"
        if not {"job", "deployment"} & set(job.content):
            yield f"{where}: {OUTSIDE_A_JOB}"
        elif "timeoutInMinutes" not in job.content:
            yield f"{where}: no `timeoutInMinutes`; a job that hangs would run for hours."
        if not job.steps:
            yield f"{where}: no steps."
        yield from (f"{where}: {text}" for text in _job(job, told, loose=loose, blind=blind))
    outside = {key: value for key, value in content.items() if key not in ("stages", "jobs")}
    names = _variables(content) | told
    if not loose:
        yield from _unknown(outside, names)


def _job(job: Job, told: set[str], *, loose: bool, blind: bool) -> Iterator[str]:
    for step in job.steps:
        if "checkout" in step and step["checkout"] != "none" and step.get("persistCredentials"):
            yield "`persistCredentials` leaves a token to every later step; write false."
        elif step.get("checkout") == "self" and "persistCredentials" not in step:
            yield "write `persistCredentials: false` at the checkout."
        code = script(step)
        if "${{" in code:
            yield f"`{code}` takes in an expression: whoever sets it can run commands. Use `env`."
        for name in MACRO.findall(code):
            if OWN.match(name) or name in job.variables:
                yield f"`{code}` takes in $({name}): use `env`, and ${{...}} in the shell."
        known = job.variables | set(step.get("env") or {})
        for name in [] if blind or shape.later(step.get("env")) else SHELL.findall(code):
            if name not in known and not OWN_SHELL.match(name) and f"{name}=" not in code:
                yield f"`{code}` uses ${name}, which neither `variables` nor `env` sets."
    if not loose:
        plain = [{k: v for k, v in step.items() if k not in SCRIPTS} for step in job.steps]
        for step in plain:
            inputs = step.get("inputs")
            if isinstance(inputs, dict):
                step["inputs"] = {k: v for k, v in inputs.items() if k != "inlineScript"}
        rest = {k: v for k, v in job.content.items() if k not in ("steps", "strategy")}
        yield from _unknown([*plain, rest], job.variables | told)


def _unknown(node: Any, known: set[str]) -> Iterator[str]:
    """Variables that nothing sets."""
    text = _text(node)
    for name in sorted({*MACRO.findall(text), *INDEXED.findall(text)}):
        if not OWN.match(name) and name not in known:
            yield f"the variable `{name}` is not set; if the service has it, list it in {PAGE}."


def _named(kind: str, names: list[str]) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"there are two {kind}s `{name}`." if name else f"a {kind} needs a name."


def _order(kind: str, entries: list[dict[str, Any]], *, whole: bool) -> Iterator[str]:
    """Each waits for what is there, and no two for each other."""
    needs = {_name(entry): _needed(entry) for entry in entries}
    for name, wanted in needs.items():
        for other in wanted:
            if whole and other not in needs and not shape.later(other):
                yield f"{kind} {name} depends on `{other}`, and there is none."
    done: set[str] = set()
    while ready := {name for name, wanted in needs.items() if set(wanted) <= done} - done:
        done |= ready
    circle = [name for name, wanted in needs.items() if name not in done and {*wanted} <= {*needs}]
    if len(circle) > 1 or any(name in needs[name] for name in circle):
        yield f"{kind}s {', '.join(circle)} wait for each other."


def _outputs(stage: dict[str, Any], every: list[Job], *, whole: bool) -> Iterator[str]:
    """Values of earlier stages and jobs come from one that is waited for, and has such a step."""
    steps = {(job.stage, job.name): {str(step.get("name")) for step in job.steps} for job in every}
    own = _name(stage)
    inner = {key: value for key, value in stage.items() if key != "stages"}
    for there, job, step in OF_A_STAGE.findall(_text(inner)):
        if there not in _needed(stage):
            yield f"stage {own} reads from the stage `{there}`, and does not depend on it."
        elif whole and step not in steps.get((there, job), set()):
            yield f"stage {own} reads `{there}.{job}.{step}`, and there is no such step."
    for there, rest in OF_A_NEIGHBOUR.findall(_text(stage.get("condition", ""))):
        job, _, step = rest.rpartition(".")[0].partition(".")
        if there not in _needed(stage):
            yield f"stage {own} reads from the stage `{there}`, and does not depend on it."
        elif whole and step not in steps.get((there, job), set()):
            yield f"stage {own} reads `{there}.{job}.{step}`, and there is no such step."
    for content in _seen(stage.get("jobs", [])):
        for there, rest in OF_A_NEIGHBOUR.findall(_text(content)):
            if there not in _needed(content):
                yield f"job {_name(content)} reads from `{there}`, and does not depend on it."
            elif whole and rest.partition(".")[0] not in steps.get((own, there), set()):
                yield f"job {_name(content)} reads `{there}.{rest}`, and there is no such step."


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("stage") or entry.get("job") or entry.get("deployment") or "")


def _needed(entry: dict[str, Any]) -> list[str]:
    needed = entry.get("dependsOn") or []
    return [needed] if isinstance(needed, str) else [str(name) for name in needed]


def _steps(node: Any) -> Iterator[dict[str, Any]]:
    """The steps in a list, or in all hooks of a deployment's strategy."""
    if isinstance(node, list):
        yield from (step for step in node if isinstance(step, dict))
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "steps" or isinstance(value, dict):
                yield from _steps(value)


def _stages(content: dict[str, Any]) -> list[dict[str, Any]]:
    return _seen(content["stages"]) if "stages" in content else [content]


def _seen(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in entries if shape.UNSEEN not in entry]


def _has_unseen(node: Any) -> bool:
    """May a stage, a job or a step be there that is not looked at?"""
    if isinstance(node, list):
        return any(shape.UNSEEN in entry or _has_unseen(entry) for entry in node)
    kept = [node.get(key, []) for key in shape.LISTS] + [*_steps(node.get("strategy"))]
    return any(shape.UNSEEN in each or _has_unseen(each) for each in kept)


def _entries_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Variables as a list of entries, also where they are a mapping."""
    variables = content.get("variables")
    if isinstance(variables, list):
        return [entry for part in variables for entry in _entry(part)]
    return _pairs(variables) if isinstance(variables, dict) else []


def _entry(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [part] if {"name", "group", shape.UNSEEN} & set(part) else _pairs(part)


def _pairs(variables: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def _variables(content: dict[str, Any]) -> set[str]:
    return {str(entry["name"]) for entry in _entries_of(content) if "name" in entry}


def _listed(page: Path) -> set[str]:
    """What the page says that the service has."""
    return (
        set(re.findall(r"`([A-Z][A-Z0-9_]+)`", page.read_text("utf-8")))
        if page.is_file()
        else set()
    )


def _text(node: Any) -> str:
    if isinstance(node, dict):
        return "\n".join(_text(value) for value in node.values())
    if isinstance(node, list):
        return "\n".join(_text(item) for item in node)
    return str(node)
