"""Verdicts from evidence and limits. Knows no model, no store and no library."""

from __future__ import annotations

from mlops_platform.evidence import Footprint, Group, Measure, Verdict
from mlops_platform.settings import Gates


def quality(measures: list[Measure], gates: Gates, *, blocks: bool) -> list[Verdict]:
    """Hold the test set's metrics against conf/gates.yml, by the interval's unfavourable end.

    A value that is good by luck of the draw is not good enough; without an interval, none is.
    """
    by_name = {measure.name: measure for measure in measures}
    verdicts = []
    for limit in gates.quality:
        measure = by_name[limit.metric]
        bound, sign = (limit.min, "at least") if limit.min is not None else (limit.max, "at most")
        provable = measure.low if limit.min is not None else measure.high
        passed = provable is not None and (
            provable >= limit.min if limit.min is not None else provable <= (limit.max or 0)
        )
        shown = "no interval" if provable is None else f"{provable:.4f}"
        verdicts.append(
            Verdict(
                gate=f"quality: {limit.metric}",
                passed=passed,
                blocks=blocks,
                value=provable,
                limit=f"{sign} {bound}",
                message=f"{limit.metric} is {measure.value:.4f}, provably {shown}; "
                f"conf/gates.yml asks for {sign} {bound}",
            )
        )
    return verdicts


def guardrails(
    *,
    size_mb: float,
    load_seconds: float,
    challenger: list[Group],
    champion: list[Group],
    higher_is_better: bool,
    gates: Gates,
) -> list[Verdict]:
    """What a challenger may not break: size, load time, and the group it serves worst."""
    rails = gates.guardrails
    verdicts = [
        _at_most(
            name, value, limit, f"{name} is {value:.4g}{unit}", f"guardrails.{field}", unit=unit
        )
        for name, value, limit, unit, field in (
            ("model size", size_mb, rails.size_mb, " MB", "size_mb"),
            ("load time", load_seconds, rails.load_seconds, " s", "load_seconds"),
        )
    ]
    now, then = worst(challenger, higher_is_better), worst(champion, higher_is_better)
    if now is None or then is None or now.value is None or then.value is None:
        return verdicts
    drop = then.value - now.value if higher_is_better else now.value - then.value
    name = f"worst group ({now.column} = {now.group})"
    beside = f"worse than the champion's by {drop:.4g}"
    if drop <= 0:
        beside = "no worse than the champion's"
    field = "guardrails.worst_group_drop"
    verdicts.append(_at_most(name, drop, rails.worst_group_drop, f"{name} is {beside}", field))
    return verdicts


def footprint(challenger: Footprint, champion: Footprint, gates: Gates) -> list[Verdict]:
    """What a challenger may cost beside the champion, both measured here and now.

    Growth below the slack is noise of the machine, or too little to matter.
    """
    rails = gates.guardrails
    verdicts = [
        _at_most(
            f"{name} beside the champion's",
            now,
            max(then * rails.growth, then + slack),
            f"{name} is {now:.4g}{unit}, the champion's {then:.4g}{unit}",
            "guardrails.growth",
            unit=unit,
        )
        for name, now, then, slack, unit in (
            ("model size", challenger.size_mb, champion.size_mb, 1, " MB"),
            ("load time", challenger.load_seconds, champion.load_seconds, 1, " s"),
            ("memory", challenger.memory_mb, champion.memory_mb, 20, " MB"),
        )
    ]
    if champion.packages:  # a model from before they were noted does not tell
        new = sorted(set(challenger.packages) - set(champion.packages))
        name = f"new packages ({', '.join(new) or 'none'})"
        field = "guardrails.new_packages"
        verdicts.append(_at_most(name, len(new), rails.new_packages, f"{name}: {len(new)}", field))
    return verdicts


def worst(groups: list[Group], higher_is_better: bool) -> Group | None:
    """The group with the worst value among those that are large enough to have one."""
    known = [group for group in groups if group.value is not None]
    sign = 1 if higher_is_better else -1
    return min(known, key=lambda group: sign * (group.value or 0), default=None)


def decide(
    *,
    difference: float,
    low: float | None,
    high: float | None,
    margin: float,
    confidence: float,
    verdicts: list[Verdict],
) -> tuple[bool, str]:
    """Does the challenger replace the champion? `difference` is positive where it is better.

    It must be better by the margin, provably so, and break no guardrail. Returns the answer and
    the reason for it.
    """
    broken = [verdict for verdict in verdicts if not verdict.passed]
    if difference == 0:
        return False, "tie: the challenger is exactly as good as the champion"
    if difference < 0:
        return False, f"worse than the champion by {-difference:.4f}"
    if difference < margin:
        return False, f"better by {difference:.4f} only, conf/gates.yml asks for {margin}"
    if low is None or high is None or low <= 0:
        shown = "none" if low is None else f"from {low:.4f}"
        return False, (
            f"better by {difference:.4f}, but not provably: "
            f"its {confidence:.0%} interval is {shown}"
        )
    if broken:
        return False, "guardrail broken: " + "; ".join(verdict.message for verdict in broken)
    return True, f"better than the champion by {difference:.4f} ({low:.4f} to {high:.4f})"


def _at_most(
    name: str, value: float, limit: float, said: str, field: str, *, unit: str = ""
) -> Verdict:
    """A guardrail's verdict; `said` tells the value in words."""
    return Verdict(
        gate=f"guardrail: {name}",
        passed=value <= limit,
        blocks=True,
        value=value,
        limit=f"at most {limit:.4g}",
        message=f"{said}; conf/gates.yml, `{field}` allows {limit:.4g}{unit}",
    )
