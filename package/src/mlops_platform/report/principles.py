"""What ethics.json says, in the words, tones and places of a page."""

from __future__ import annotations

from typing import Any

from mlops_platform.evidence.ethics import CheckResult, Ethics, Principle

Shown = tuple[CheckResult, str, str, dict[str, float] | None]


def held(ethics: Ethics) -> dict[str, Any]:
    """How many checks hold and stop, and the tone of that."""
    count = sum(check.holds for check in ethics.checks)
    stops = sum(check.stops for check in ethics.checks)
    tone = "bad" if stops else "good" if count == len(ethics.checks) else "warn"
    return {"count": count, "stops": stops, "tone": tone}


def view(ethics: Ethics) -> list[tuple[Principle, int, list[Shown]]]:
    """Each principle, how many of its checks hold, and the checks with word, tone and strip."""
    listed = []
    for principle in ethics.principles:
        checks = [check for check in ethics.checks if check.principle == principle.name]
        shown = [(check, *_word(check), _strip(check)) for check in checks]
        listed.append((principle, sum(check.holds for check in checks), shown))
    return listed


def _word(check: CheckResult) -> tuple[str, str]:
    if check.word == "passed":
        return "passed", "good"
    if check.waived is not None:
        return "waived", "warn"
    if check.word == "failed":
        return ("failed", "bad") if check.blocks else ("failed, reported", "warn")
    return check.word, "warn"


def _strip(check: CheckResult) -> dict[str, float] | None:
    """Places from 0 to 100 of value, interval and limit; none where no chance is in the value."""
    value, low, high = check.value, check.low, check.high
    if value is None or low is None or high is None or low == high:
        return None
    known = {"value": value, "low": low, "high": high, "limit": float(check.limit.split()[-1])}
    least = min(known.values())
    span = max(known.values()) - least or 1
    return {name: round(3 + 94 * (number - least) / span, 2) for name, number in known.items()}
