"""What the workflows of both platforms do, in one shape, so that they can be compared and run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_platform.delivery.audit import expand, pipelines

from tests.conftest import Project

# Of the scripts, these belong to a platform: they install, or hand over what a task has made.
PLATFORM = (
    "python -m pip install uv==0.13.9",
    'gh release create "$TAG" --verify-tag --generate-notes dist/*',
    "uv publish dist/*.whl",
)
TASK = "uv run poe "
APPROVED = {"prod", "infra-prod"}
# What stands in a step's condition, on GitHub and in Azure Pipelines.
WHEN = {
    "": "success",
    "succeeded()": "success",
    "${{ !cancelled() }}": "always",
    "not(canceled())": "always",
    "${{ cancelled() || failure() }}": "failure",
    "or(canceled(), failed())": "failure",
}


@dataclass(frozen=True)
class Step:
    """A command: what it runs, and when: after success, after failure, or always."""

    task: str
    when: str = "success"


@dataclass(frozen=True)
class Flow:
    """A job: when it starts, what it runs, as whom, and whether a person is asked first."""

    workflow: str
    job: str
    triggers: tuple[str, ...]
    needs: tuple[str, ...]
    environment: str
    approval: bool
    steps: tuple[Step, ...] = field(default=())


def flows(project: Project) -> list[Flow]:
    """All jobs of a project's workflows."""
    if project.has(".github/workflows"):
        return sorted(_github(project), key=lambda flow: (flow.workflow, flow.job))
    return sorted(_azure(project), key=lambda flow: (flow.workflow, flow.job))


def expanded(path: Path) -> dict[str, Any]:
    """A pipeline with its templates filled in."""
    made = expand.Expansion(path, path.parent)
    assert made.problems == []
    return made.content


def azure_files(project: Project) -> list[Path]:
    """The pipelines, without their templates."""
    files = sorted((project.path / ".azuredevops").glob("*.yml"))
    return [file for file in files if file.name != "variables.yml"]


def _github(project: Project) -> Iterator[Flow]:
    for file in sorted((project.path / ".github" / "workflows").glob("*.yml")):
        content = project.yaml(str(file.relative_to(project.path)))
        for name, job in content["jobs"].items():
            needs = job.get("needs", [])
            environment = job.get("environment", "")
            steps = [(step["run"], step.get("if", "")) for step in job["steps"] if "run" in step]
            yield Flow(
                file.stem,
                name,
                _github_triggers(content["on"]),
                (needs,) if isinstance(needs, str) else tuple(needs),
                environment,
                environment in APPROVED,
                _steps(steps),
            )


def _github_triggers(on: dict[str, Any]) -> tuple[str, ...]:
    """A label, a button and an event are all asked for by somebody."""
    found = set()
    for kind, options in on.items():
        if kind == "push":
            found |= {f"branch {name}" for name in options.get("branches", [])}
            found |= {f"tag {name}" for name in options.get("tags", [])}
        elif kind == "schedule":
            found |= {f"cron {entry['cron']}" for entry in options}
        elif kind == "pull_request" and not (options or {}).get("types"):
            found.add("pull request")
        else:
            assert kind in {"workflow_dispatch", "repository_dispatch", "pull_request"}
            found.add("asked for")
    return tuple(sorted(found))


def _azure(project: Project) -> Iterator[Flow]:
    for file in azure_files(project):
        content = expanded(file)
        order = {stage["stage"]: stage for stage in content.get("stages", [])}
        for job in pipelines.jobs(content):
            connections = {
                step["inputs"]["azureSubscription"].removeprefix("azure-")
                for step in job.steps
                if "azureSubscription" in step.get("inputs", {})
            }
            assert len(connections) <= 1, f"{file}: {job.name} works in {connections}"
            environment = next(iter(connections), "")
            asked = job.content.get("environment")
            assert asked in (None, environment), f"{file}: {job.name} asks for {asked}"
            needs = (order.get(job.stage) or job.content).get("dependsOn", [])
            steps = [(pipelines.script(step), str(step.get("condition", ""))) for step in job.steps]
            yield Flow(
                file.stem,
                job.stage or job.name,
                _azure_triggers(content),
                (needs,) if isinstance(needs, str) else tuple(needs),
                environment,
                asked in APPROVED,
                _steps([step for step in steps if step[0]]),
            )


def _azure_triggers(content: dict[str, Any]) -> tuple[str, ...]:
    """A pipeline can always be asked for; it counts where little else starts it."""
    trigger, pr = content["trigger"], content.get("pr", "none")
    found = set()
    if trigger != "none":
        found |= {f"branch {name}" for name in trigger.get("branches", {}).get("include", [])}
        found |= {f"tag {name}" for name in trigger.get("tags", {}).get("include", [])}
    else:
        found.add("asked for")
    if pr != "none":
        found.add("pull request")
    found |= {f"cron {entry['cron']}" for entry in content.get("schedules", [])}
    return tuple(sorted(found))


def _steps(found: list[tuple[str, str]]) -> tuple[Step, ...]:
    made = []
    for script, condition in found:
        if script in PLATFORM or "terraform.zip" in script:
            continue
        assert re.fullmatch(r"uv run poe [^\n;&|`]+", script), f"no task: {script}"
        made.append(Step(script.removeprefix(TASK), WHEN[condition]))
    return tuple(made)
