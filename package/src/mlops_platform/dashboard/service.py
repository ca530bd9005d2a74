"""Tiles of the endpoint: errors and availability."""

from __future__ import annotations

from dataclasses import replace

from mlops_platform.dashboard.facts import Facts
from mlops_platform.dashboard.model import NO_CHAMPION, SERVE
from mlops_platform.dashboard.states import Part, State, combine, of_alerts
from mlops_platform.dashboard.tiles import Tile

NOT_ASKED = "not asked"


def errors(tile: Tile, facts: Facts) -> State:
    """What the endpoint failed to answer or refused, since the last look."""
    if not facts.measured:
        return State(tile, "unknown", NOT_ASKED, NO_CHAMPION, facts.towards_a_champion)
    found = facts.measured["errors_per_minute"]
    if isinstance(found, str):
        once = facts.measured["down"] == 0
        return State(tile, "unknown", "asked once" if once else NOT_ASKED, found, _again(facts))
    parts = of_alerts(tile, facts.verdicts, f"uv run poe alerts --url {facts.url}")
    return combine(tile, f"{found:.3g} a minute", parts)


def availability(tile: Tile, facts: Facts) -> State:
    """Whether the endpoint answers, and how soon."""
    if not facts.measured:
        return State(tile, "unknown", NOT_ASKED, NO_CHAMPION, facts.towards_a_champion)
    down, seconds = facts.measured["down"], facts.measured["seconds_p95"]
    if isinstance(down, str):
        return State(tile, "unknown", NOT_ASKED, down, _again(facts))
    if down:
        figure, told = "does not answer", Part("warning", f"nobody answers at {facts.url}", SERVE)
    elif isinstance(seconds, str):
        figure, told = "answers", Part("good", seconds)
    else:
        figure, told = (
            f"{1000 * seconds:.3g} ms",
            Part("good", "within which 95 % of the answers came"),
        )
    # An idle endpoint has nothing to be slow with.
    idle = "" if down or not isinstance(seconds, str) else "seconds_p95"
    watched = replace(tile, measures=tuple(each for each in tile.measures if each != idle))
    ask = SERVE if down else f"uv run poe alerts --url {facts.url}"
    return combine(tile, figure, [told, *of_alerts(watched, facts.verdicts, ask)])


def _again(facts: Facts) -> str:
    return f"uv run poe dashboard --url {facts.url or 'http://127.0.0.1:8000'}"
