"""Retraining in dev: a person may at any time, a machine as often as conf/train.yml allows.

`submit` trains. What is decided here is only whether a new job may begin.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mlops_platform.azure import submit
from mlops_platform.azure.az import Unknown
from mlops_platform.azure.place import TRAINING, Place
from mlops_platform.core.errors import UsageError
from mlops_platform.monitoring import cooldown
from mlops_platform.settings import load_train

INPUT = "trigger"  # which of all pipelines only a training has
MOST = 200  # jobs that are listed: Azure lists the latest first
BY_HAND = "uv run mlops azure retrain --why REASON"


def run(place: Place, why: str, event: str) -> None:
    """Train for a person's reason, or for an event that a machine saw.

    Raises:
        GateError: a machine asks, and the last training is too near or there were enough.
        UsageError: nobody says why, it is not dev, or Azure cannot tell or do it.
    """
    why, event = why.strip(), event.strip()
    if not (why or event):
        raise UsageError("say why: `--why` for a person's reason, `--event` for what happened.")

    def may_begin() -> None:
        limits = load_train(place.conf).retrain
        source = place.conf / "train.yml"
        cooldown.require(starts(place), limits, source, cooldown.utc_now(), BY_HAND)

    asked = None if why else may_begin
    inputs = {INPUT: why or event}
    submit.run(place, TRAINING, inputs, wait=True, again=False, may_begin=asked)


def starts(place: Place) -> list[datetime]:
    """When the trainings of the last week began in this workspace, and some before them.

    Raises:
        UsageError: the list cannot be read, or does not reach a week back. That is never taken for
            "no trainings".
    """
    listed = place.az.read(
        *("job", "list", "--max-results", str(MOST), "--include-archived", *place.az.workspace)
    )
    if not isinstance(listed, list) or not all(isinstance(job, dict) for job in listed):
        raise Unknown(
            "`job list` gave no list of jobs, so it is not known when the last trainings began. "
            f"A person may train: `{BY_HAND}`."
        )
    if len(listed) >= MOST:
        first, last = _start(listed[0]), _start(listed[-1])
        if last > cooldown.utc_now() - cooldown.WEEK or first < last:
            raise Unknown(
                f"{MOST} jobs of {place.cloud.workspace} were listed, and they do not reach from "
                "now to a week ago, so it is not known how many trainings there were. A person "
                f"may train: `{BY_HAND}`."
            )
    return [_start(job) for job in listed if _is_training(place, job)]


def _is_training(place: Place, job: dict[str, Any]) -> bool:
    ours = (job.get("tags") or {}).get("project") == place.name
    return ours and job.get("type") == "pipeline" and INPUT in (job.get("inputs") or {})


def _start(job: dict[str, Any]) -> datetime:
    created = (job.get("creation_context") or {}).get("created_at")
    try:
        began = datetime.fromisoformat(str(created))
    except ValueError:
        raise Unknown(
            f"job {job.get('name')} does not say when it began, but {created!r}. A person may "
            f"train: `{BY_HAND}`."
        ) from None
    return began if began.tzinfo else began.replace(tzinfo=UTC)
