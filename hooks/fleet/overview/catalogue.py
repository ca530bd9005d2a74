"""Counts over all projects: shared assets, candidates, histograms, what waits, cost."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from mlops_platform.maturity.facts import DIMENSIONS, HIGHEST, NAMES
from packaging.version import InvalidVersion, Version

from hooks.fleet.overview.row import Kind, Project

KINDS: tuple[Kind, ...] = get_args(Kind)
UNKNOWN = "unknown"
GIVEN = ("template", "azureml")  # azureml: Microsoft's own registry
STAGES = ("explore", "develop", "operate", "stopped")


@dataclass(frozen=True)
class Entry:
    """An asset, and the names of those who use it."""

    name: str
    origin: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class Copy:
    """A file that several projects hold with the same content: one could share it."""

    path: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class Waits:
    """A decision that is pending in a project."""

    project: str
    what: str
    until: date | None


def assets(projects: Sequence[Project]) -> dict[Kind, list[Entry]]:
    """The assets of each kind, the most used first; last what the template gives to everybody."""
    users: dict[Kind, dict[tuple[str, str], list[str]]] = {kind: {} for kind in KINDS}
    for project in projects:
        for each in project.assets:
            names = [project.name] if each.users is None else list(each.users)
            users[each.kind].setdefault((each.name, each.origin), []).extend(names)
    return {
        kind: sorted(
            (Entry(name, origin, tuple(sorted(names))) for (name, origin), names in found.items()),
            key=lambda entry: (entry.origin in GIVEN, -len(entry.users), entry.name),
        )
        for kind, found in users.items()
    }


def shared(kind: Kind, entries: Sequence[Entry]) -> list[Entry]:
    """Those that more than one uses; a model's consumer is another already."""
    least = 1 if kind == "models" else 2
    return [each for each in entries if len(each.users) >= least]


def candidates(projects: Sequence[Project]) -> list[Copy]:
    """Files with the same content in more than one project, the most frequent first."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for project in projects:
        for hashed, path in project.copies.items():
            found[hashed].append((path, project.name))
    several = [
        Copy(min(path for path, _ in places), tuple(sorted(name for _, name in places)))
        for places in found.values()
        if len(places) > 1
    ]
    return sorted(several, key=lambda each: (-len(each.users), each.path))


def maturity(projects: Iterable[Project], dimension: str | None = None) -> dict[str, int]:
    """How many projects have each level, overall or in one dimension."""
    levels = Counter(_level(each, dimension) for each in projects)
    return {str(level): levels[level] for level in range(HIGHEST + 1)} | {UNKNOWN: levels[None]}


def _level(project: Project, dimension: str | None) -> int | None:
    if project.maturity is None:
        return None
    if dimension is None:
        return project.maturity.overall
    return project.maturity.dimensions.get(dimension)


def dimensions(projects: Sequence[Project]) -> dict[str, dict[str, int]]:
    """How many projects have each level of each dimension."""
    return {name: maturity(projects, name) for name in DIMENSIONS}


def level_name(level: str) -> str:
    """A level as Microsoft's model calls it."""
    known = level.isdecimal() and int(level) in NAMES
    return f"{level}, {NAMES[int(level)]}" if known else "not measured"


def versions(projects: Iterable[Project]) -> dict[str, int]:
    """How many projects have each version of the template, the newest first."""
    return _counted((each.version for each in projects), _release, newest_first=True)


def stages(projects: Iterable[Project]) -> dict[str, int]:
    """How many projects are in each stage."""
    return _counted((each.stage for each in projects), _place)


def _counted(
    values: Iterable[str | None], order: Callable[[str], Any], *, newest_first: bool = False
) -> dict[str, int]:
    counts = Counter(UNKNOWN if value is None else value for value in values)
    unknown = {UNKNOWN: counts.pop(UNKNOWN)} if UNKNOWN in counts else {}
    return {
        name: counts[name] for name in sorted(counts, key=order, reverse=newest_first)
    } | unknown


def _release(version: str) -> tuple[Version, str]:
    """The release, and the commits after it; a text that names no release is older than all."""
    try:
        return Version(version.partition("-")[0]), version
    except InvalidVersion:
        return Version("0.dev0"), version


def _place(stage: str) -> tuple[int, str]:
    return (STAGES.index(stage) if stage in STAGES else len(STAGES)), stage


def waiting(projects: Sequence[Project], today: date) -> list[Waits]:
    """All decisions that are pending, the oldest first; those without a day last."""
    found = [
        Waits(project.name, each.what, each.until)
        for project in projects
        for each in project.pending
    ]
    return sorted(found, key=lambda each: (each.until or date.max, each.project, each.what))


@dataclass(frozen=True)
class Costs:
    """Sums of what is known: of a month's budgets in Azure, and by currency."""

    azure: float
    of_azure: int
    machines: dict[str, float]
    seconds: float
    of_seconds: int
    spent: dict[str, float]


def costs(projects: Sequence[Project]) -> Costs:
    """The sums, and of how many projects they are."""
    machines: dict[str, float] = defaultdict(float)
    spent: dict[str, float] = defaultdict(float)
    for each in (project.cost for project in projects):
        currency = each.currency or UNKNOWN
        if each.machine is not None:
            machines[currency] += each.machine
        if each.spent is not None:
            spent[currency] += each.spent
    azure = [each.cost.azure for each in projects if each.cost.azure is not None]
    seconds = [each.cost.seconds for each in projects if each.cost.seconds is not None]
    return Costs(sum(azure), len(azure), dict(machines), sum(seconds), len(seconds), dict(spent))
