"""More and fewer machines behind an online deployment: a setting of Azure Monitor.

The rules stand in azureml/endpoints/online/autoscale.yml, how few and how many machines in
conf/<env>.yml. `az monitor autoscale rule create` always adds a rule, and `autoscale create` begins
anew without any: so a setting that has a wrong rule is made anew.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from mlops_platform.azure.az import Az
from mlops_platform.azure.place import ENDPOINTS, Place
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml

FILE = ENDPOINTS / "online" / "autoscale.yml"
CONDITION = re.compile(r"(\w+) (>=|<=|>|<) (\d+(?:\.\d+)?) (avg|min|max|total) (\d+)m")
SCALE = re.compile(r"(in|out) (\d+)")
# How Azure Monitor calls what its command line calls otherwise.
OPERATORS = {
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqual",
    "<": "LessThan",
    "<=": "LessThanOrEqual",
}
TOTALS = {"avg": "Average", "min": "Minimum", "max": "Maximum", "total": "Total"}
DIRECTIONS = {"out": "Increase", "in": "Decrease"}
Meaning = tuple[str, str, float, str, str, str, str]


class Rule(NamedTuple):
    """A rule as the file has it, and what Azure Monitor shows of it."""

    condition: str
    scale: str
    meaning: Meaning


def apply(place: Place, name: str, target: str) -> None:
    """Let a deployment grow and shrink; `name` is the setting's, `target` the deployment's id.

    No setting where `min` and `max` are the same.

    Raises:
        UsageError: a wrong rule in the file, or Azure does not take it.
    """
    machines, az, rules = place.cloud.machines, place.az, _rules()
    if machines.min == machines.max:
        remove(az, name)
        return
    limits = {"default": machines.min, "minimum": machines.min, "maximum": machines.max}
    counts = {"--count": machines.min, "--min-count": machines.min, "--max-count": machines.max}
    given = [word for flag, count in counts.items() for word in (flag, str(count))]

    def begun() -> bool:
        found = _show(az, name)
        if found is None or not found.get("enabled") or len(found["profiles"]) != 1:
            return False
        capacity = found["profiles"][0]["capacity"]
        standing = _standing(found)
        return (
            str(found["targetResourceUri"]).lower() == target.lower()
            and all(int(capacity[key]) == limits[key] for key in limits)
            and len(standing) == len(set(standing))
            and set(standing) <= {rule.meaning for rule in rules}
        )

    az.ensure(
        f"autoscale setting {name}",
        begun,
        *("monitor", "autoscale", "create", "--name", name, *az.group),
        *("--resource", target, *given),
    )
    for rule in rules:
        az.ensure(
            f"autoscale rule `{rule.condition}`",
            lambda rule=rule: rule.meaning in _standing(_show(az, name)),  # type: ignore[misc]
            *("monitor", "autoscale", "rule", "create", "--autoscale-name", name, *az.group),
            *("--condition", rule.condition, "--scale", *rule.scale.split()),
        )


def remove(az: Az, name: str) -> None:
    """Leave no setting of this name."""
    az.ensure(
        f"no autoscale setting {name}",
        lambda: _show(az, name) is None,
        *("monitor", "autoscale", "delete", "--name", name, *az.group),
    )


def _rules() -> list[Rule]:
    rules = []
    for number, given in enumerate(read_yaml(FILE).get("rules") or []):
        condition, scale = str(given.get("condition")), str(given.get("scale"))
        asked, change = CONDITION.fullmatch(condition), SCALE.fullmatch(scale)
        if asked is None or change is None:
            raise UsageError(
                f"{FILE}, field `rules[{number}]`: write a condition as `METRIC > 70 avg 5m` and "
                f"scale as `out 1` or `in 1`, not {condition!r} and {scale!r}."
            )
        metric, operator, limit, total, minutes = asked.groups()
        measured = metric, OPERATORS[operator], float(limit), TOTALS[total], f"PT{minutes}M"
        rules.append(Rule(condition, scale, (*measured, DIRECTIONS[change[1]], change[2])))
    return rules


def _show(az: Az, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = az.read(
        "monitor", "autoscale", "show", "--name", name, *az.group
    )
    return found


def _standing(found: dict[str, Any] | None) -> list[Meaning]:
    """What the rules of a setting mean."""
    meanings = []
    for rule in found["profiles"][0]["rules"] if found else []:
        trigger, action = rule["metricTrigger"], rule["scaleAction"]
        measured = trigger["metricName"], trigger["operator"], float(trigger["threshold"])
        over = trigger["timeAggregation"], trigger["timeWindow"]
        meanings.append((*measured, *over, action["direction"], str(action["value"])))
    return meanings
