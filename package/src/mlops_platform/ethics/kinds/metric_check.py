"""A measured value against a limit, by its confidence bound."""

from __future__ import annotations

from mlops_platform.ethics.case import Case
from mlops_platform.ethics.finding import Finding
from mlops_platform.ethics.measures import MEASURES
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import Value, word, worst
from mlops_platform.evidence.ethics import GroupFinding, Word

SHOWN = 3


def look(case: Case, check: Metric) -> Finding:
    """Measure, and hold the value against the limit.

    With groups, each is held against the limit, and the worst word counts. A group without enough
    rows is named, whatever the others say.
    """
    found = MEASURES[check.measure].compute(case, check)
    bound, limit = ("max", check.max or 0.0) if check.min is None else ("min", check.min)
    said = (
        worst([group.word for group in found.groups])
        if found.groups
        else word(found.low, found.high, limit, "max" if bound == "max" else "min")
    )
    shown = f"at {'most' if bound == 'max' else 'least'} {limit:g}"
    figures = {
        "measure": check.measure,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "limit": shown,
        "rows": found.rows,
        "groups": found.groups,
    }
    return Finding(said, _message(found, check), _next(said, found, check), figures)


def _message(found: Value, check: Metric) -> str:
    if found.value is None:
        text = found.about
    elif found.low == found.high:
        text = f"{found.value:.4g} ({found.about})"
    else:
        text = f"{found.value:.3f}, {_number(found.low)} to {_number(found.high)} ({found.about})"
    small = [group for group in found.groups if group.distance is None or group.low is None]
    if small and found.value is not None:
        text += f"; too few rows to tell: {_named(small)}"
    return text


def _next(said: Word, found: Value, check: Metric) -> str:
    if said == "passed":
        return ""
    if said == "failed":
        failed = [group for group in found.groups if group.word == "failed"]
        who = f" (failed: {_named(failed)})" if len(failed) > 1 else ""
        return f"{MEASURES[check.measure].then}{who}. Only the owner may change the limit."
    return found.then or MEASURES[check.measure].unknown


def _named(groups: list[GroupFinding]) -> str:
    names = [f"{group.group} ({group.rows} rows)" for group in groups]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _number(bound: float | None) -> str:
    return "?" if bound is None else f"{bound:.3f}"
