"""The page of `fleet overview --html`: one file in the report's style, no script, no request."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import jinja2
from markupsafe import Markup, escape
from mlops_platform.core.text import pluralize
from mlops_platform.report import templates

from hooks.fleet.overview import catalogue
from hooks.fleet.overview.pending import SOON
from hooks.fleet.overview.row import Project
from hooks.fleet.rows import printable

MOST = 20  # rows of a table, and names in a cell; --json has all
MOST_WAITING = 30
STATES = ("failed", "in part", "read")  # what a person has to look at comes first


@dataclass(frozen=True)
class Bar:
    """A line of a histogram: `width` is in hundredths of the longest."""

    label: str
    number: int
    width: float


def page(projects: Sequence[Project], now: datetime, *, status: bool) -> str:
    """The whole page; all text from projects is escaped.

    `status` adds a column with what `fleet status` found.
    """
    today = now.date()
    waiting = catalogue.waiting(projects, today)
    versions = catalogue.versions(projects)
    maturity = {
        catalogue.level_name(level): number
        for level, number in catalogue.maturity(projects).items()
    }
    return _template().render(
        made=now.astimezone(UTC).strftime("%A, %d %B %Y, %H:%M UTC"),
        projects=sorted(projects, key=lambda each: STATES.index(each.state)),
        failed=sum(each.state == "failed" for each in projects),
        in_part=sum(each.state == "in part" for each in projects),
        behind=[each.behind for each in projects if each.behind is not None],
        unlisted=sum(each.version is not None and each.newest is None for each in projects),
        maturity=_bars(maturity),
        measured=sum(each.maturity is not None for each in projects),
        dimensions=catalogue.dimensions(projects),
        stages=_bars(catalogue.stages(projects)),
        versions=_bars(versions),
        waiting=waiting,
        over=sum(_is_over(each.until, today) for each in waiting),
        urgency=lambda until: _urgency(until, today),
        assets=[
            (kind, entries, catalogue.shared(kind, entries))
            for kind, entries in catalogue.assets(projects).items()
        ],
        candidates=catalogue.candidates(projects),
        costs=catalogue.costs(projects),
        status=status,
        most=MOST,
        most_waiting=MOST_WAITING,
        project_assets=_project_assets,
    )


def _template() -> jinja2.Template:
    here, styles = Path(__file__).parent, Path(templates.__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([here, styles]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = printable
    environment.filters["markdown"] = _code
    environment.filters["known"] = lambda value: catalogue.UNKNOWN if value is None else value
    environment.filters["plural"] = pluralize
    environment.filters["money"] = lambda number: f"{number:,.0f}"
    return environment.get_template("page.html")


def _code(text: str) -> Markup:
    """Escape text and turn backticks into `<code>`."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def _bars(counts: dict[str, int]) -> list[Bar]:
    longest = max(counts.values(), default=0) or 1
    return [
        Bar(label, number, round(100 * number / longest, 1)) for label, number in counts.items()
    ]


def _is_over(until: date | None, today: date) -> bool:
    return until is not None and until < today


def _urgency(until: date | None, today: date) -> tuple[str, str]:
    """A word for a day, and its tone."""
    if until is None:
        return "no day", "warn"
    if until < today:
        return "over", "bad"
    return ("soon", "look") if until <= today + SOON else ("later", "good")


def _project_assets(project: Project) -> int:
    """How many assets a project has or uses that are not the template's."""
    return sum(each.origin not in catalogue.GIVEN for each in project.assets)
