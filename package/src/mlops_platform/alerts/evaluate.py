"""Evaluates alerts on this machine: from an endpoint's counters and the evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict

from mlops_platform.alerts.config import Alert
from mlops_platform.alerts.scrape import Counters
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import write_text
from mlops_platform.settings import Member, Role

Word = Literal["silent", "pending", "fires", "not measured"]
Key = TypeVar("Key", str, float)
SHORTEST = timedelta(seconds=1)  # between two looks, to say something of what came between
OF_ENDPOINT = ("down", "errors_per_minute", "refused_per_minute", "seconds_p95")
UNASKED: dict[str, float | str] = dict.fromkeys(OF_ENDPOINT, "needs --url, the running endpoint")


class Memory(BaseModel):
    """.mlops/alerts.json: the counters of the last look, and since when alerts are above."""

    model_config = ConfigDict(extra="forbid")

    shape: Literal["alerts/1"] = "alerts/1"
    at: AwareDatetime | None = None
    requests: dict[str, float] = {}
    within: dict[str, float] = {}
    since: dict[str, AwareDatetime] = {}


class Verdict(NamedTuple):
    """An alert's state; `why` says what is missing where its measure is not known."""

    name: str
    alert: Alert
    word: Word
    value: float | None
    why: str = ""


def load(path: Path) -> Memory:
    """What the last look left; nothing before the first one."""
    if not path.exists():
        return Memory()
    try:
        return Memory.model_validate_json(path.read_bytes())
    except (ValueError, OSError):
        raise UsageError(f"{path}: is damaged. Delete it; it holds only the last look.") from None


def keep(memory: Memory, path: Path) -> None:
    """Keep it for the next look."""
    write_text(path, memory.model_dump_json(indent=2) + "\n")


def measure(counters: Counters | None, memory: Memory, now: datetime) -> dict[str, float | str]:
    """The measures of an endpoint's counters since the last look; a text says what is missing.

    Counters that went down are those of a process that was started in between.
    """
    names = OF_ENDPOINT[1:]
    if counters is None:
        return {"down": 1.0} | dict.fromkeys(names, "the endpoint does not answer")
    if memory.at is None or now - memory.at < SHORTEST:
        return {"down": 0.0} | dict.fromkeys(names, "a rate needs two looks: run this again")
    minutes = (now - memory.at) / timedelta(minutes=1)
    grown = _grown(counters.requests, memory.requests)
    found: dict[str, float | str] = {"down": 0.0}
    for name, first in (("errors_per_minute", "5"), ("refused_per_minute", "4")):
        found[name] = sum(more for status, more in grown.items() if status[0] == first) / minutes
    before = {float(most): value for most, value in memory.within.items()}
    value = _quantile(0.95, _grown(counters.within, before))
    found["seconds_p95"] = "nobody has asked since the last look" if value is None else value
    return found


def judge(
    alerts: Mapping[str, Alert],
    measured: Mapping[str, float | str],
    memory: Memory,
    now: datetime,
) -> list[Verdict]:
    """The state of each alert; `memory.since` is when its measure was first above the limit."""
    verdicts = []
    for name, alert in alerts.items():
        value = measured.get(alert.measure, "is measured in Azure")
        if isinstance(value, str):
            verdicts.append(Verdict(name, alert, "not measured", None, value))
            continue
        word: Word = "silent"
        if value > alert.above:
            word = "fires" if now - memory.since.get(name, now) >= alert.duration else "pending"
        verdicts.append(Verdict(name, alert, word, value))
    return verdicts


def remember(
    verdicts: list[Verdict],
    counters: Counters | None,
    memory: Memory,
    now: datetime,
    *,
    asked: bool,
) -> Memory:
    """What the next look needs; one that did not ask the endpoint forgets nothing of it."""
    kept = memory if not asked else Memory()
    if counters is not None:
        within = {str(most): value for most, value in counters.within.items()}
        kept = Memory(at=now, requests=dict(counters.requests), within=within)
    since = {
        each.name: min(memory.since.get(each.name, now), now)  # a clock may be set back
        for each in verdicts
        if each.word in ("pending", "fires")
        or (not asked and each.alert.measure in OF_ENDPOINT and each.name in memory.since)
    }
    return kept.model_copy(update={"since": since})


def line(verdict: Verdict) -> str:
    """One line for people."""
    if verdict.value is None:
        return f"{verdict.name}: not measured, {verdict.why}"
    compared = f"{verdict.alert.measure} is {verdict.value:.4g}, the limit {verdict.alert.above:g}"
    return f"{verdict.name}: {verdict.word}, {compared} for {verdict.alert.lasting}"


def plain(verdict: Verdict) -> dict[str, object]:
    """The same for programs."""
    fields = {"measure": verdict.alert.measure, "value": verdict.value, "why": verdict.why or None}
    return {"alert": verdict.name, "state": verdict.word, **fields}


def told(verdict: Verdict, members: Mapping[Role, Member], page: str) -> str:
    """What is said of an alert that fires: its value, whom it tells, and where the next step is."""
    addresses = [members[verdict.alert.role].address]
    if verdict.alert.severity == "page":
        addresses += [each.address for each in members.values() if each.on_call]
    return (
        f"{line(verdict)}. Tell {', '.join(dict.fromkeys(addresses))} ({verdict.alert.role}, "
        f"{verdict.alert.severity}); {page}, {verdict.name}, says what to do."
    )


def _grown(now: Mapping[Key, float], before: Mapping[Key, float]) -> dict[Key, float]:
    restarted = any(value < before.get(key, 0) for key, value in now.items())
    return {key: value - (0 if restarted else before.get(key, 0)) for key, value in now.items()}


def _quantile(share: float, within: Mapping[float, float]) -> float | None:
    """The quantile of a histogram, as Prometheus' histogram_quantile interpolates it."""
    edges = sorted(within)
    if not edges or not within[edges[-1]]:
        return None
    rank = share * within[edges[-1]]
    low, below = 0.0, 0.0
    for edge in edges:
        if within[edge] >= rank:
            return (
                low
                if math.isinf(edge)
                else low + (edge - low) * (rank - below) / (within[edge] - below)
            )
        low, below = edge, within[edge]
    return low
