"""Gates: verdicts from evidence and limits, independent of models, stores and libraries."""

from __future__ import annotations

from mlops_platform.evidence import Footprint, Group, Measure, Verdict
from mlops_platform.settings import Gates


def check_quality(measures: list[Measure], gates: Gates, *, blocks: bool) -> list[Verdict]:
    """Compare the metrics of the test set with conf/gates.yml, by the worse interval bound.

    A metric without an interval fails.
    """
    by_name = {measure.name: measure for measure in measures}
    verdicts = []
    for limit in gates.quality:
        measure = by_name[limit.metric]
        if limit.min is not None:
            side, bound, limit_text = "lower", measure.low, f"at least {limit.min}"
            passed = bound is not None and bound >= limit.min
        else:
            side, bound, limit_text = "upper", measure.high, f"at most {limit.max}"
            passed = bound is not None and bound <= (limit.max or 0)
        interval = f"{gates.confidence:.0%} interval"
        bound_text = (
            f"without a {interval}"
            if bound is None
            else f"{side} bound of the {interval} {bound:.4f}"
        )
        verdicts.append(
            Verdict(
                gate=f"quality: {limit.metric}",
                passed=passed,
                blocks=blocks,
                value=bound,
                limit=limit_text,
                message=f"{limit.metric} is {measure.value:.4f}, {bound_text}; "
                f"conf/gates.yml requires {limit_text}",
            )
        )
    return verdicts


def check_guardrails(
    *,
    size_mb: float,
    load_seconds: float,
    challenger: list[Group],
    champion: list[Group],
    higher_is_better: bool,
    gates: Gates,
) -> list[Verdict]:
    """Check model size, load time, and the metric of the worst group."""
    rails = gates.guardrails
    verdicts = [
        _check_at_most(
            name, value, limit, f"{name} is {value:.4g}{unit}", f"guardrails.{field}", unit=unit
        )
        for name, value, limit, unit, field in (
            ("model size", size_mb, rails.size_mb, " MB", "size_mb"),
            ("load time", load_seconds, rails.load_seconds, " s", "load_seconds"),
        )
    ]
    new = worst_group(challenger, higher_is_better)
    old = worst_group(champion, higher_is_better)
    if new is None or old is None or new.value is None or old.value is None:
        return verdicts
    drop = old.value - new.value if higher_is_better else new.value - old.value
    name = f"worst group ({new.column} = {new.group})"
    comparison = f"worse than the champion's by {drop:.4g}"
    if drop <= 0:
        comparison = "no worse than the champion's"
    verdicts.append(
        _check_at_most(
            name,
            drop,
            rails.worst_group_drop,
            f"{name} is {comparison}",
            "guardrails.worst_group_drop",
        )
    )
    return verdicts


def check_footprint(challenger: Footprint, champion: Footprint, gates: Gates) -> list[Verdict]:
    """Compare the footprints of challenger and champion, measured on the same machine.

    Growth up to the tolerance is measurement noise, or too small to matter.
    """
    rails = gates.guardrails
    verdicts = [
        _check_at_most(
            f"{name} relative to the champion",
            new,
            max(old * rails.growth, old + tolerance),
            f"{name} is {new:.4g}{unit}, the champion's {old:.4g}{unit}",
            "guardrails.growth",
            unit=unit,
        )
        for name, new, old, tolerance, unit in (
            ("model size", challenger.size_mb, champion.size_mb, 1, " MB"),
            ("load time", challenger.load_seconds, champion.load_seconds, 1, " s"),
            ("memory", challenger.memory_mb, champion.memory_mb, 20, " MB"),
        )
    ]
    if champion.packages:  # older models did not record them
        added = sorted(set(challenger.packages) - set(champion.packages))
        name = f"new packages ({', '.join(added) or 'none'})"
        verdicts.append(
            _check_at_most(
                name,
                len(added),
                rails.new_packages,
                f"{name}: {len(added)}",
                "guardrails.new_packages",
            )
        )
    return verdicts


def worst_group(groups: list[Group], higher_is_better: bool) -> Group | None:
    """The group with the worst value, among those with enough rows."""
    measured = [group for group in groups if group.value is not None]
    worst = min if higher_is_better else max
    return worst(measured, key=lambda group: group.value or 0, default=None)


def accept_challenger(
    *,
    difference: float,
    low: float | None,
    high: float | None,
    margin: float,
    confidence: float,
    verdicts: list[Verdict],
) -> tuple[bool, str]:
    """Decide whether the challenger replaces the champion; the decision and its reason.

    `difference` is positive if the challenger is better. It must be at least the margin and
    significant, and all guardrails must pass.
    """
    failed = [verdict for verdict in verdicts if not verdict.passed]
    if difference < 0:
        return False, f"worse than the champion by {-difference:.4f}"
    if difference == 0:
        return False, "tie: the challenger is exactly as good as the champion"
    if difference < margin:
        return False, f"better by only {difference:.4f}, conf/gates.yml requires {margin}"
    if low is None or high is None or low <= 0:
        bound = "is not defined" if low is None else f"starts at {low:.4f}"
        return False, (
            f"better by {difference:.4f}, but not significantly: "
            f"its {confidence:.0%} interval {bound}"
        )
    if failed:
        return False, "guardrail violated: " + "; ".join(verdict.message for verdict in failed)
    return True, f"better than the champion by {difference:.4f} ({low:.4f} to {high:.4f})"


def _check_at_most(
    name: str, value: float, limit: float, message: str, field: str, *, unit: str = ""
) -> Verdict:
    """The verdict of a guardrail with a maximum."""
    return Verdict(
        gate=f"guardrail: {name}",
        passed=value <= limit,
        blocks=True,
        value=value,
        limit=f"at most {limit:.4g}",
        message=f"{message}; conf/gates.yml, `{field}` allows {limit:.4g}{unit}",
    )
