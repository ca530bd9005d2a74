"""A page that people fill in, and read again from time to time."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from mlops_platform.core import placeholders
from mlops_platform.core.text import amount
from mlops_platform.ethics.finding import Finding
from mlops_platform.ethics.page import Document

HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
REVIEWED = re.compile(r"^Reviewed:\s*(\d{4}-\d{2}-\d{2}) by (\S.*)$", re.MULTILINE)
FEWEST_LETTERS = 20


def look(root: Path, check: Document, today: date) -> Finding:
    """Whether each section is there and filled in, and the page was read again in time."""
    path = root / check.path
    try:
        text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Finding("failed", f"{check.path} does not exist", f"Write {check.path}.")
    except (OSError, UnicodeDecodeError) as error:
        return Finding("failed", f"{check.path} cannot be read: {error}", "Save it as UTF-8 text.")
    sections = _sections(text)
    faults = [fault for name in check.sections if (fault := _fault(name, sections))]
    if faults:
        return Finding(
            "failed",
            f"{check.path}: {'; '.join(faults)}",
            f"Fill in {check.path}, and write `Reviewed: {today} by YOUR NAME` into it.",
        )
    return _reviewed(text, check, today)


def _sections(text: str) -> dict[str, str]:
    """The text below each heading, with that of the headings below it; names in small letters."""
    found: dict[str, str] = {}
    open_: list[tuple[int, str]] = []
    for line in text.splitlines():
        if heading := HEADING.match(line):
            level = len(heading[1])
            open_ = [(depth, name) for depth, name in open_ if depth < level]
            open_.append((level, heading[2].lower()))
            found.setdefault(heading[2].lower(), "")
            continue
        for _, name in open_:
            found[name] += line + "\n"
    return found


def _fault(name: str, sections: dict[str, str]) -> str:
    text = sections.get(name.lower())
    if text is None:
        return f"no section `{name}`"
    if placeholder := placeholders.find(text):
        return f"`{name}` still says `{placeholder}`"
    if len("".join(text.split())) < FEWEST_LETTERS:
        return f"`{name}` is empty"
    return ""


def _reviewed(text: str, check: Document, today: date) -> Finding:
    line = f"Read {check.path} again, mend it, and write `Reviewed: {today} by YOUR NAME` into it."
    reviews = []
    for written, by in REVIEWED.findall(text):
        try:
            reviews.append((date.fromisoformat(written), by.strip()))
        except ValueError:
            return Finding("failed", f"{check.path}: {written} is no date", line)
    if not reviews:
        return Finding("failed", f"{check.path} was never reviewed", line)
    when, by = max(reviews)
    age = (today - when).days
    if age < 0:
        return Finding("failed", f"{check.path} was reviewed on {when}, in the future", line)
    if age > check.reviewed_within_days:
        return Finding(
            "failed",
            f"{check.path} was reviewed {age} days ago, at most {check.reviewed_within_days}",
            line,
        )
    return Finding(
        "passed",
        f"{check.path}: {amount(len(check.sections), 'section')}, reviewed {when} by {by}",
    )
