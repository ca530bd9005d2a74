"""Retrains in dev: manually at any time, automatically as often as conf/train.yml allows.

`submit` runs the training. This module only decides whether a new job may start.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mlops_platform.azure import submit
from mlops_platform.azure.az import UnknownStateError
from mlops_platform.azure.target import TRAINING, Target
from mlops_platform.core.errors import UsageError
from mlops_platform.monitoring import cooldown
from mlops_platform.settings import load_train

TRIGGER_INPUT = "trigger"  # only a training pipeline has this input
MAX_JOBS = 200  # how many jobs are listed; Azure lists the latest first
MANUAL_COMMAND = "uv run mlops azure retrain --why REASON"


def run(target: Target, why: str, event: str) -> None:
    """Train for a person's reason `why`, or for an automatic `event`.

    Raises:
        GateError: an event comes too soon after the last training, or there were too many.
        UsageError: no reason is given, the environment is not dev, or Azure refuses.
    """
    why, event = why.strip(), event.strip()
    if not (why or event):
        raise UsageError(
            "a reason is missing: give `--why` (a person's reason) or `--event` (what happened)."
        )

    def check_cooldown() -> None:
        limits = load_train(target.conf).retrain
        source = target.conf / "train.yml"
        cooldown.check_cooldown(
            list_start_times(target), limits, source, cooldown.utc_now(), MANUAL_COMMAND
        )

    before_start = None if why else check_cooldown
    inputs = {TRIGGER_INPUT: why or event}
    submit.run(target, TRAINING, inputs, wait=True, again=False, before_start=before_start)


def list_start_times(target: Target) -> list[datetime]:
    """List when trainings in this workspace started, at least those of the last week.

    Raises:
        UsageError: the list cannot be read, or does not cover a week. It is never treated as empty.
    """
    jobs = target.az.read(
        *("job", "list", "--max-results", str(MAX_JOBS), "--include-archived", *target.az.workspace)
    )
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        raise UnknownStateError(
            "`job list` did not return a list of jobs, so it is not known when the last trainings "
            f"started. Train manually: `{MANUAL_COMMAND}`."
        )
    if len(jobs) >= MAX_JOBS:
        first, last = _start(jobs[0]), _start(jobs[-1])
        if last > cooldown.utc_now() - cooldown.WEEK or first < last:
            raise UnknownStateError(
                f"the latest {MAX_JOBS} jobs of {target.cloud.workspace} do not cover the last "
                "week, so it is not known how many trainings there were. Train manually: "
                f"`{MANUAL_COMMAND}`."
            )
    return [_start(job) for job in jobs if _is_training(target, job)]


def _is_training(target: Target, job: dict[str, Any]) -> bool:
    is_own = (job.get("tags") or {}).get("project") == target.name
    return is_own and job.get("type") == "pipeline" and TRIGGER_INPUT in (job.get("inputs") or {})


def _start(job: dict[str, Any]) -> datetime:
    created = (job.get("creation_context") or {}).get("created_at")
    try:
        start = datetime.fromisoformat(str(created))
    except ValueError:
        raise UnknownStateError(
            f"job {job.get('name')} has no valid start time, but {created!r}. Train manually: "
            f"`{MANUAL_COMMAND}`."
        ) from None
    return start if start.tzinfo else start.replace(tzinfo=UTC)
