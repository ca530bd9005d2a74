"""What a delivery to production asks of the decisions."""

from __future__ import annotations

import datetime
from pathlib import Path

from mlops_platform import settings
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError
from mlops_platform.settings.stage import FILE, tell


def require_operate(conf: Path, today: datetime.date) -> None:
    """Require the decision to operate, before a delivery to production.

    A project of before has no conf/stage.yml: it goes on, and is told.

    Raises:
        GateError: people decided otherwise, or not yet, or a criterion that they waived is overdue.
    """
    decisions = settings.load_decisions(conf)
    if decisions is None:
        terminal.log(
            f"note: {conf / FILE} does not exist, so nobody recorded that this project may operate."
            " `uv run poe stage` shows the criteria; from its first decision on, only a project at "
            "`operate` is delivered"
        )
        return
    last, stage = decisions.last, settings.load_project(conf).stage
    how = 'Once its criteria are met: `uv run poe stage operate --why "REASON"`.'
    if last is None or last.to != "operate":
        word = "stopped" if last and last.to == "stop" else f"at `{last.to if last else stage}`"
        raise GateError(f"this project is {word}; only at `operate` it is delivered. {how}")
    if stage != "operate":
        raise GateError(
            f"{conf / 'project.yml'}, field `stage`: is `{stage}`, but {conf / FILE} says "
            "`operate`. Its gates would be weaker than decided: write `operate`."
        )
    for each in last.despite:
        if each.until < today:
            raise GateError(
                f"this project operates {tell(each, today)}: meet it, or decide again. {how}"
            )
        terminal.log(f"note: this project operates {tell(each, today)}")
