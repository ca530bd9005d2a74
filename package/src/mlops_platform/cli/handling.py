"""Does what an event asks for, with the commands that people use."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mlops_platform import evidence, settings
from mlops_platform.cli import ethics, pipelines, retraining
from mlops_platform.cli.app import TRAIN
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError
from mlops_platform.core.files import write_text
from mlops_platform.delivery import decision, job_page, summary
from mlops_platform.events import log
from mlops_platform.events.decide import TOLD_OF_TEST, Decision
from mlops_platform.events.parse import Event
from mlops_platform.pipelines.outputs import latest
from mlops_platform.steps import evaluate
from mlops_platform.tracking.registry import Registry

if TYPE_CHECKING:
    from mlops_platform.settings import Role

OUTPUTS = Path("outputs")


@dataclass(frozen=True)
class Outcome:
    """What an event led to: in words, whom to tell, and whether a gate failed."""

    message: str
    tell: tuple[Role, ...] = ()
    failed: bool = False


def foresee(decided: Decision) -> Outcome:
    """What `do` would do now; changes nothing.

    Raises:
        UsageError: settings, data or registry cannot be read.
    """
    if decided.action == "retrain":
        found = retraining.decide(TRAIN, decided.drift)
        return Outcome(f"{decided.why}; {found.message}", _roles(found))
    words = "evaluate it and check its ethics; " if decided.action == "test" else ""
    return Outcome(f"{words}{decided.why}", decided.tell)


def do(conf: Path, decided: Decision, *, begun: bool, begin: Callable[[], None]) -> Outcome:
    """Do what was decided.

    Args:
        conf: the folder of settings.
        decided: what to do.
        begun: a training for this event was begun, and was stopped before it ended.
        begin: is called when a training is decided on, before it begins.

    Raises:
        UsageError: it could not be done, and must be done again.
    """
    if decided.action == "retrain":
        return _retrain(decided, begun=begun, begin=begin)
    if decided.action == "test":
        return _test(conf, decided)
    return Outcome(decided.why, decided.tell)


def record(event: Event, decided: Decision, outcome: Outcome, team: settings.Team) -> log.Handled:
    """What is kept of an event that is handled."""
    return log.Handled(
        id=event.id,
        event=event.kind,
        at=log.now(),
        done=decided.action,
        message=outcome.message,
        told=log.people(team, outcome.tell),
    )


def _retrain(decided: Decision, *, begun: bool, begin: Callable[[], None]) -> Outcome:
    """The decision of `monitoring.retraining`; a training that it began is only finished."""
    if not begun:
        found = retraining.decide(TRAIN, decided.drift)
        try:
            decision.act_on(found, Path.cwd())
        except GateError as error:
            return Outcome(f"{decided.why}; {error}", _roles(found))
        begin()
    trigger = "drift" if decided.drift else "real outcomes"
    try:
        summary.show(pipelines.run(TRAIN, {"trigger": trigger}))
    except GateError as error:
        message = f"{decided.why}; a training began, and a gate stopped it: {_first(error)}"
        return Outcome(message, ("ml_engineer", "data_scientist"), failed=True)
    return Outcome(f"{decided.why}; trained for {trigger}, up to a challenger")


def _test(conf: Path, decided: Decision) -> Outcome:
    """Evaluate the version as it is registered, and check its ethics."""
    name = f"version {decided.version}"
    try:
        figure = _evaluate(conf, decided.version)
        ethics.run_checks(conf, as_json=False)
    except GateError as error:
        terminal.log(f"FAILED  {error}")
        return Outcome(f"{name} failed its offline test: {_first(error)}", decided.tell, True)
    return Outcome(f"{name} passed its offline test: {figure}; ethics passed", decided.tell)


def _evaluate(conf: Path, number: str) -> str:
    """Evaluate a registered model on the test set of its training; returns the metric in words.

    Raises:
        GateError: its training is not the last one, its model is another one, or not good enough.
    """
    registry = Registry(conf)
    version = registry.get(number)
    last = latest(OUTPUTS / "train")
    card = last / "train" / "evidence" / "training.json" if last else None
    if last is None or card is None or not card.is_file():
        raise GateError(f"there is no training in {OUTPUTS}, whose test set it needs.")
    if evidence.read(evidence.Training, card).run_id != version.run_id:
        raise GateError(f"the last training is not that of version {number}. Train again.")
    with tempfile.TemporaryDirectory() as scratch:
        model = registry.download(version, Path(scratch))
        evaluate.run(conf, last / "prepare" / "data", model, Path(scratch))
        found = evidence.read(evidence.Evaluation, Path(scratch, "evaluation.json"))
    if found.predictions_hash != version.tags.get("predictions_hash"):
        raise GateError("the registered model does not predict as when it was registered.")
    value = next(each.value for each in found.measures if each.name == found.metric)
    return f"{found.metric} {value:.4f}"


def examine(conf: Path, number: str) -> None:
    """Test a registered version whose training is the last one here, and tell the validator.

    Raises:
        GateError: it failed.
    """
    decided = Decision("test", "it was asked for", TOLD_OF_TEST, number)
    outcome = _test(conf, decided)
    told = log.people(settings.load_team(conf), outcome.tell)
    people = ", ".join(f"{each.address} ({each.role})" for each in told)
    path = OUTPUTS / "offline-test.md"
    write_text(path, f"## Offline test\n\n{outcome.message}\n\nFor: {people}\n")
    job_page.add_summary(path)
    if outcome.failed:
        raise GateError(f"{outcome.message}. Tell {people}.")
    terminal.out.print(f"{outcome.message}. For: {people}", markup=False, soft_wrap=True)


def _roles(found: evidence.Retraining) -> tuple[Role, ...]:
    """The roles of conf/team.yml that a decision on retraining names in words."""
    return tuple(cast("Role", name.replace(" ", "_")) for name in found.notify)


def _first(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(":")
