"""Reads one project: its row, whatever is wrong with its files."""

import math
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.cost.spent import month
from mlops_platform.maturity.levels import MARK
from mlops_platform.pipelines import journal
from mlops_platform.settings.cost import LOCAL
from mlops_platform.template.changelog import git_url
from mlops_platform.template.rendering import is_url
from packaging.version import InvalidVersion, Version

from hooks.fleet.clones import name_from_address
from hooks.fleet.overview import assets, pending
from hooks.fleet.overview.row import Cost, Maturity, Project
from hooks.fleet.overview.snapshot import Snapshot, take
from hooks.projects import (
    ANSWERS,
    HookError,
    RecordedAnswers,
    git,
    read_answers,
    release_tags,
    without_secrets,
)

PROJECT, COST, README = "conf/project.yml", "conf/cost.yml", "README.md"
LEVEL = re.compile(
    rf"^Maturity level (\d)\b.*?: (.*)\. Measured on (\d{{4}}-\d\d-\d\d)\. {re.escape(MARK)}",
    re.MULTILINE,
)
DESCRIBED = re.compile(r"-\d+-g[0-9a-f]+$")  # how Copier records a commit after a tag
NOT_COPIER = (
    f"not a Copier project, its last commit has no {ANSWERS}. "
    "`python -m hooks adopt` brings it under the template."
)


class Reader:
    """Reads projects in several threads; asks each template once for its releases."""

    def __init__(self, clones: Path, now: datetime) -> None:
        self._clones, self._now = clones, now
        self._releases: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def read(self, place: str) -> Project:
        """A project's row. Errors become a row with the reason."""
        started = time.perf_counter()
        row = Project(without_secrets(place), name_from_address(place))
        try:
            row = self._read(place, row)
        except Exception as error:  # an error in one project must not stop the others
            known = isinstance(error, HookError | UsageError)
            said = str(error) if known else f"{type(error).__name__}: {error}"
            row = replace(row, state="failed", problems=[said])
        row = replace(row, seconds=round(time.perf_counter() - started, 3))
        tidy = [without_secrets(" ".join(each.split())) for each in dict.fromkeys(row.problems)]
        return replace(row, problems=tidy)

    def _read(self, place: str, row: Project) -> Project:
        snapshot = take(place, self._clones)
        paths = (ANSWERS, PROJECT, COST, README, *pending.PATHS, *assets.paths(snapshot))
        snapshot.load(paths)
        if ANSWERS not in snapshot.hashes:
            raise HookError(f"{snapshot.folder}: {NOT_COPIER}")
        row = replace(row, commit=snapshot.commit)
        if (recorded := _answers(snapshot)) is not None:
            row = self._with_template(row, recorded, snapshot)
        content = snapshot.mapping(PROJECT) or {}
        stage, model = (_word(snapshot, content, name) for name in ("stage", "name"))
        row = replace(
            row,
            package=assets.package(snapshot),
            stage="stopped" if pending.stopped(snapshot) else stage,
            maturity=_maturity(snapshot.text(README)),
            pending=pending.find(snapshot, stage, self._now.date()),
            cost=_cost(snapshot, self._now),
            assets=assets.find(snapshot, model),
            copies=assets.copies(snapshot),
            problems=snapshot.problems,
        )
        return replace(row, state="in part" if snapshot.problems else "read")

    def _with_template(
        self, row: Project, recorded: RecordedAnswers, snapshot: Snapshot
    ) -> Project:
        with self._lock:  # the first one asks, the others wait for its answer
            if recorded.source not in self._releases:
                self._releases[recorded.source] = _releases(recorded.source)
            releases = self._releases[recorded.source]
        return replace(
            row,
            name=recorded.text("project_name") or row.name,
            template=without_secrets(recorded.source),
            version=recorded.commit,
            newest=releases[-1] if releases else None,
            behind=_behind(recorded.commit, releases),
            team=recorded.text("team") or None,
        )


def _answers(snapshot: Snapshot) -> RecordedAnswers | None:
    text = snapshot.text(ANSWERS)
    if text is None:
        return None
    try:
        return read_answers(text, ANSWERS)
    except (HookError, RecursionError) as error:
        snapshot.problems.append(str(error))
        return None


def _releases(source: str) -> tuple[str, ...]:
    """The template's releases, oldest first; none if it cannot be asked."""
    address = git_url(source) if is_url(source) else str(Path(source).expanduser())
    try:
        listed = git(Path.cwd(), "ls-remote", "--quiet", "--tags", "--refs", "--", address)
    except HookError:
        return ()
    return release_tags(line.rpartition("refs/tags/")[2] for line in listed.splitlines())


def _behind(recorded: str, releases: tuple[str, ...]) -> int | None:
    """How many releases are newer; None if the recorded commit does not say its release."""
    try:
        mine = Version(DESCRIBED.sub("", recorded))
    except InvalidVersion:
        return None
    return sum(Version(each) > mine for each in releases) if releases else None


def _word(snapshot: Snapshot, content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is None or isinstance(value, str):
        return value
    snapshot.fail(PROJECT, name, "a word")
    return None


def _maturity(readme: str | None) -> Maturity | None:
    """The level that was measured last; None before the first time."""
    match = LEVEL.search(readme or "")
    if match is None:
        return None
    parts = (part.rpartition(" ") for part in match[2].split(", "))
    dimensions = {name: int(level) for name, _, level in parts if level.isdecimal()}
    try:
        measured = date.fromisoformat(match[3])
    except ValueError:
        return None
    return Maturity(int(match[1]), dimensions, measured)


def _cost(snapshot: Snapshot, now: datetime) -> Cost:
    """Budgets from conf/; seconds only from a work tree whose pipelines ran here."""
    content = snapshot.mapping(COST) or {}
    infra = {
        path: (snapshot.mapping(path) or {}).get("infra") or {} for path in assets.ENVIRONMENTS
    }
    budgets = [_number(snapshot, path, "infra", each, "budget") for path, each in infra.items()]
    known = [each for each in budgets if each is not None]
    machines = content.get("machines") or {}
    machine = (machines.get(LOCAL) or {}) if isinstance(machines, dict) else machines
    hour = _number(snapshot, COST, "machines", machine, "hour")
    currency, seconds = content.get("currency"), _seconds(snapshot, now)
    return Cost(
        azure=sum(known) if known else None,
        machine=_number(snapshot, COST, "budget", content, "budget"),
        currency=currency if isinstance(currency, str) else None,
        seconds=seconds,
        spent=None if seconds is None or hour is None else seconds / 3600 * hour,
    )


def _seconds(snapshot: Snapshot, now: datetime) -> float | None:
    """What the steps took in this month, on this machine; None if none ran here."""
    try:
        entries = journal.read(snapshot.folder)
    except UsageError as error:
        snapshot.problems.append(str(error))
        return None
    return month(entries, now) if entries else None


def _number(snapshot: Snapshot, path: str, field: str, content: Any, name: str) -> float | None:
    """A number among settings; None if there is none."""
    if not isinstance(content, dict):
        snapshot.fail(path, field, "`key: value` lines")
        return None
    value = content.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        snapshot.fail(path, name, "a number")
        return None
    return float(value)
