"""Decides what an event asks for: one pure function, for this machine, CI and Azure's function.

Events come at least once and in any order, so they are only a reason to look: `Facts` say what is
so now. Whether to retrain is decided in `monitoring.retraining` alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mlops_platform.events.parse import Event

if TYPE_CHECKING:  # a function in Azure has none of the libraries for settings
    from mlops_platform.settings.team import Role

BREACH = "azureml_modelmonitor_threshold_breached"
VERSION = re.compile(r"[1-9]\d{0,8}")
ENDED = ("completed", "failed", "canceled")
TOLD_OF_FAILURE: tuple[Role, ...] = ("ml_engineer",)
TOLD_OF_TEST: tuple[Role, ...] = ("model_validator",)
TOLD_OF_DEPLOYMENT: tuple[Role, ...] = ("ml_engineer", "model_validator", "domain_expert")
Action = Literal["retrain", "test", "tell", "nothing", "wait"]


@dataclass(frozen=True)
class Facts:
    """What registry and runs say now: roles by version, and a run that passed after the event's."""

    roles: Mapping[str, str] = field(default_factory=dict)
    passed_since: str = ""


@dataclass(frozen=True)
class Decision:
    """What to do, why, and the roles to tell.

    `retrain` asks `monitoring.retraining` and gives it `drift`, empty where real outcomes are the
    reason; `test` evaluates `version` and checks its ethics, then tells; `wait` is for an event
    that is true only later, and must come again.
    """

    action: Action
    why: str
    tell: tuple[Role, ...] = ()
    version: str = ""
    drift: str = ""


def decide(event: Event, project: str, facts: Facts | None = None) -> Decision:
    """Decide on an event; without facts, for somebody who will ask for them.

    Args:
        event: what happened.
        project: the name of the project, which is that of its model.
        facts: what is so now.
    """
    if event.kind == "DatasetDriftDetected":
        return Decision(
            "nothing",
            "it is of a dataset monitor of Azure ML v1, which is retired; the monitor of v2 says "
            "RunStatusChanged",
        )
    if event.kind in ("ModelRegistered", "ModelDeployed"):
        numbers = [number for name, number in event.models if name == project]
        if not numbers:
            others = ", ".join(name for name, _ in event.models)
            return Decision("nothing", f"it is of another model: {others}")
        odd = next((text for text in numbers if not VERSION.fullmatch(text)), None)
        if odd is not None:
            return Decision(
                "nothing", f"{odd[:40]!r} is no version of this project: they are numbers"
            )
        number = max(numbers, key=int)
        return (_registered if event.kind == "ModelRegistered" else _deployed)(number, facts)
    owner = event.inner("runTags", "project")
    if owner and owner != project:
        return Decision("nothing", f"it is of another project: {owner}")
    return _run(event, facts)


def _run(event: Event, facts: Facts | None) -> Decision:
    run = event.text("runId")
    if event.kind == "RunCompleted":
        return Decision("nothing", f"run {run} ended well; a model that it registered has an event")
    status = event.text("runStatus")
    if status.lower() not in ENDED:
        return Decision("nothing", f"run {run} is {status} and has not ended")
    if breach := event.inner("runTags", BREACH).strip():
        outcomes = event.inner("runProperties", "pipeline") == "truth"
        return Decision("retrain", f"a monitor found: {breach}", drift="" if outcomes else breach)
    if status.lower() != "failed":
        return Decision("nothing", f"run {run} is {status}, and no monitor found anything")
    if facts and facts.passed_since:
        return Decision("nothing", f"run {run} failed, and {facts.passed_since} has passed since")
    return Decision("tell", f"run {run} failed", TOLD_OF_FAILURE)


def _registered(number: str, facts: Facts | None) -> Decision:
    if facts is None:
        return Decision("test", f"version {number} was registered", TOLD_OF_TEST, number)
    if number not in facts.roles:
        return Decision("wait", _unknown(number, facts))
    role = facts.roles[number]
    if role != "challenger":
        return Decision("nothing", f"version {number} is {role}: there is nothing to decide on it")
    return Decision("test", f"version {number} is the new challenger", TOLD_OF_TEST, number)


def _deployed(number: str, facts: Facts | None) -> Decision:
    if facts is None:
        return Decision("tell", f"version {number} was deployed", TOLD_OF_DEPLOYMENT, number)
    if number not in facts.roles:
        return Decision("wait", _unknown(number, facts))
    role = facts.roles[number]
    if role not in ("champion", "challenger"):
        serving = [each for each, held in facts.roles.items() if held == "champion"]
        now = f"the champion is version {serving[-1]}" if serving else "there is no champion"
        return Decision("nothing", f"version {number} is {role} by now, and {now}: an old event")
    return Decision("tell", f"version {number}, {role}, was deployed", TOLD_OF_DEPLOYMENT, number)


def _unknown(number: str, facts: Facts) -> str:
    known = ", ".join(facts.roles) or "none yet"
    return f"version {number} does not exist; there are: {known}"
