# Managed: belongs to the standard, `copier update` changes it.
"""What may run where. A version reaches staging and production through the registry, or not at all.

So nothing is registered there, and steps that ask the workspace itself for a version find none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..files import read_yaml
from .place import ENDPOINTS, Place

STEP = re.compile(r"\bmlops (\w+)")
INSTEAD = {
    "register": "Train in dev, then run `mlops azure share challenger`.",
    "score": "Ask the batch endpoint: `az ml batch-endpoint invoke`.",
    "drift": "The monitor is a schedule there: `mlops azure schedules`.",
}


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
        if step not in INSTEAD:
            continue
        why = "registers a version" if step == "register" else "takes a version from the workspace"
        instead = INSTEAD[step]
        if step == "score" and not (ENDPOINTS / "batch").is_dir():
            instead = "`uv run poe template-update --data serving=both` brings a batch endpoint."
        raise NotHere(
            f"{file}: `{step}` {why}, and that only dev can: what {place.environment} serves "
            f"comes from the registry {place.cloud.registry}. {instead}"
        )


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
