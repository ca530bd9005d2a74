"""Prepares ethics.json for the HTML pages: badges, tones and interval strips."""

from __future__ import annotations

from typing import Any

from mlops_platform.evidence.ethics import CheckResult, Ethics, Principle

CheckRow = tuple[CheckResult, str, str, dict[str, float] | None]


def summarize(ethics: Ethics) -> dict[str, Any]:
    """The number of passed or waived checks, of blocking ones, and the tone of the summary."""
    passed = sum(check.accepted for check in ethics.checks)
    blocking = sum(check.blocking for check in ethics.checks)
    tone = "bad" if blocking else "good" if passed == len(ethics.checks) else "warn"
    return {"passed": passed, "blocking": blocking, "tone": tone}


def list_checks(ethics: Ethics) -> list[tuple[Principle, int, list[CheckRow]]]:
    """Each principle, the number of its passed or waived checks, and a row for each check."""
    sections = []
    for principle in ethics.principles:
        checks = [check for check in ethics.checks if check.principle == principle.name]
        rows = [(check, *_badge(check), _strip(check)) for check in checks]
        sections.append((principle, sum(check.accepted for check in checks), rows))
    return sections


def _badge(check: CheckResult) -> tuple[str, str]:
    if check.word == "passed":
        return "passed", "good"
    if check.waived is not None:
        return "waived", "warn"
    if check.word == "failed":
        return ("failed", "bad") if check.blocks else ("failed, reported", "warn")
    return check.word, "warn"


def _strip(check: CheckResult) -> dict[str, float] | None:
    """Positions from 0 to 100 of value, interval and limit; None without an interval."""
    value, low, high = check.value, check.low, check.high
    if value is None or low is None or high is None or low == high:
        return None
    values = {"value": value, "low": low, "high": high, "limit": float(check.limit.split()[-1])}
    minimum = min(values.values())
    span = max(values.values()) - minimum or 1
    return {name: round(3 + 94 * (number - minimum) / span, 2) for name, number in values.items()}
