"""Commands that show how things are: cost, dashboard."""

# ruff: noqa: PLC0415

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_platform.cli.app import CONF, Conf, Json, app, print_json
from mlops_platform.cli.azure import azure
from mlops_platform.core import terminal

if TYPE_CHECKING:
    from mlops_platform.cost.prices import Price
    from mlops_platform.cost.spent import Champion, Spent

Url = Annotated[
    str | None, typer.Option(help="The running endpoint, such as http://127.0.0.1:8000.")
]


@app.command()
def dashboard(
    *,
    url: Url = None,
    every: Annotated[
        int | None, typer.Option(help="Look again after so many seconds, until Ctrl-C.", min=2)
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    conf: Conf = CONF,
    as_json: Json = False,
) -> None:
    """Write outputs/dashboard.html.

    It shows how progress, runs, endpoint, data, model and cost are now, and what to do next.
    """
    from mlops_platform import dashboard as tiles
    from mlops_platform import settings
    from mlops_platform.report import dashboard as page

    project = settings.load_project(conf)
    path = Path("outputs") / page.FILE
    while True:
        now = datetime.now(UTC)
        states = tiles.read(conf, url, now)
        page.write(project, states, path, now, every)
        if as_json:
            print_json([state.plain() for state in states])
        else:
            for state in states:
                terminal.out.print(state.line(), markup=False)
            terminal.out.print(str(path), markup=False)
        if open_it:
            typer.launch(str(path))
        if every is None:
            return
        open_it = False
        time.sleep(every)


@app.command()
def cost(url: Url = None, conf: Conf = CONF, as_json: Json = False) -> None:
    """Show what trainings, champion and predictions cost.

    Seconds are those of this machine; conf/cost.yml has the prices. In Azure, the same seconds on
    one node of the cluster.
    """
    from mlops_platform.alerts import scrape
    from mlops_platform.cost import prices, spent
    from mlops_platform.settings import load_project

    load_project(conf)
    settings, found = prices.read(conf)
    counters = scrape.read(url) if url else None
    endpoint = (counters.seconds, counters.rows) if counters else None
    lines = spent.read(conf, datetime.now(UTC), _champion(conf), endpoint)
    currency = settings.currency if settings else None
    missing = list(dict.fromkeys(price.missing for price in found if price.missing))
    if as_json:
        rows = [
            {"what": line.what, "seconds": line.seconds, "why": line.missing or None}
            | {"cost": {price.where: _money(price, line) for price in found}}
            for line in lines
        ]
        print_json({"currency": currency, "lines": rows, "missing": missing})
        return
    columns = ["", "seconds", *(f"{price.where}, {currency or 'no price'}" for price in found)]
    terminal.table("Cost", columns, [_row(line, found) for line in lines])
    for text in missing:
        terminal.log(text)


def price_lines(conf: Path, now: datetime) -> list[tuple[str, str]]:
    """The same in words, for a page."""
    from mlops_platform.cost import prices, spent

    settings, found = prices.read(conf)
    told = []
    for line in spent.read(conf, now, _champion(conf), None):
        known = [(price.where, _money(price, line)) for price in found]
        money = "; ".join(f"{where} {each:.4f}" for where, each in known if each is not None)
        currency = f" ({money} {settings.currency})" if settings and money else ""
        seconds = line.missing if line.seconds is None else f"{line.seconds:.1f} s"
        told.append((line.what, f"{seconds}{currency}"))
    return told


def _champion(conf: Path) -> Champion | None:
    from mlops_platform.cost.spent import Champion
    from mlops_platform.models import artifact
    from mlops_platform.serving import store
    from mlops_platform.tracking.experiments import has_store
    from mlops_platform.tracking.registry import Registry

    if not has_store(conf) or Registry(conf).holder("champion") is None:
        return None
    stored = store.fetch(conf, "champion")
    return Champion(stored.version, artifact.load_card(stored.folder).trained)


def _money(price: Price, line: Spent) -> float | None:
    return None if line.seconds is None else price.of(line.seconds)


def _row(line: Spent, found: list[Price]) -> list[str]:
    if line.seconds is None:
        return [line.what, line.missing]
    money = (_money(price, line) for price in found)
    shown = ("" if each is None else f"{each:.4f}" for each in money)
    return [line.what, f"{line.seconds:.2f}", *shown]


@azure.command()
def workbook() -> None:
    """Print infra/workbook.json.tftpl, the dashboard in Azure.

    The file is the template's; its limits come from conf/ when infra/ is applied.
    """
    from mlops_platform.dashboard import workbook as books

    terminal.out.print(books.text(), markup=False, end="", soft_wrap=True)
