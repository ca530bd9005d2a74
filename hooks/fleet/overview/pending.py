"""Decisions that wait for a person: a stage without one, and what ends by itself."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from hooks.fleet.overview.row import Pending
from hooks.fleet.overview.snapshot import Snapshot

SOON = timedelta(days=30)
STAGE = "conf/stage.yml"
DECIDED = ("develop", "operate")  # explore is where each project begins


class Term(NamedTuple):
    """A list in conf/ whose items end on a day; `always` are shown, others from SOON before it."""

    path: str
    items: str
    name: str
    until: str
    says: str
    always: bool = False


TERMS = (
    Term("conf/forks.yml", "forks", "path", "until", "keeps its own `{}`"),
    Term("conf/patches.yml", "patches", "package", "until", "takes a newer `{}`"),
    Term("conf/maturity.yml", "signed", "fact", "until", "`{}` is signed"),
    Term("conf/ethics.yml", "waivers", "check", "expires", "fails `{}`", always=True),
)
PATHS = (STAGE, *(term.path for term in TERMS))


def find(snapshot: Snapshot, stage: str | None, today: date) -> list[Pending]:
    """All of a project, the most urgent first."""
    found = list(_of_stage(snapshot, stage))
    for term in TERMS:
        content = snapshot.mapping(term.path) or {}
        found += [
            each
            for each in _ending(snapshot, term, content.get(term.items))
            if term.always or (each.until and each.until <= today + SOON)
        ]
    return sorted(found, key=lambda each: (each.until or today, each.what))


def stopped(snapshot: Snapshot) -> bool:
    """Whether the last decision was to stop."""
    return (_last(snapshot) or {}).get("to") == "stop"


def _of_stage(snapshot: Snapshot, stage: str | None) -> Iterator[Pending]:
    """Criteria despite which the project goes on; a stage that nobody decided."""
    content = snapshot.mapping(STAGE)
    if content is not None and not isinstance(content.get("decisions"), list):
        snapshot.fail(STAGE, "decisions", "a list")
        return
    last = _last(snapshot)
    if last is None:
        if stage in DECIDED and (content is not None or STAGE not in snapshot.hashes):
            yield Pending(f"is in `{stage}`, and nobody has decided so")
        return
    term = Term(STAGE, "despite", "criterion", "until", "goes on despite `{}`")
    yield from _ending(snapshot, term, last.get("despite"))


def _last(snapshot: Snapshot) -> dict[str, Any] | None:
    decisions = (snapshot.mapping(STAGE) or {}).get("decisions")
    last = decisions[-1] if isinstance(decisions, list) and decisions else None
    return last if isinstance(last, dict) else None


def _ending(snapshot: Snapshot, term: Term, items: Any) -> Iterator[Pending]:
    if items is None:
        return
    if not isinstance(items, list):
        snapshot.fail(term.path, term.items, "a list")
        return
    for item in items:
        name, until = (
            (item.get(term.name), item.get(term.until)) if isinstance(item, dict) else (None, None)
        )
        until = until.date() if isinstance(until, datetime) else until
        if not isinstance(name, str) or not isinstance(until, date):
            snapshot.fail(term.path, term.items, f"`{term.name}` and a date `{term.until}` in each")
            return
        yield Pending(term.says.format(name), until)
