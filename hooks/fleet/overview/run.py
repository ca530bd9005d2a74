"""`fleet overview`: reads all projects in threads, then writes page, JSON or a few lines."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hooks.fleet.overview import assets, catalogue
from hooks.fleet.overview.page import page
from hooks.fleet.overview.read import Reader
from hooks.fleet.overview.row import Drift, Project
from hooks.fleet.rows import printable
from hooks.projects import HookError

SHAPE, STATUS_SHAPE = "overview/1", "fleet/1"


def read_all(
    places: Sequence[str], clones: Path, jobs: int, show: Callable[[Project], None], now: datetime
) -> list[Project]:
    """The rows of all projects, in the order of `places`."""
    reader = Reader(clones, now)
    assets.rendered()  # once, before the threads
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(reader.read, place): place for place in places}
        rows: dict[str, Project] = {}
        try:
            for future in as_completed(waiting):
                rows[waiting[future]] = future.result()
                show(rows[waiting[future]])
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    return [rows[place] for place in places]


def with_status(projects: Sequence[Project], file: Path | None) -> list[Project]:
    """The rows with what `fleet status --json` wrote to a file; unknown for a project not in it.

    Raises:
        HookError: the file is not of that kind.
    """
    if file is None:
        return list(projects)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["shape"] != STATUS_SHAPE:
            raise ValueError
        found = {
            row["place"]: Drift(str(row["state"]), len(row["drift"]), len(row["conflicts"]))
            for row in content["projects"]
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise HookError(
            f"{file}: is not what `python -m hooks fleet status --json` prints. Write it again: "
            f"`python -m hooks fleet status --list FILE --json > {file.name}`."
        ) from None
    return [replace(each, update=found.get(each.place)) for each in projects]


def report(
    projects: Sequence[Project], *, html: Path | None, status: bool, as_json: bool, now: datetime
) -> None:
    """Write the page, and print JSON or a few lines.

    Raises:
        HookError: the page cannot be written.
    """
    if html is not None:
        try:
            html.write_text(page(projects, now, status=status), encoding="utf-8", newline="\n")
        except OSError as error:
            raise HookError(f"{html}: the page cannot be written ({error.strerror}).") from None
    if as_json:
        print(json.dumps(plain(projects, now), indent=2, default=date.isoformat))
        return
    for line in _lines(projects, now.date()):
        print(printable(line))


def plain(projects: Sequence[Project], now: datetime) -> dict[str, Any]:
    """All of it for machines; `shape` holds the version of the format."""
    rows = [asdict(each) for each in projects]
    for row in rows:
        del row["copies"]  # only what several have is of interest
    return {
        "shape": SHAPE,
        "made": now.astimezone(UTC).isoformat(timespec="seconds"),
        "projects": rows,
        "assets": {
            kind: [asdict(each) for each in entries]
            for kind, entries in catalogue.assets(projects).items()
        },
        "candidates": [asdict(each) for each in catalogue.candidates(projects)],
        "maturity": catalogue.maturity(projects),
        "versions": catalogue.versions(projects),
        "stages": catalogue.stages(projects),
        "cost": asdict(catalogue.costs(projects)),
    }


def _lines(projects: Sequence[Project], today: date) -> list[str]:
    def counts(title: str, found: dict[str, int]) -> str:
        return f"{title:<10} {', '.join(f'{name}: {number}' for name, number in found.items())}"

    waiting = catalogue.waiting(projects, today)
    over = sum(each.until is not None and each.until < today for each in waiting)
    shared = sum(
        each.origin not in catalogue.GIVEN
        for kind, entries in catalogue.assets(projects).items()
        for each in catalogue.shared(kind, entries)
    )
    lines = [f"{each.place}: {text}" for each in projects for text in each.problems]
    return [
        *lines,
        counts("maturity", catalogue.maturity(projects)),
        counts("stages", catalogue.stages(projects)),
        counts("versions", catalogue.versions(projects)),
        f"{'pending':<10} {len(waiting)} decisions, {over} over",
        f"{'assets':<10} {shared} shared, {len(catalogue.candidates(projects))} could be",
        f"{len(projects)} projects: {summary(projects)}",
    ]


def summary(projects: Sequence[Project]) -> str:
    """The number of projects in each state."""
    states = [each.state for each in projects]
    known = ("read", "in part", "failed")
    return ", ".join(f"{states.count(each)} {each}" for each in known if each in states)
