"""What may run where. A version reaches staging and production through the registry, or not at all.

So nothing is registered there, and steps that ask the workspace itself for a version find none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_platform.azure.place import ENDPOINTS, Place, advice
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml

STEP = re.compile(r"\bmlops(?:_platform)? (\w+)")
STEPS = {"register", "score", "drift"}


class NotHere(UsageError):  # noqa: N818  an answer, not an error of ours
    """A job is right, and its place is another environment."""


def require(place: Place, file: Path, job: dict[str, Any]) -> None:
    """Refuse a job that cannot or must not run in this environment.

    `job` is the content of `file`, or a part of it: paths in it begin at the file's folder.

    Raises:
        NotHere: it registers a version, or takes one from the workspace, outside dev.
        UsageError: a file that it names cannot be read.
    """
    if place.environment == "dev":
        return
    for step in steps(file.parent, job):
        if step not in STEPS:
            continue
        why = "registers a version" if step == "register" else "takes a version from the workspace"
        raise NotHere(
            f"{file}: `{step}` {why}, and that only dev can: what {place.environment} serves "
            f"comes from the registry {place.cloud.registry}. {_instead(place, step)}"
        )


def _instead(place: Place, step: str) -> str:
    if step == "register":
        return f"Train in dev, then run {advice('share challenger', 'dev')}."
    if step == "drift":
        return f"The monitor is a schedule there: {place.command('schedules')}."
    if (ENDPOINTS / "batch").is_dir():
        return "Ask the batch endpoint: `az ml batch-endpoint invoke`."
    return "`uv run poe template-update --data serving=both` brings a batch endpoint."


def steps(folder: Path, job: dict[str, Any]) -> Iterator[str]:
    """The standard's steps that a job runs, in its components and in theirs."""
    yield from STEP.findall(str(job.get("command") or ""))
    parts = [*(job.get("jobs") or {}).values(), job.get("component"), job.get("trial")]
    parts.append(job.get("job"))  # of a schedule's `create_job`
    for part in parts:
        if isinstance(part, dict):
            yield from steps(folder, part)
        elif isinstance(part, str) and not part.startswith("azureml:"):
            path = folder / part.removeprefix("file:")
            yield from steps(path.parent, read_yaml(path))
