"""Autoscaling of an online deployment, as a setting of Azure Monitor.

azureml/endpoints/online/autoscale.yml has the rules, conf/<env>.yml the minimum and the maximum of
instances. `az monitor autoscale rule create` always adds a rule, and `autoscale create` starts
without rules: so a setting with a wrong rule is created again.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from mlops_platform.azure.az import Az
from mlops_platform.azure.target import ENDPOINTS, Target
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml

RULES_FILE = ENDPOINTS / "online" / "autoscale.yml"
CONDITION = re.compile(r"(\w+) (>=|<=|>|<) (\d+(?:\.\d+)?) (avg|min|max|total) (\d+)m")
SCALE = re.compile(r"(in|out) (\d+)")
# The names that Azure Monitor returns for those of its command line.
OPERATORS = {
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqual",
    "<": "LessThan",
    "<=": "LessThanOrEqual",
}
AGGREGATIONS = {"avg": "Average", "min": "Minimum", "max": "Maximum", "total": "Total"}
DIRECTIONS = {"out": "Increase", "in": "Decrease"}
AzureRule = tuple[str, str, float, str, str, str, str]


class Rule(NamedTuple):
    """A rule as it stands in the file, and as Azure Monitor returns it."""

    condition: str
    scale: str
    azure_rule: AzureRule


def apply(target: Target, name: str, resource_id: str) -> None:
    """Create or update the autoscale setting `name` of the deployment `resource_id`.

    There is no setting if `min` and `max` are the same.

    Raises:
        UsageError: an invalid rule in the file, or Azure refuses it.
    """
    machines, az, rules = target.cloud.machines, target.az, _load_rules()
    if machines.min == machines.max:
        remove(az, name)
        return
    limits = {"default": machines.min, "minimum": machines.min, "maximum": machines.max}
    counts = {"--count": machines.min, "--min-count": machines.min, "--max-count": machines.max}
    options = [word for flag, count in counts.items() for word in (flag, str(count))]

    def is_current() -> bool:
        setting = _read_setting(az, name)
        if setting is None or not setting.get("enabled") or len(setting["profiles"]) != 1:
            return False
        capacity = setting["profiles"][0]["capacity"]
        current_rules = _read_rules(setting)
        return (
            str(setting["targetResourceUri"]).lower() == resource_id.lower()
            and all(int(capacity[key]) == limits[key] for key in limits)
            and len(current_rules) == len(set(current_rules))
            and set(current_rules) <= {rule.azure_rule for rule in rules}
        )

    az.ensure(
        f"autoscale setting {name}",
        is_current,
        *("monitor", "autoscale", "create", "--name", name, *az.group),
        *("--resource", resource_id, *options),
    )
    for rule in rules:
        az.ensure(
            f"autoscale rule `{rule.condition}`",
            lambda rule=rule: rule.azure_rule in _read_rules(_read_setting(az, name)),  # type: ignore[misc]
            *("monitor", "autoscale", "rule", "create", "--autoscale-name", name, *az.group),
            *("--condition", rule.condition, "--scale", *rule.scale.split()),
        )


def remove(az: Az, name: str) -> None:
    """Delete the setting of this name, if it exists."""
    az.ensure(
        f"no autoscale setting {name}",
        lambda: _read_setting(az, name) is None,
        *("monitor", "autoscale", "delete", "--name", name, *az.group),
    )


def _load_rules() -> list[Rule]:
    rules = []
    for number, entry in enumerate(read_yaml(RULES_FILE).get("rules") or []):
        condition, scale = str(entry.get("condition")), str(entry.get("scale"))
        condition_match, scale_match = CONDITION.fullmatch(condition), SCALE.fullmatch(scale)
        if condition_match is None or scale_match is None:
            raise UsageError(
                f"{RULES_FILE}, field `rules[{number}]`: write a condition as `METRIC > 70 avg 5m` "
                f"and scale as `out 1` or `in 1`, not {condition!r} and {scale!r}."
            )
        metric, operator, limit, aggregation, minutes = condition_match.groups()
        metric_rule = (
            metric,
            OPERATORS[operator],
            float(limit),
            AGGREGATIONS[aggregation],
            f"PT{minutes}M",
        )
        rules.append(
            Rule(condition, scale, (*metric_rule, DIRECTIONS[scale_match[1]], scale_match[2]))
        )
    return rules


def _read_setting(az: Az, name: str) -> dict[str, Any] | None:
    setting: dict[str, Any] | None = az.read(
        "monitor", "autoscale", "show", "--name", name, *az.group
    )
    return setting


def _read_rules(setting: dict[str, Any] | None) -> list[AzureRule]:
    """The rules of a setting, as Azure Monitor returns them."""
    azure_rules = []
    for rule in setting["profiles"][0]["rules"] if setting else []:
        trigger, action = rule["metricTrigger"], rule["scaleAction"]
        metric_rule = trigger["metricName"], trigger["operator"], float(trigger["threshold"])
        aggregation = trigger["timeAggregation"], trigger["timeWindow"]
        azure_rules.append((*metric_rule, *aggregation, action["direction"], str(action["value"])))
    return azure_rules
