"""Finds errors that Azure Pipelines finds only in a run, or never: wrong names, unsafe scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mlops_platform.delivery.audit import structure
from mlops_platform.delivery.audit.expand import Expansion

MACRO = re.compile(r"\$\(([A-Za-z_][\w.]*)\)")
SHELL = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)\b")
INDEXED = re.compile(r"variables\['([^']+)'\]")
STAGE_OUTPUT = re.compile(r"stageDependencies\.(\w+)\.(\w+)\.outputs\['(\w+)\.\w+'\]")
DEPENDENCY_OUTPUT = re.compile(r"(?<![.\w])dependencies\.(\w+)\.outputs\['([\w.]+)'\]")
SCRIPTS = ("script", "bash", "pwsh", "powershell")
# The agent's variables, and their names in a shell.
AGENT_VARIABLE = re.compile(
    r"^(System|Build|Pipeline|Agent|Environment|Strategy|Checks)\.", re.IGNORECASE
)
AGENT_SHELL_VARIABLE = re.compile(r"^(SYSTEM|BUILD|PIPELINE|AGENT|TF)_|^(HOME|PATH|PWD|TF_BUILD)$")
PAGE = Path("docs/connect.md")
OUTSIDE_A_JOB = (
    "no `timeoutInMinutes`; steps that hang would run for hours. Only a job has this field: write "
    "`jobs:`, in it `- job: NAME` with `timeoutInMinutes: 20`, and put these `steps:` into the job."
)


class Job(NamedTuple):
    """A job or a deployment, with its steps and variables."""

    stage: str
    name: str
    content: dict[str, Any]
    steps: list[dict[str, Any]]
    variables: set[str]


class AuditResult(NamedTuple):
    """The problems, and the templates that were not checked, each with its file."""

    problems: list[str]
    unchecked: list[str]


def check(folder: Path) -> AuditResult:
    """Check all pipelines in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".yml", ".yaml"))
    expansions = {path: Expansion(path, folder) for path in files}
    templates = {path for each in expansions.values() for path in each.templates}
    # A problem of a template is reported by each pipeline that uses it.
    problems: dict[str, None] = {}
    unchecked: dict[str, None] = {}
    for path, each in expansions.items():
        problems |= dict.fromkeys(each.problems)
        if path.resolve() in templates:
            continue
        unchecked |= dict.fromkeys(each.unchecked)
        name = path.relative_to(folder.parent).as_posix()
        if not each.content:
            continue
        if not {"steps", "jobs", "stages", "extends"} & set(each.content):
            problems[f"{name}: no pipeline uses this template."] = None
        else:
            listed = _listed_variables(folder.parent / PAGE)
            problems |= dict.fromkeys(f"{name}: {text}" for text in _pipeline(each.content, listed))
    return AuditResult(list(problems), list(unchecked))


def jobs(content: dict[str, Any]) -> list[Job]:
    """All jobs of an expanded pipeline, in order; steps outside a job are a job without a name."""
    pipeline_variables = _variables(content)
    all_jobs = []
    for stage in _stages(content):
        stage_variables = pipeline_variables | _variables(stage)
        outside = [stage] if "steps" in stage else []
        for job in _checked_entries(stage["jobs"]) if "jobs" in stage else outside:
            name = str(job.get("job") or job.get("deployment") or "")
            steps = list(_steps(job.get("steps") or job.get("strategy") or []))
            all_jobs.append(
                Job(
                    str(stage.get("stage", "")), name, job, steps, stage_variables | _variables(job)
                )
            )
    return all_jobs


def script(step: dict[str, Any]) -> str:
    """The shell script of a step; empty if it has none."""
    for key in SCRIPTS:
        if key in step:
            return str(step[key])
    inputs = step.get("inputs")
    return str(inputs.get("inlineScript", "")) if isinstance(inputs, dict) else ""


def _pipeline(content: dict[str, Any], listed: set[str]) -> Iterator[str]:
    if "extends" in content and not {*structure.LISTS} & {*content}:
        return  # its jobs are in a template that cannot be read
    all_jobs = jobs(content)
    whole = not _has_unchecked(content)
    stages = _checked_entries(content.get("stages", []))
    yield from _named("stage", [str(stage.get("stage", "")) for stage in stages])
    yield from _order("stage", stages, whole=whole)
    for stage in _stages(content):
        own = [job for job in all_jobs if job.stage == str(stage.get("stage", ""))]
        yield from _named("job", [job.name for job in own])
        yield from _order("job", [job.content for job in own], whole=whole)
        yield from _outputs(stage, all_jobs, whole=whole)
    levels = [content, *stages, *(job.content for job in all_jobs)]
    has_unchecked_variables = any(
        structure.UNCHECKED in entry for each in levels for entry in _entries_of(each)
    )
    has_unknown_variables = has_unchecked_variables or any(
        "group" in entry for entry in _entries_of(content)
    )
    for level in [content, *stages]:
        if not (level.get("stages") or level.get("jobs") or "steps" in level):
            name = f"stage {_name(level)}: " if "stage" in level else ""
            yield f"{name}there are no jobs."
    for job in all_jobs:
        where = job.name or "steps"
        if not {"job", "deployment"} & set(job.content):
            yield f"{where}: {OUTSIDE_A_JOB}"
        elif "timeoutInMinutes" not in job.content:
            yield f"{where}: no `timeoutInMinutes`; a job that hangs would run for hours."
        if not job.steps:
            yield f"{where}: no steps."
        yield from (
            f"{where}: {text}"
            for text in _job(
                job,
                listed,
                has_unknown_variables=has_unknown_variables,
                has_unchecked_variables=has_unchecked_variables,
            )
        )
    rest = {key: value for key, value in content.items() if key not in ("stages", "jobs")}
    names = _variables(content) | listed
    if not has_unknown_variables:
        yield from _unknown(rest, names)


def _job(
    job: Job, listed: set[str], *, has_unknown_variables: bool, has_unchecked_variables: bool
) -> Iterator[str]:
    for step in job.steps:
        if "checkout" in step and step["checkout"] != "none" and step.get("persistCredentials"):
            yield "`persistCredentials` leaves a token to every later step; write false."
        elif step.get("checkout") == "self" and "persistCredentials" not in step:
            yield "write `persistCredentials: false` at the checkout."
        code = script(step)
        if "${{" in code:
            yield f"`{code}` contains an expression, whose value could run commands. Use `env`."
        for name in MACRO.findall(code):
            if AGENT_VARIABLE.match(name) or name in job.variables:
                yield f"`{code}` contains $({name}): use `env`, and ${{...}} in the shell."
        known = job.variables | set(step.get("env") or {})
        for name in (
            []
            if has_unchecked_variables or structure.is_expression(step.get("env"))
            else SHELL.findall(code)
        ):
            if (
                name not in known
                and not AGENT_SHELL_VARIABLE.match(name)
                and f"{name}=" not in code
            ):
                yield f"`{code}` uses ${name}, which neither `variables` nor `env` sets."
    if not has_unknown_variables:
        plain = [{k: v for k, v in step.items() if k not in SCRIPTS} for step in job.steps]
        for step in plain:
            inputs = step.get("inputs")
            if isinstance(inputs, dict):
                step["inputs"] = {k: v for k, v in inputs.items() if k != "inlineScript"}
        rest = {k: v for k, v in job.content.items() if k not in ("steps", "strategy")}
        yield from _unknown([*plain, rest], job.variables | listed)


def _unknown(node: Any, known: set[str]) -> Iterator[str]:
    """Find variables that are not set."""
    text = _to_text(node)
    for name in sorted({*MACRO.findall(text), *INDEXED.findall(text)}):
        if not AGENT_VARIABLE.match(name) and name not in known:
            yield f"the variable `{name}` is not set; if the service has it, list it in {PAGE}."


def _named(kind: str, names: list[str]) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"there are two {kind}s `{name}`." if name else f"a {kind} needs a name."


def _order(kind: str, entries: list[dict[str, Any]], *, whole: bool) -> Iterator[str]:
    """Check dependencies: they exist, and there is no cycle."""
    needs = {_name(entry): _needed(entry) for entry in entries}
    for name, needed in needs.items():
        for other in needed:
            if whole and other not in needs and not structure.is_expression(other):
                yield f"{kind} {name} depends on `{other}`, and there is none."
    done: set[str] = set()
    while ready := {name for name, needed in needs.items() if set(needed) <= done} - done:
        done |= ready
    in_cycle = [
        name for name, needed in needs.items() if name not in done and {*needed} <= {*needs}
    ]
    if len(in_cycle) > 1 or any(name in needs[name] for name in in_cycle):
        yield f"{kind}s {', '.join(in_cycle)} depend on each other."


def _outputs(stage: dict[str, Any], all_jobs: list[Job], *, whole: bool) -> Iterator[str]:
    """Check outputs of earlier stages and jobs: they are dependencies, and have such a step."""
    steps = {
        (job.stage, job.name): {str(step.get("name")) for step in job.steps} for job in all_jobs
    }
    own = _name(stage)
    own_fields = {key: value for key, value in stage.items() if key != "stages"}
    for source, job, step in STAGE_OUTPUT.findall(_to_text(own_fields)):
        if source not in _needed(stage):
            yield f"stage {own} reads from the stage `{source}`, and does not depend on it."
        elif whole and step not in steps.get((source, job), set()):
            yield f"stage {own} reads `{source}.{job}.{step}`, and there is no such step."
    for source, rest in DEPENDENCY_OUTPUT.findall(_to_text(stage.get("condition", ""))):
        job, _, step = rest.rpartition(".")[0].partition(".")
        if source not in _needed(stage):
            yield f"stage {own} reads from the stage `{source}`, and does not depend on it."
        elif whole and step not in steps.get((source, job), set()):
            yield f"stage {own} reads `{source}.{job}.{step}`, and there is no such step."
    for content in _checked_entries(stage.get("jobs", [])):
        for source, rest in DEPENDENCY_OUTPUT.findall(_to_text(content)):
            if source not in _needed(content):
                yield f"job {_name(content)} reads from `{source}`, and does not depend on it."
            elif whole and rest.partition(".")[0] not in steps.get((own, source), set()):
                yield f"job {_name(content)} reads `{source}.{rest}`, and there is no such step."


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
    return _checked_entries(content["stages"]) if "stages" in content else [content]


def _checked_entries(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in entries if structure.UNCHECKED not in entry]


def _has_unchecked(node: Any) -> bool:
    """Whether a stage, a job or a step may be in a template that was not checked."""
    if isinstance(node, list):
        return any(structure.UNCHECKED in entry or _has_unchecked(entry) for entry in node)
    kept = [node.get(key, []) for key in structure.LISTS] + [*_steps(node.get("strategy"))]
    return any(structure.UNCHECKED in each or _has_unchecked(each) for each in kept)


def _entries_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Variables as a list of entries, also if they are a mapping."""
    variables = content.get("variables")
    if isinstance(variables, list):
        return [entry for part in variables for entry in _entry(part)]
    return _pairs(variables) if isinstance(variables, dict) else []


def _entry(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [part] if {"name", "group", structure.UNCHECKED} & set(part) else _pairs(part)


def _pairs(variables: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def _variables(content: dict[str, Any]) -> set[str]:
    return {str(entry["name"]) for entry in _entries_of(content) if "name" in entry}


def _listed_variables(page: Path) -> set[str]:
    """The variables that the page lists for the CI service."""
    return (
        set(re.findall(r"`([A-Z][A-Z0-9_]+)`", page.read_text("utf-8")))
        if page.is_file()
        else set()
    )


def _to_text(node: Any) -> str:
    if isinstance(node, dict):
        return "\n".join(_to_text(value) for value in node.values())
    if isinstance(node, list):
        return "\n".join(_to_text(item) for item in node)
    return str(node)
