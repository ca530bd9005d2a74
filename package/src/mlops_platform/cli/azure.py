"""Azure Machine Learning, from conf/ and the files in pipelines/ and azureml/."""

# ruff: noqa: PLC0415

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mlops_platform.cli.app import CONF, Conf, Json, Why, print_json
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.core.names import Environment

azure = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Train, deploy and watch in Azure ML."
)

Env = Annotated[Environment, typer.Option("--env", help="Whose settings: conf/<env>.yml.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the commands, change nothing.")]
Asked = Annotated[str, typer.Argument(help="A version's number, challenger or champion.")]


@azure.command()
def render() -> None:
    """Write the files of azureml/ that follow from conf/."""
    from mlops_platform.azure import render as rendering

    written = rendering.write(Path.cwd())
    for path in written:
        terminal.out.print(f"wrote {path}", markup=False)
    if not written:
        terminal.out.print("all files of azureml/ agree with conf/", markup=False)


@azure.command()
def environments() -> None:
    """Export uv.lock, with hashes, for the images that Azure ML builds."""
    from mlops_platform.azure import environments as exporting

    exported = exporting.export(Path())
    for folder in exported.folders.values():
        terminal.out.print(f"wrote {folder / 'requirements.txt'}", markup=False)
    terminal.out.print(f"version {exported.version}", markup=False)


@azure.command()
def setup(env: Env = "dev", dry_run: DryRun = False, conf: Conf = CONF) -> None:
    """Make cluster, data asset and endpoints where they are missing."""
    from mlops_platform.azure import place, setup

    setup.run(place.load(conf, env, dry_run=dry_run))


@azure.command()
def submit(
    *,
    pipeline: Annotated[Path, typer.Argument(help="A job's YAML file.")],
    inputs: Annotated[
        list[str] | None, typer.Option("--input", help="NAME=VALUE in place of an input's own.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until the job is over.")] = True,
    again: Annotated[bool, typer.Option(help="Also when the same has completed.")] = False,
    env: Env = "dev",
    dry_run: DryRun = False,
    conf: Conf = CONF,
) -> None:
    """Run a pipeline in Azure ML."""
    from mlops_platform.azure import place, submit

    given = [text.partition("=") for text in inputs or []]
    for name, equals, _ in given:
        if not equals:
            raise UsageError(f"--input {name}: write NAME=VALUE.")
    overrides = {name: value for name, _, value in given}
    where = place.load(conf, env, dry_run=dry_run)
    submit.run(where, pipeline, overrides, wait=wait, again=again)


@azure.command()
def retrain(
    why: Annotated[str, typer.Option(help="A person's reason: trains at any time.")] = "",
    event: Annotated[str, typer.Option(help="What a machine saw: trains within the limits.")] = "",
    env: Env = "dev",
    dry_run: DryRun = False,
    conf: Conf = CONF,
) -> None:
    """Train a challenger; for an event only as often as conf/train.yml allows."""
    from mlops_platform.azure import place, retrain

    retrain.run(place.load(conf, env, dry_run=dry_run), why, event)


@azure.command()
def candidate(env: Env = "dev", conf: Conf = CONF) -> None:
    """Say which version is to be delivered; in CI, the jobs after this one get it as `version`."""
    from mlops_platform.azure import candidate, place
    from mlops_platform.delivery import job_page

    found = candidate.find(place.load(conf, env, dry_run=False))
    job_page.value("version", found.number if found else "")
    said = "nothing is to be delivered"
    if found:
        said = f"version {found.number}, challenger since {found.since}, is to be delivered"
    terminal.out.print(said, markup=False)


@azure.command()
def ethics(version: Asked, env: Env = "dev", conf: Conf = CONF, as_json: Json = False) -> None:
    """Bring a version's evidence here, and hold it against conf/ethics.yml."""
    from mlops_platform.azure import outputs, place
    from mlops_platform.cli.ethics import OUTPUTS, hold

    where = place.load(conf, env, dry_run=False)
    number = outputs.bring(where, version, OUTPUTS)
    terminal.say(f"version {number}: its evidence is in {OUTPUTS}")
    os.environ["MLFLOW_TRACKING_URI"] = outputs.store(where)
    hold(conf, as_json=as_json)


@azure.command()
def share(version: Asked, env: Env = "dev", dry_run: DryRun = False, conf: Conf = CONF) -> None:
    """Copy a version into the registry, for staging and production."""
    from mlops_platform.azure import place, share

    share.run(place.load(conf, env, dry_run=dry_run), version)


@azure.command()
def deploy(version: Asked, env: Env = "dev", dry_run: DryRun = False, conf: Conf = CONF) -> None:
    """Put a version behind the endpoints, without traffic."""
    from mlops_platform.azure import deploy, place

    deploy.run(place.load(conf, env, dry_run=dry_run), version)


@azure.command()
def contracts(env: Env = "dev", dry_run: DryRun = False, conf: Conf = CONF) -> None:
    """Ask whether the deployed version fits: the delivered file, and who reads its answers."""
    from mlops_platform.azure import contracts, place

    contracts.run(place.load(conf, env, dry_run=dry_run))


@azure.command()
def rollout(
    *,
    hold: Annotated[float, typer.Option(help="Seconds at each step.", min=0)] = 0,
    check: Annotated[
        str | None, typer.Option(help="A command that each gate runs; 0 passes.")
    ] = None,
    abort: Annotated[bool, typer.Option("--abort", help="Give all traffic back.")] = False,
    env: Env = "dev",
    dry_run: DryRun = False,
    conf: Conf = CONF,
) -> None:
    """Bring the deployed version to the requests: mirror, 10, 50, 100 %."""
    from mlops_platform.azure import place, rollout

    where = place.load(conf, env, dry_run=dry_run)
    if abort:
        rollout.abort(where)
    else:
        rollout.run(where, rollout.Plan(hold, check))


@azure.command()
def rollback(why: Why, env: Env = "dev", dry_run: DryRun = False, conf: Conf = CONF) -> None:
    """Bring back the version that served before."""
    from mlops_platform.azure import place, rollback

    rollback.run(place.load(conf, env, dry_run=dry_run), why)


@azure.command()
def schedules(
    *,
    file: Annotated[
        Path | None, typer.Argument(help="One file; all that belong there if left out.")
    ] = None,
    env: Env = "dev",
    dry_run: DryRun = False,
    conf: Conf = CONF,
) -> None:
    """Start retraining (in dev) and the monitor, or bring them up to date."""
    from mlops_platform.azure import place, schedules

    schedules.run(place.load(conf, env, dry_run=dry_run), file)


@azure.command()
def status(env: Env = "dev", conf: Conf = CONF, as_json: Json = False) -> None:
    """Show what serves."""
    from mlops_platform.azure import place, status

    found = status.run(place.load(conf, env, dry_run=False))
    if as_json:
        print_json(found)
        return
    for title, listed in (("Deployments", "deployments"), ("Versions", "versions")):
        columns = list(found[listed][0]) if found[listed] else ["none"]
        rows = [[str(value) for value in row.values()] for row in found[listed]]
        terminal.table(f"{title} in {env}", columns, rows)
