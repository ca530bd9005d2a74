"""Checks of kind `metric`: a measured value against a limit, by its confidence bound."""

from __future__ import annotations

from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import Value, combine_verdicts, compare_with_limit, first_few
from mlops_platform.ethics.measures import MEASURES
from mlops_platform.ethics.outcome import Outcome
from mlops_platform.evidence.ethics import CheckVerdict, GroupFinding


def check_metric(run: EvaluatedRun, check: MetricCheck) -> Outcome:
    """Compute the measure and compare it with the limit.

    With groups, each group is compared with the limit, and the worst verdict counts. Groups with
    too few rows are always named.
    """
    value = MEASURES[check.measure].compute(run, check)
    bound, limit = ("max", check.max or 0.0) if check.min is None else ("min", check.min)
    verdict = (
        combine_verdicts([group.word for group in value.groups])
        if value.groups
        else compare_with_limit(value.low, value.high, limit, "max" if bound == "max" else "min")
    )
    details = {
        "measure": check.measure,
        "value": value.value,
        "low": value.low,
        "high": value.high,
        "limit": f"at {'most' if bound == 'max' else 'least'} {limit:g}",
        "rows": value.rows,
        "groups": value.groups,
    }
    return Outcome(verdict, _message(value), _next_step(verdict, value, check), details)


def _message(value: Value) -> str:
    if value.value is None:
        text = value.description
    elif value.low == value.high:
        text = f"{value.value:.4g} ({value.description})"
    else:
        interval = f"{_format(value.low)} to {_format(value.high)}"
        text = f"{value.value:.3f}, {interval} ({value.description})"
    small = [group for group in value.groups if group.distance is None or group.low is None]
    if small and value.value is not None:
        text += f"; groups with too few rows: {_names(small)}"
    return text


def _next_step(verdict: CheckVerdict, value: Value, check: MetricCheck) -> str:
    if verdict == "passed":
        return ""
    if verdict == "failed":
        failed = [group for group in value.groups if group.word == "failed"]
        groups = f" (failed: {_names(failed)})" if len(failed) > 1 else ""
        return f"{MEASURES[check.measure].next_step}{groups}. Only the owner may change the limit."
    return value.next_step or MEASURES[check.measure].if_insufficient


def _names(groups: list[GroupFinding]) -> str:
    return first_few([f"{group.group} ({group.rows} rows)" for group in groups])


def _format(bound: float | None) -> str:
    return "?" if bound is None else f"{bound:.3f}"
