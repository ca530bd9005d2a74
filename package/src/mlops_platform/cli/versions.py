"""Commands for the versions of the model and their runs."""

# ruff: noqa: PLC0415

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mlops_platform.cli.app import (
    CONF,
    TRAIN,
    Conf,
    Json,
    Why,
    app,
    invoke,
    parse_pairs,
    print_json,
)
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.paths import project_root
from mlops_platform.events import local

BY_HAND = "promoted manually"
STILL = "a running `poe serve` keeps its version until it is started again"


@app.command()
def promote(
    version: Annotated[str | None, typer.Argument(help="Default: the challenger.")] = None,
    why: Why = BY_HAND,
    by: Annotated[str | None, typer.Option(help="Who decides. Default: you.")] = None,
    conf: Conf = CONF,
) -> None:
    """Make the challenger champion.

    Its ethics checks must pass at this stage of the project.
    """
    from mlops_platform.ethics import release
    from mlops_platform.tracking.registry import Registry
    from mlops_platform.tracking.roles import FINDINGS, current_user

    registry = Registry(conf)
    registry.finish_promotion()
    chosen = registry.record_hash(registry.candidate(version))
    if chosen.tags.get(FINDINGS) and why == BY_HAND:
        raise UsageError(
            f"version {chosen.number} was registered with findings: {chosen.tags[FINDINGS]}. Look "
            "at them; if the model is right, promote it with the reason: --why REASON."
        )
    release.require_passed(conf, chosen)
    still = f"; {STILL}" if registry.holder("champion") else ""
    champion = registry.promote(chosen.number, why, by or current_user())
    local.deployed(project_root(conf), registry.name, champion.number)
    terminal.out.print(f"version {champion.number} is champion now{still}")
    _refresh_report(conf)


@app.command()
def rollback(
    why: Why,
    by: Annotated[str | None, typer.Option(help="Who decides. Default: you.")] = None,
    conf: Conf = CONF,
) -> None:
    """Make the previous champion champion again."""
    from mlops_platform.tracking.registry import Registry
    from mlops_platform.tracking.roles import current_user

    registry = Registry(conf)
    restored, failed = registry.rollback(why, by or current_user())
    local.deployed(project_root(conf), registry.name, restored.number)
    terminal.out.print(
        f"version {restored.number} is champion again, version {failed.number} is rolled back; "
        f"{STILL}"
    )
    _refresh_report(conf)


def _refresh_report(conf: Path) -> None:
    """Let the last run's report say the new role; the roles have changed, whatever it holds."""
    from mlops_platform.report import current

    try:
        current.refresh(conf, project_root(conf) / "outputs")
    except UsageError as error:
        terminal.log(f"the report still has the roles of before: {error}")


@app.command()
def quick(
    rows: Annotated[int, typer.Option(help="At most so many rows to fit.", min=10)] = 5_000,
    parameter: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE: replaces one in conf/train.yml.")
    ] = None,
    pipeline: Annotated[Path, typer.Option(help="The pipeline that names the data.")] = TRAIN,
    conf: Conf = CONF,
    as_json: Json = False,
) -> None:
    """Fit once on a sample of rows, to explore.

    The metric stands beside the baseline's. Nothing is written, recorded or registered.
    """
    import tempfile

    from mlops_platform.pipelines import load
    from mlops_platform.steps import prepare, train, validate

    raw = load(pipeline).inputs.get("raw")
    if not isinstance(raw, Path):
        raise UsageError(f"{pipeline}, field `inputs`: has no path `raw`, the data to train on.")
    with tempfile.TemporaryDirectory() as scratch:
        validate.run(conf, raw, Path(scratch))
        prepare.run(conf, raw, Path(scratch))
        found = train.try_once(
            conf, Path(scratch), rows, overrides=parse_pairs("--parameter", parameter)
        )
    if as_json:
        print_json(found._asdict())
        return
    decides = "" if found.threshold is None else f", threshold {found.threshold:.4g}"
    terminal.out.print(
        f"{found.metric} {found.value:.4f} on {found.checked} rows of the validation set, "
        f"a constant baseline has {found.baseline:.4f}{decides}\n"
        f"fitted once to {found.fitted} rows in {found.seconds:.1f} s; nothing was written, "
        "recorded or registered: `uv run poe pipeline` does that",
        soft_wrap=True,
    )
    for finding in found.findings:
        terminal.log(finding)


@app.command()
def models(conf: Conf = CONF, as_json: Json = False) -> None:
    """List versions of the model and their roles."""
    from mlops_platform.tracking.registry import Registry

    registry = Registry(conf)
    versions = registry.versions()
    if as_json:
        print_json([{"version": v.number, "run_id": v.run_id, **v.tags} for v in versions])
        return
    rows = [
        [v.number, v.role, v.since[:16], v.tags.get("role_by", ""), v.tags.get("role_why", "")]
        for v in versions
    ]
    terminal.table(f"Versions of {registry.name}", ["", "role", "since", "by", "why"], rows)


@app.command()
def runs(
    pick: Annotated[list[str] | None, typer.Argument(help="Runs to compare, by their id.")] = None,
    limit: Annotated[int, typer.Option(help="How many to list.", min=1)] = 20,
    conf: Conf = CONF,
    as_json: Json = False,
) -> None:
    """List runs, or compare the given ones."""
    from mlops_platform.tracking import experiments

    chosen = (
        [experiments.run(conf, name) for name in pick] if pick else experiments.runs(conf, limit)
    )
    if as_json:
        print_json([run.to_dictionary() for run in chosen])
    elif pick:
        facts = [{**run.data.tags, **run.data.params, **run.data.metrics} for run in chosen]
        names = sorted({name for fact in facts for name in fact if not name.startswith("mlflow.")})
        rows = [[name, *(_shown(fact.get(name)) for fact in facts)] for name in names]
        differing = [row for row in rows if len(set(row[1:])) > 1 or len(chosen) == 1]
        heads = [run.info.run_id[:8] for run in chosen]
        terminal.table("What differs", ["", *heads], differing)
    else:
        terminal.table("Runs", ["run", "when", "trigger", "outcome", "metrics"], _run_rows(chosen))


@app.command()
def reproduce(
    version: Annotated[str, typer.Argument(help="A version's number.")],
    pipeline: Annotated[Path, typer.Option(help="The pipeline that made it.")] = TRAIN,
    conf: Conf = CONF,
    as_json: Json = False,
) -> None:
    """Train a version again and compare.

    Metrics and predictions must be the same, bit for bit.
    """
    from mlops_platform.pipelines import reproduce as reproduction

    result = reproduction.run(conf, version, pipeline=pipeline, invoke=invoke)
    if as_json:
        print_json(result.model_dump())
    if not result.identical:
        raise GateError(
            f"version {version}, trained again, is not the same: {'; '.join(result.differences)}. "
            "Look for randomness without the seed, and for another processor or thread count."
        )
    if not as_json:
        terminal.out.print(
            f"version {version} is reproducible: metrics and predictions are the same bit for bit"
        )


def _run_rows(runs: list[Any]) -> list[list[str]]:
    rows = []
    for run in runs:
        start = datetime.fromtimestamp(run.info.start_time / 1000, tz=UTC)
        metrics = [
            f"{name.removeprefix('test_')} {value:.4f}"
            for name, value in sorted(run.data.metrics.items())
            if name.startswith("test_")
        ]
        tags = run.data.tags
        rows.append(
            [
                run.info.run_id[:8],
                f"{start:%Y-%m-%d %H:%M}",
                tags.get("trigger", ""),
                tags.get("outcome", run.info.status.lower()),
                ", ".join(metrics),
            ]
        )
    return rows


def _shown(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value if value is not None else "")
