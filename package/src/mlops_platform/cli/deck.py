"""The command for slides."""

# ruff: noqa: PLC0415

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_platform.cli.app import CONF, TRAIN, Conf, app
from mlops_platform.core import terminal

if TYPE_CHECKING:
    from mlops_platform.report.deck import Facts

OUTPUTS = Path("outputs")


@app.command()
def deck(
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    conf: Conf = CONF,
) -> None:
    """Write outputs/deck.html: ten slides for a sponsor, which a browser prints as PDF."""
    from mlops_platform.report import deck as slides

    path = OUTPUTS / slides.FILE
    slides.write(_facts(conf), path)
    terminal.out.print(str(path), markup=False)
    if open_it:
        typer.launch(str(path))


def _facts(conf: Path) -> Facts:
    from mlops_platform import dashboard, pipelines
    from mlops_platform.cli.dashboard import price_lines
    from mlops_platform.core.paths import project_root
    from mlops_platform.maturity import criteria, levels, measure
    from mlops_platform.maturity.sources import Sources
    from mlops_platform.report import card, collect, current
    from mlops_platform.report.deck import Facts
    from mlops_platform.settings import describe_stage, load_project

    project, now = load_project(conf), datetime.now(UTC)
    sources = Sources(project_root(conf), now.date())
    judged = criteria.judge_all(sources, criteria.next_of(project.stage))
    return Facts(
        project=project,
        texts=card.load_fields(conf),
        run=current.with_role(conf, collect.read_outputs(OUTPUTS)),
        tiles=dashboard.read(conf, None, now),
        steps=[step.name for step in pipelines.load(TRAIN).steps],
        prices=price_lines(conf, now),
        stage=describe_stage(conf, project.stage, sources.today),
        criteria=[(each.criterion.asks, each.state) for each in judged],
        maturity=levels.sentence(levels.of(measure.measure(sources))),
        today=sources.today,
    )
