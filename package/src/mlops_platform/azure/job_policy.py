"""Checks that a job is allowed in an environment.

Staging and production only use versions from the registry. So no job registers a version there,
and no step reads one from the workspace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_platform.azure.target import ENDPOINTS, Target, command_hint
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml

STEP_COMMAND = re.compile(r"\bmlops(?:_platform)? (\w+)")
DEV_STEPS = {"register", "score", "drift", "judge"}


class WrongEnvironmentError(UsageError):
    """A valid job that must run in another environment."""


def check_environment(target: Target, file: Path, job: dict[str, Any]) -> None:
    """Check that a job is allowed in this environment.

    `job` is the content of `file`, or a part of it; its paths are relative to the file's folder.

    Raises:
        WrongEnvironmentError: the job registers a version, or reads one from the workspace,
            outside dev.
        UsageError: a file that the job names cannot be read.
    """
    if target.environment == "dev":
        return
    for step in list_steps(file.parent, job):
        if step not in DEV_STEPS:
            continue
        reason = (
            "registers a version" if step == "register" else "reads a version from the workspace"
        )
        raise WrongEnvironmentError(
            f"{file}: `{step}` {reason}, which is only possible in dev: {target.environment} "
            f"serves versions from the registry {target.cloud.registry}. "
            f"{_alternative(target, step)}"
        )


def _alternative(target: Target, step: str) -> str:
    if step == "register":
        return f"Train in dev, then run {command_hint('share challenger', 'dev')}."
    if step == "drift":
        return f"To start the monitor there, run {target.command('schedules')}."
    if step == "judge":
        return (
            "Judge in dev: copy there what the endpoint kept, and give it to the pipeline as "
            "`--input collected=PATH`."
        )
    if (ENDPOINTS / "batch").is_dir():
        return "Use the batch endpoint: `az ml batch-endpoint invoke`."
    return "`uv run poe template-update --data serving=both` adds a batch endpoint."


def list_steps(folder: Path, job: dict[str, Any]) -> Iterator[str]:
    """The platform's steps that a job runs, also in nested components."""
    yield from STEP_COMMAND.findall(str(job.get("command") or ""))
    parts = [*(job.get("jobs") or {}).values(), job.get("component"), job.get("trial")]
    parts.append(job.get("job"))  # of a schedule's `create_job`
    for part in parts:
        if isinstance(part, dict):
            yield from list_steps(folder, part)
        elif isinstance(part, str) and not part.startswith("azureml:"):
            path = folder / part.removeprefix("file:")
            yield from list_steps(path.parent, read_yaml(path))
