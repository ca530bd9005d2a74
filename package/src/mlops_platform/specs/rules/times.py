"""Times of schedules: cron expressions, time zones, dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime

from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.schemas.validators import nearest
from mlops_platform.schemas.zones import ZONES
from mlops_platform.specs.project import Spec

FIELDS = (("minutes", 0, 59), ("hours", 0, 23), ("days", 1, 31), ("months", 1, 12))
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
SAMPLE = 'such as "0 4 * * 1", Monday at four'


def check(spec: Spec) -> Iterator[Problem]:
    """Check a trigger."""
    if not spec.is_a("schedule", "monitor"):
        return
    trigger = spec.tree.get("trigger")
    if trigger is None or not isinstance(trigger.value, dict):
        return
    expression = trigger.get("expression")
    if expression is not None and isinstance(expression.value, str):
        yield from _cron(expression)
    zone = trigger.get("time_zone")
    known = {name.lower() for name in ZONES}
    if zone is not None and str(zone.value).lower() not in known:
        close = nearest(str(zone.value), ZONES)
        name = close if close.startswith("`") else "such as W. Europe Standard Time"
        yield zone.problem(
            f"{zone.value!r} is not a time zone of Azure ML; write UTC, or Windows' name, {name}"
        )
    yield from _dates(trigger)
    yield from _pattern(trigger)


def _cron(node: Node) -> Iterator[Problem]:
    parts = node.value.split()
    if len(parts) != 5:
        yield node.problem(
            f"a cron expression has five fields, found {len(parts)}; write minutes, hours, *, * "
            f"and days of the week, {SAMPLE}"
        )
        return
    for part, (name, low, high) in zip(parts, FIELDS, strict=False):
        if name in ("days", "months"):
            # how-to-schedule-pipeline-job: "If you pass a value, it will be ignored"
            if part != "*":
                yield node.problem(
                    f"Azure ML ignores {name}, here {part!r}, and would start more often; write *, "
                    "or a `recurrence` trigger with `frequency: month`",
                    house=True,
                )
        else:
            yield from _part(node, part, name, low, high)
    week = parts[4].lower()
    for number, day in enumerate(WEEKDAYS):
        week = re.sub(rf"\b{day}\w*", str(number), week)
    yield from _part(node, week, "days of the week", 0, 6)


def _part(node: Node, part: str, name: str, low: int, high: int) -> Iterator[Problem]:
    for item in part.split(","):
        match = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", item)
        if not match:
            yield node.problem(
                f"{item!r} is not a value of {name}; write {low} to {high}, {SAMPLE}"
            )
            continue
        first, last, step = (int(found) if found else None for found in match.groups())
        outside = [number for number in (first, last) if not low <= (number or low) <= high]
        if outside:
            yield node.problem(
                f"{outside[0]} is out of range for {name}; write {low} to {high}, {SAMPLE}"
            )
        elif first is not None and last is not None and first > last:
            yield node.problem(f"{item!r} runs backwards; write {last}-{first}")
        elif step == 0 or (step or 1) > high:
            yield node.problem(f"{item!r} never occurs; write a step from 1 to {high}")


def _dates(trigger: Node) -> Iterator[Problem]:
    found = {}
    for name in ("start_time", "end_time"):
        node = trigger.get(name)
        if node is None:
            continue
        moment = _moment(node.value)
        if moment is None:
            yield node.problem(
                f"{node.value!r} is not a date and time; write it as 2026-11-30T04:00:00"
            )
        else:
            found[name] = moment
    if len(found) == 2 and found["start_time"] >= found["end_time"]:
        end = trigger.get("end_time")
        if end is not None:
            yield end.problem("is not after `start_time`; write a later one")


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        return None


def _pattern(trigger: Node) -> Iterator[Problem]:
    schedule, frequency = trigger.get("schedule"), trigger.text("frequency")
    if schedule is None:
        return
    fits = {"week_days": ("week", "month"), "month_days": ("month",)}
    for name, frequencies in fits.items():
        node = schedule.get(name)
        if node is not None and frequency and frequency not in frequencies:
            yield node.problem(
                f"cannot be used with `frequency: {frequency}`; write {frequencies[0]}, or remove "
                "it"
            )
    if frequency in ("minute", "hour"):
        yield schedule.problem(
            f"cannot be used with `frequency: {frequency}`; write day, week or month"
        )
