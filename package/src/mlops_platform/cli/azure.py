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
    no_args_is_help=True, rich_markup_mode=None, help="Train, deploy and monitor in Azure ML."
)

Env = Annotated[
    Environment, typer.Option("--env", help="The environment; conf/<env>.yml has its settings.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the commands, change nothing.")]
VersionOrRole = Annotated[str, typer.Argument(help="A version's number, challenger or champion.")]


@azure.command()
def render() -> None:
    """Write the files of azureml/ from conf/."""
    from mlops_platform.azure import render as rendering

    written = rendering.write(Path.cwd())
    for path in written:
        terminal.out.print(f"wrote {path}", markup=False)
    if not written:
        terminal.out.print("all files of azureml/ are up to date with conf/", markup=False)


@azure.command()
def environments() -> None:
    """Export uv.lock for the images in Azure ML."""
    from mlops_platform.azure import environments as exporting

    exported = exporting.export(Path())
    for folder in exported.folders.values():
        terminal.out.print(f"wrote {folder / 'requirements.txt'}", markup=False)
    terminal.out.print(f"version {exported.version}", markup=False)


@azure.command()
def spark(
    size: Annotated[str, typer.Option(help="The machines.")] = "standard_e4s_v3",
    executors: Annotated[int, typer.Option(min=1, help="How many work; one more drives.")] = 2,
) -> None:
    """Write azureml/spark/, which validates and prepares on serverless Spark."""
    from mlops_platform.azure import spark_job

    for path in spark_job.write(Path(), size, executors):
        terminal.out.print(f"wrote {path}", markup=False)


@azure.command()
def setup(env: Env = "dev", dry_run: DryRun = False, conf: Conf = CONF) -> None:
    """Create cluster, data asset and endpoints."""
    from mlops_platform.azure import setup, target

    setup.run(target.load(conf, env, dry_run=dry_run))


@azure.command()
def submit(
    *,
    pipeline: Annotated[Path, typer.Argument(help="A job's YAML file.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", help="NAME=VALUE: replaces the value of an input."),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until the job has finished.")] = True,
    again: Annotated[bool, typer.Option(help="Submit a completed job again.")] = False,
    env: Env = "dev",
    dry_run: DryRun = False,
    conf: Conf = CONF,
) -> None:
    """Run a pipeline in Azure ML."""
    from mlops_platform.azure import submit, target

    given = [text.partition("=") for text in inputs or []]
    for name, equals, _ in given:
        if not equals:
            raise UsageError(f"--input {name}: write NAME=VALUE.")
    overrides = {name: value for name, _, value in given}
    where = target.load(conf, env, dry_run=dry_run)
    submit.run(where, pipeline, overrides, wait=wait, again=again)


@azure.command()
def retrain(
    why: Annotated[str, typer.Option(help="A person's reason: trains at any time.")] = "",
    event: Annotated[str, typer.Option(help="An automatic event: trains within the limits.")] = "",
    env: Env = "dev",
    dry_run: DryRun = False,
    conf: Conf = CONF,
) -> None:
    """Train a challenger in Azure ML.

    An event trains only as often as conf/train.yml allows.
    """
    from mlops_platform.azure import retrain, target

    retrain.run(target.load(conf, env, dry_run=dry_run), why, event)


@azure.command()
def candidate(env: Env = "dev", conf: Conf = CONF) -> None:
    """Print the version that can be delivered.

    In CI, later jobs get it as `version`.
    """
    from mlops_platform.azure import candidate, target
    from mlops_platform.delivery import job_page

    chosen = candidate.find(target.load(conf, env, dry_run=False))
    job_page.set_output("version", chosen.number if chosen else "")
    message = "no version to deliver"
    if chosen:
        message = f"version to deliver: {chosen.number}, challenger since {chosen.since}"
    terminal.out.print(message, markup=False)


@azure.command()
def ethics(
    version: VersionOrRole, env: Env = "dev", conf: Conf = CONF, as_json: Json = False
) -> None:
    """Check a version against conf/ethics.yml.

    Downloads the evidence of its training first.
    """
    from mlops_platform.azure import outputs, target
    from mlops_platform.cli.ethics import OUTPUTS, run_checks

    where = target.load(conf, env, dry_run=False)
    number = outputs.download(where, version, OUTPUTS)
    terminal.log(f"version {number}: its evidence is in {OUTPUTS}")
    os.environ["MLFLOW_TRACKING_URI"] = outputs.tracking_uri(where)
    run_checks(conf, as_json=as_json)


@azure.command()
def share(
    version: VersionOrRole, env: Env = "dev", dry_run: DryRun = False, conf: Conf = CONF
) -> None:
    """Copy a version into the registry.

    Staging and production use the versions there.
    """
    from mlops_platform.azure import share, target

    share.run(target.load(conf, env, dry_run=dry_run), version)


@azure.command()
def deploy(
    version: VersionOrRole, env: Env = "dev", dry_run: DryRun = False, conf: Conf = CONF
) -> None:
    """Deploy a version without traffic."""
    from mlops_platform.azure import deploy, target

    deploy.run(target.load(conf, env, dry_run=dry_run), version)


@azure.command()
def contracts(env: Env = "dev", dry_run: DryRun = False, conf: Conf = CONF) -> None:
    """Check upstream data and consumers.

    Uses the version that the next rollout would bring, else the one that serves.
    """
    from mlops_platform.azure import contracts, target

    contracts.run(target.load(conf, env, dry_run=dry_run))


@azure.command()
def rollout(
    *,
    hold: Annotated[float, typer.Option(help="Seconds to wait at each step.", min=0)] = 0,
    check: Annotated[
        str | None, typer.Option(help="A command that each gate runs; exit code 0 passes.")
    ] = None,
    abort: Annotated[
        bool, typer.Option("--abort", help="Return all traffic to the previous deployment.")
    ] = False,
    env: Env = "dev",
    dry_run: DryRun = False,
    conf: Conf = CONF,
) -> None:
    """Move traffic to the deployed version.

    Steps: mirror, 10, 50, 100 %.
    """
    from mlops_platform.azure import rollout, target

    where = target.load(conf, env, dry_run=dry_run)
    if abort:
        rollout.abort(where)
    else:
        rollout.run(where, rollout.Plan(hold, check))


@azure.command()
def rollback(why: Why, env: Env = "dev", dry_run: DryRun = False, conf: Conf = CONF) -> None:
    """Restore the version that served before."""
    from mlops_platform.azure import rollback, target

    rollback.run(target.load(conf, env, dry_run=dry_run), why)


@azure.command()
def schedules(
    *,
    file: Annotated[
        Path | None, typer.Argument(help="One file. Default: all that can run there.")
    ] = None,
    env: Env = "dev",
    dry_run: DryRun = False,
    conf: Conf = CONF,
) -> None:
    """Create or update schedules and monitors."""
    from mlops_platform.azure import schedules, target

    schedules.run(target.load(conf, env, dry_run=dry_run), file)


@azure.command()
def status(env: Env = "dev", conf: Conf = CONF, as_json: Json = False) -> None:
    """Show deployments, versions and roles."""
    from mlops_platform.azure import status, target

    state = status.run(target.load(conf, env, dry_run=False))
    if as_json:
        print_json(state)
        return
    for title, listed in (("Deployments", "deployments"), ("Versions", "versions")):
        columns = list(state[listed][0]) if state[listed] else ["none"]
        rows = [[str(value) for value in row.values()] for row in state[listed]]
        terminal.table(f"{title} in {env}", columns, rows)
