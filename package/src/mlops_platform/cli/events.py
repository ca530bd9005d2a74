"""Commands for events."""

# ruff: noqa: PLC0415

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_platform.cli.app import CONF, Conf, app
from mlops_platform.cli.azure import Env, VersionOrRole, azure
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.events import local

if TYPE_CHECKING:
    from mlops_platform.cli.handling import Outcome
    from mlops_platform.events.log import Handled
    from mlops_platform.events.parse import Event


@app.command()
def event(
    file: Annotated[
        Path, typer.Argument(help="A file with one event or a list, or a folder of such files.")
    ] = local.FOLDER,
    do: Annotated[bool, typer.Option("--do", help="Do it; else only say it.")] = False,
    conf: Conf = CONF,
) -> None:
    """Say what an event leads to, or do it.

    Each event is done once. Exit code 1 if a gate failed.
    """
    from mlops_platform import settings
    from mlops_platform.events import parse

    settings.load_project(conf)
    if file == local.FOLDER and not any(file.glob("*.json")):
        terminal.out.print(f"no events in {file.as_posix()}", markup=False)
        return
    events = parse.load(file)
    failed = list((_do if do else _say)(conf, events))
    if waiting := [each.message for each in failed if not each.failed]:
        lines = "\n".join(f"{each}. Nothing was done; give the event again." for each in waiting)
        raise UsageError(lines)
    if failed:
        raise GateError("\n".join(each.message for each in failed))


@azure.command("test")
def offline_test(version: VersionOrRole, env: Env = "dev", conf: Conf = CONF) -> None:
    """Test a registered version: evaluation and ethics.

    Then the model validator is told. Downloads the evidence of its training first.
    """
    from mlops_platform.azure import outputs, target
    from mlops_platform.cli import handling

    where = target.load(conf, env, dry_run=False)
    number = outputs.download(where, version, handling.OUTPUTS)
    os.environ["MLFLOW_TRACKING_URI"] = outputs.tracking_uri(where)
    handling.examine(conf, number)


def _say(conf: Path, events: list[Event]) -> Iterator[Outcome]:
    """Print what would be done; changes nothing."""
    from mlops_platform import settings
    from mlops_platform.cli import handling
    from mlops_platform.core.paths import project_root
    from mlops_platform.events import facts, log
    from mlops_platform.events.decide import decide

    kept, team = log.load(project_root(conf)), settings.load_team(conf)
    project = settings.load_project(conf).name
    for each in events:
        if (done := kept.find(each.id)) is None:
            decided = decide(each, project, facts.collect(conf, handling.OUTPUTS, each))
            would = handling.record(each, decided, handling.foresee(decided), team)
            action = "do nothing" if decided.action == "nothing" else decided.action
            _print(each, f"would {action}: {would.message}", "Would tell", would)
        else:
            _print_again(each, done)
    yield from ()


def _do(conf: Path, events: list[Event]) -> Iterator[Outcome]:
    """Do each event that was not done before, and keep that it was.

    Yields what failed at a gate, and what must wait.
    """
    from mlops_platform import settings
    from mlops_platform.cli import handling
    from mlops_platform.core.locks import exclusive
    from mlops_platform.core.paths import project_root
    from mlops_platform.events import facts, log
    from mlops_platform.events.decide import decide

    root, team = project_root(conf), settings.load_team(conf)
    project = settings.load_project(conf).name
    with exclusive(root / log.FOLDER, "`poe event`"):
        for each in events:
            kept = log.load(root)
            if done := kept.find(each.id):
                _print_again(each, done)
                continue
            decided = decide(each, project, facts.collect(conf, handling.OUTPUTS, each))
            if decided.action == "wait":
                yield handling.Outcome(f"{each.kind} {each.id}: {decided.why}")
                continue

            def begin(kept: log.Log = kept, event: str = each.id, why: str = decided.why) -> None:
                log.save(kept.begin(event, why), root)

            outcome = handling.do(conf, decided, begun=each.id in kept.begun, begin=begin)
            handled = handling.record(each, decided, outcome, team)
            log.save(log.load(root).end(handled), root)
            _print(each, f"{decided.action}: {handled.message}", "To be told", handled)
            if outcome.failed:
                yield outcome


def _print(event: Event, words: str, verb: str, handled: Handled) -> None:
    told = ", ".join(f"{each.address} ({each.role})" for each in handled.told)
    said = f"{event.kind} {event.id}: {words.rstrip('.')}{f'. {verb}: {told}' if told else ''}"
    terminal.out.print(said, markup=False, soft_wrap=True)


def _print_again(event: Event, done: Handled) -> None:
    terminal.out.print(f"{event.kind} {event.id}: nothing: handled at {done.at}", markup=False)
