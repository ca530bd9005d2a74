"""Retrains in dev: manually at any time, automatically if the decision of all machines is to.

`submit` runs the training. This module only collects what `monitoring.retraining` decides on: the
event, the champion's verdict on real outcomes, new labelled rows, and the last trainings.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlops_platform.azure import submit
from mlops_platform.azure.az import UnknownStateError
from mlops_platform.azure.target import TRAINING, Target
from mlops_platform.azure.versions import Versions
from mlops_platform.core.errors import UsageError
from mlops_platform.delivery import decision
from mlops_platform.monitoring import cooldown, retraining
from mlops_platform.monitoring.retraining import NewRows
from mlops_platform.settings import load_train

NO_REASON = {"schedule"}  # an event that only says that time has passed
RAW_INPUT = "raw"
TRIGGER_INPUT = "trigger"  # only a training pipeline has this input
MAX_JOBS = 200  # how many jobs are listed; Azure lists the latest first
MANUAL_COMMAND = "uv run mlops azure retrain --why REASON"


def run(target: Target, why: str, event: str) -> None:
    """Train for a person's reason `why`, or for an automatic `event`.

    Raises:
        GateError: a machine is not to retrain; the message says what is missing.
        UsageError: no reason is given, the environment is not dev, or Azure refuses.
    """
    why, event = why.strip(), event.strip()
    if not (why or event):
        raise UsageError(
            "a reason is missing: give `--why` (a person's reason) or `--event` (what happened)."
        )

    def decide() -> None:
        limits = load_train(target.conf).retrain
        jobs = list_trainings(target, cooldown.span(limits))
        starts = [_start(job) for job in jobs]
        champion = Versions(target, registry=False).holder("champion")
        tags = champion.tags if champion else {}
        source, now = target.conf / "train.yml", cooldown.utc_now()
        decided = retraining.decide(
            drift="" if event in NO_REASON else event,
            truth=retraining.broken(tags),
            new=_new_rows(target, jobs, tags),
            least=limits.new_rows,
            wait=cooldown.time_to_wait(starts, limits, source, now, MANUAL_COMMAND),
            manual_command=MANUAL_COMMAND,
        )
        decision.act_on(decided, Path.cwd())

    before_start = None if why else decide
    inputs = {TRIGGER_INPUT: why or event}
    submit.run(target, TRAINING, inputs, wait=True, again=False, before_start=before_start)


def _new_rows(target: Target, jobs: list[dict[str, Any]], tags: dict[str, str]) -> NewRows:
    """What the last verdict counted, if no training has begun since; or whether data is other.

    The day of a verdict is known, not its hour: one on the day of a training is from before it.
    """
    last = max(jobs, key=_start, default=None)
    if last is None:
        return NewRows(changed=True)
    counted, as_of = tags.get("truth_new", ""), tags.get("truth_as_of", "")
    if counted.isdigit() and as_of > f"{_start(last):%Y-%m-%d}":
        return NewRows(int(counted))
    raw = (last.get("inputs") or {}).get(RAW_INPUT)
    path = str(raw.get("path") if isinstance(raw, dict) else raw)
    version = re.search(rf"\b{re.escape(target.name)}-raw(?::|/versions/)([\w.-]+)$", path)
    if version is not None and version[1] != target.cloud.data.version:
        return NewRows(changed=True)
    return NewRows(
        unknown="nothing has counted them since the last training, which `poe truth` in Azure ML "
        f"does, and {target.data} is the data that it had"
    )


def list_trainings(target: Target, span: timedelta) -> list[dict[str, Any]]:
    """List the trainings in this workspace, at least those within `span`.

    Raises:
        UsageError: the list cannot be read, or does not cover the span. It is never treated as
            empty.
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
        if last > cooldown.utc_now() - span or first < last:
            raise UnknownStateError(
                f"the latest {MAX_JOBS} jobs of {target.cloud.workspace} do not cover the last "
                f"{span.days} days, so it is not known which trainings there were. Train "
                f"manually: `{MANUAL_COMMAND}`."
            )
    return [job for job in jobs if _is_training(target, job)]


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
