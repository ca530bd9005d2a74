"""The dashboard as a self-contained page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from mlops_platform import settings
from mlops_platform.core.files import write_text
from mlops_platform.core.text import pluralize
from mlops_platform.dashboard import State, Word
from mlops_platform.report import templates

FILE = "dashboard.html"
TONES: dict[Word, str] = {"good": "good", "unknown": "warn", "warning": "look", "bad": "bad"}
WIDTH, HEIGHT, EDGE = 120, 28, 3  # of a sparkline


def write(
    project: settings.Project,
    states: Sequence[State],
    path: Path,
    now: datetime,
    every: int | None = None,
) -> None:
    """Write the page to `path`, atomically; it loads itself again after `every` seconds."""
    report = path.with_name("report.html")
    write_text(path, render(project, states, now, every, report=report.is_file()))


def render(
    project: settings.Project,
    states: Sequence[State],
    now: datetime,
    every: int | None = None,
    *,
    report: bool = False,
) -> str:
    """Render the page as HTML; the same states at the same time give the same bytes."""
    return templates.load("dashboard.html").render(
        project=project,
        headline=_headline(states),
        tiles=[(state, _sentence(state.why), TONES[state.word], _spark(state)) for state in states],
        report=report,
        now=f"{now:%A, %d %B %Y, %H:%M} UTC",
        every=every,
    )


def _headline(states: Sequence[State]) -> tuple[str, str]:
    """How it is in a few words, and their tone."""
    words = [state.word for state in states]
    bad, warnings, unknown = (words.count(word) for word in ("bad", "warning", "unknown"))
    parts = [f"{bad} bad"] if bad else []
    parts += [pluralize(warnings, "warning")] if warnings else []
    parts += [f"{unknown} not known"] if unknown else []
    tone = "bad" if bad else "look" if warnings else "warn" if unknown else "good"
    return (", ".join(parts) or "All is well", tone)


def _sentence(text: str) -> str:
    """The text with a capital letter at its beginning, if that is not a file's name."""
    return text if "/" in text.partition(" ")[0] else text[:1].upper() + text[1:]


def _spark(state: State) -> list[tuple[float, float]]:
    """The points of the tile's history; none without one."""
    values = state.history.values if state.history else []
    if len(values) < 2:
        return []
    low, span = min(values), max(values) - min(values)
    step = (WIDTH - 2 * EDGE) / (len(values) - 1)
    height = HEIGHT - 2 * EDGE
    shares = [(value - low) / span if span else 0.5 for value in values]
    return [
        (round(EDGE + step * number, 1), round(HEIGHT - EDGE - height * share, 1))
        for number, share in enumerate(shares)
    ]
