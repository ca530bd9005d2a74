"""Each alert has a section in a page of docs/: what it means, where to look, what to do.

The team's runbook comes first; docs/alerts.md has the alerts that the template begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import unreadable

HEADING = re.compile(r"^(#{2,4}) (.+?)\s*$", re.MULTILINE)
PAGES = ("runbook.md", "alerts.md")
PARTS = {"Means": "what the alert means", "Look": "where to look", "Do": "what to do"}
UNWRITTEN = re.compile(r"\bTODO\b|^\W*$")


def page_of(docs: Path, name: str) -> Path | None:
    """The page that has the section of an alert; None without one."""
    return next((docs / page for page in PAGES if name in _sections(docs / page)), None)


def require_written(docs: Path, alerts: Iterable[str]) -> None:
    """Check that each alert has a written section.

    Raises:
        UsageError: a line for each alert without a section, and each part that is not written.
    """
    problems = []
    for name in alerts:
        page = page_of(docs, name)
        if page is None:
            problems.append(
                f"{docs / PAGES[0]}: no section `### {name}` for this alert of conf/alerts.yml. "
                f"Add one, with lines that begin with {', '.join(f'`{part}:`' for part in PARTS)}."
            )
            continue
        section = _sections(page)[name]
        problems += [
            f"{page}, section `{name}`: `{part}:` is not written. Say {words}."
            for part, words in PARTS.items()
            if UNWRITTEN.search(_part(section, part))
        ]
    if problems:
        raise UsageError("\n".join(problems))


def _sections(page: Path) -> dict[str, str]:
    """The text below each heading of a page, up to the next one; none if there is no page.

    Raises:
        UsageError: the page is no text.
    """
    try:
        text = page.read_text(encoding="utf-8") if page.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(page, error) from None
    found = list(HEADING.finditer(text))
    ends = [*(each.start() for each in found), len(text)][1:]
    return {each[2]: text[each.end() : end] for each, end in zip(found, ends, strict=False)}


def _part(section: str, name: str) -> str:
    """What follows `Name:` at the beginning of a paragraph or of an item; empty without one."""
    pattern = rf"^(?:- )?\**{name}:\**(.*?)(?=\n\s*\n|\n- |\n(?:- )?\**(?:{'|'.join(PARTS)}):|\Z)"
    found = re.search(pattern, section, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""
