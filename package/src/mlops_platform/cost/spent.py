"""What was spent on this machine, from the journal of steps and the evidence of batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mlops_platform import evidence
from mlops_platform.core.paths import project_root
from mlops_platform.core.text import pluralize
from mlops_platform.pipelines import journal
from mlops_platform.pipelines.journal import Entry
from mlops_platform.pipelines.outputs import newest

THOUSAND = 1000
TRAIN = "train"


@dataclass(frozen=True)
class Spent:
    """Seconds of one machine; None where they are not known, and then what makes them known."""

    what: str
    seconds: float | None
    missing: str = ""


@dataclass(frozen=True)
class Champion:
    """The serving version, and when its fit began; None if an earlier release trained it."""

    version: str
    trained: datetime | None


def read(
    conf: Path, now: datetime, champion: Champion | None, endpoint: tuple[float, float] | None
) -> list[Spent]:
    """The last training, the champion, a thousand predictions, and the month up to now.

    `endpoint` has the seconds and rows that a running endpoint has counted; None if not asked.
    """
    root = project_root(conf)
    entries = journal.read(root)
    trainings = journal.runs(entries, TRAIN)
    spent = [_last(trainings), _of_champion(trainings, champion)]
    spent.append(_batch(root))
    if endpoint is not None:
        spent.append(_per_thousand("a thousand predictions, endpoint", *endpoint))
    spent.append(Spent("this month, all pipelines", month(entries, now)))
    return spent


def month(entries: Sequence[Entry], now: datetime) -> float:
    """The seconds of all steps that began in this month."""
    zone = now.tzinfo
    began = [(entry.began.astimezone(zone), entry.seconds) for entry in entries]
    return sum(seconds for at, seconds in began if (at.year, at.month) == (now.year, now.month))


def forecast(seconds: float, now: datetime) -> float:
    """What a month comes to that goes on as it began; the first day counts as a whole one."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return seconds * (following - first) / max(now - first, timedelta(days=1))


def history(entries: list[Entry], most: int = 12) -> list[float]:
    """The seconds of the last trainings, the oldest first."""
    return [_seconds(run) for run in journal.runs(entries, TRAIN)][-most:]


def _seconds(run: Sequence[Entry]) -> float:
    return sum(entry.seconds for entry in run)


def _last(trainings: list[list[Entry]]) -> Spent:
    if not trainings:
        return Spent("the last training", None, "no training is recorded: `uv run poe pipeline`")
    run = trainings[-1]
    return Spent(f"the last training, {run[0].run}", _seconds(run))


def _of_champion(trainings: list[list[Entry]], champion: Champion | None) -> Spent:
    if champion is None:
        return Spent("the champion", None, "there is no champion: `uv run poe promote`")
    what, trained = f"the champion, version {champion.version}", champion.trained
    for run in trainings:
        if trained and any(entry.step == TRAIN and entry.includes(trained) for entry in run):
            return Spent(what, _seconds(run))
    return Spent(what, None, "its training is not in this machine's journal")


def _batch(root: Path) -> Spent:
    what = "a thousand predictions, batch"
    run = newest(root / "outputs" / "batch")
    file = run / "score" / "evidence" / "batch.json" if run else None
    if file is None or not file.is_file():
        return Spent(what, None, "no batch is recorded: `uv run poe batch`")
    batch = evidence.read(evidence.BatchResult, file)
    rows = pluralize(batch.scored, "row")
    return _per_thousand(f"{what} of {rows}", batch.seconds, batch.scored)


def _per_thousand(what: str, seconds: float, rows: float) -> Spent:
    if not rows:
        return Spent(what, None, "none was made yet")
    return Spent(what, THOUSAND * seconds / rows)
