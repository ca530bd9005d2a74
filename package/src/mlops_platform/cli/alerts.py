"""Commands that watch: alerts."""

# ruff: noqa: PLC0415

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mlops_platform.cli.app import CONF, Conf, Json, app, print_json
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError

if TYPE_CHECKING:
    from mlops_platform.alerts.config import Alert


@app.command()
def alerts(
    url: Annotated[
        str | None, typer.Option(help="The running endpoint, such as http://127.0.0.1:8000.")
    ] = None,
    form: Annotated[
        Literal["prometheus", "alertmanager"] | None,
        typer.Option("--as", help="Print the rules, or whom they reach, for other programs."),
    ] = None,
    conf: Conf = CONF,
    as_json: Json = False,
) -> None:
    """Say which alerts of conf/alerts.yml fire.

    Exit code 1 if one does. A rate needs two looks, so run it every few minutes.
    """
    from mlops_platform import settings
    from mlops_platform.alerts import config, prometheus

    found = config.load(conf)
    project = settings.load_project(conf).name
    if form is not None:
        text = (
            prometheus.rules(project, found, conf.parent / "docs")
            if form == "prometheus"
            else prometheus.routes(project, settings.load_team(conf))
        )
        terminal.out.print(text, markup=False, end="", soft_wrap=True)
        return
    _evaluate(conf, url, found, as_json=as_json)


def _evaluate(conf: Path, url: str | None, found: dict[str, Alert], *, as_json: bool) -> None:
    from mlops_platform import settings
    from mlops_platform.alerts import evaluate, look, runbook

    verdicts = look.take(conf, url, found, datetime.now(UTC)).verdicts
    if as_json:
        print_json([evaluate.plain(each) for each in verdicts])
    else:
        for each in verdicts:
            terminal.out.print(evaluate.line(each), markup=False)
    firing = [each for each in verdicts if each.word == "fires"]
    if firing:
        members, docs = settings.load_team(conf).roles, conf.parent / "docs"
        pages = {
            each.name: runbook.page_of(docs, each.name) or docs / runbook.PAGES[0]
            for each in firing
        }
        raise GateError(
            "\n".join(evaluate.told(each, members, pages[each.name].as_posix()) for each in firing)
        )
