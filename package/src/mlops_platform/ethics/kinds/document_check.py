"""Checks of kind `document`: a page that people fill in and review regularly."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from mlops_platform.core import placeholders
from mlops_platform.core.text import pluralize
from mlops_platform.ethics.config import DocumentCheck
from mlops_platform.ethics.outcome import Outcome

HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
REVIEWED = re.compile(r"^Reviewed:\s*(\d{4}-\d{2}-\d{2}) by (\S.*)$", re.MULTILINE)


def check_document(root: Path, check: DocumentCheck, today: date) -> Outcome:
    """Check that each section exists and is filled in, and that the last review is recent."""
    path = root / check.path
    try:
        text = placeholders.without_comments(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Outcome("failed", f"{check.path} does not exist", f"Write {check.path}.")
    except (OSError, UnicodeDecodeError) as error:
        return Outcome("failed", f"{check.path} cannot be read: {error}", "Save it as UTF-8 text.")
    sections = _sections(text)
    problems = [problem for name in check.sections if (problem := _problem(name, sections))]
    if problems:
        return Outcome(
            "failed",
            f"{check.path}: {'; '.join(problems)}",
            f"Fill in {check.path}, and add the line `Reviewed: {today} by YOUR NAME`.",
        )
    return _check_review(text, check, today)


def _sections(text: str) -> dict[str, str]:
    """The text of each section by its lower-case heading, with the text of its subsections."""
    sections: dict[str, str] = {}
    parents: list[tuple[int, str]] = []
    for line in text.splitlines():
        if heading := HEADING.match(line):
            level = len(heading[1])
            parents = [(depth, name) for depth, name in parents if depth < level]
            parents.append((level, heading[2].lower()))
            sections.setdefault(heading[2].lower(), "")
            continue
        for _, name in parents:
            sections[name] += line + "\n"
    return sections


def _problem(name: str, sections: dict[str, str]) -> str:
    text = sections.get(name.lower())
    if text is None:
        return f"the section `{name}` is missing"
    gap = placeholders.gap(text)
    return f"`{name}` {gap}" if gap else ""


def _check_review(text: str, check: DocumentCheck, today: date) -> Outcome:
    next_step = (
        f"Review {check.path}, correct it, and add the line `Reviewed: {today} by YOUR NAME`."
    )
    reviews = []
    for day, by in REVIEWED.findall(text):
        try:
            reviews.append((date.fromisoformat(day), by.strip()))
        except ValueError:
            return Outcome("failed", f"{check.path}: {day} is not a date", next_step)
    if not reviews:
        return Outcome("failed", f"{check.path} has no review", next_step)
    last, by = max(reviews)
    age = (today - last).days
    if age < 0:
        message = f"{check.path}: the review date {last} is in the future"
        return Outcome("failed", message, next_step)
    if age > check.reviewed_within_days:
        return Outcome(
            "failed",
            f"{check.path} was reviewed {age} days ago, allowed are {check.reviewed_within_days}",
            next_step,
        )
    return Outcome(
        "passed",
        f"{check.path}: {pluralize(len(check.sections), 'section')}, reviewed {last} by {by}",
    )
