"""The commands, nothing else. Each imports what it needs when it runs, so that help is quick.

Exit codes: 0 passed, 1 a gate failed, 2 wrong use.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import click
import typer

from . import terminal
from .errors import GateFailed, UsageError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, gate, serve and watch the model of this project.",
)

Conf = Annotated[Path, typer.Option(help="Folder of settings.")]
In = Annotated[Path, typer.Option(help="Folder or file to read.")]
Out = Annotated[Path, typer.Option(help="Folder to write evidence to.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Why = Annotated[str, typer.Option(help="The reason, kept with the version.")]
CONF = Path("conf")
STEPS = "Steps of the pipelines"


def main() -> NoReturn:
    """Run the command line and end the process."""
    try:
        invoke(sys.argv[1:])
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        terminal.say("stopped")
        sys.exit(130)
    except GateFailed as error:
        terminal.say(f"FAILED  {error}")
        sys.exit(1)
    except UsageError as error:
        terminal.say(f"ERROR  {error}")
        sys.exit(2)
    sys.exit(0)


def invoke(arguments: list[str]) -> None:
    """Run one command in this process; faults are raised."""
    code = typer.main.get_command(app).main(arguments, prog_name="mlops", standalone_mode=False)
    if code:
        raise UsageError(f"`mlops {' '.join(arguments)}` is not a command; see `mlops --help`.")


@app.command(rich_help_panel=STEPS)
def validate(raw: In, out: Out, conf: Conf = CONF) -> None:
    """Hold the raw data against the contract in conf/data.yml."""
    from .steps import validate as step

    step.run(conf, raw, out)


@app.command(rich_help_panel=STEPS)
def prepare(raw: In, validated: In, out: Out, conf: Conf = CONF) -> None:
    """Split the data into train, validation and test."""
    from .steps import prepare as step

    step.run(conf, raw, out)


@app.command(rich_help_panel=STEPS)
def train(data: In, model: Out, out: Out, trigger: str = "manual", conf: Conf = CONF) -> None:
    """Fit the model and hold it against a constant baseline."""
    from .steps import train as step

    step.run(conf, data, model, out, trigger)


@app.command(rich_help_panel=STEPS)
def evaluate(data: In, model: In, out: Out, conf: Conf = CONF) -> None:
    """Measure the model on the test set."""
    from .steps import evaluate as step

    step.run(conf, data, model, out)


@app.command(rich_help_panel=STEPS)
def compare(data: In, model: In, evaluation: In, out: Out, conf: Conf = CONF) -> None:
    """Compare the new model with the champion."""
    from .steps import compare as step

    step.run(conf, data, model, evaluation, out)


@app.command(rich_help_panel=STEPS)
def register(model: In, evaluation: In, comparison: In, out: Out, conf: Conf = CONF) -> None:
    """Register the model as challenger, or as rejected."""
    from .steps import register as step

    step.run(conf, model, evaluation, comparison, out)


@app.command()
def run(
    pipeline: Annotated[Path, typer.Argument(help="A pipeline's YAML file.")],
    inputs: Annotated[
        list[str] | None, typer.Option("--input", help="NAME=VALUE in place of an input's own.")
    ] = None,
    process_per_step: Annotated[bool, typer.Option(help="A process for each step.")] = False,
    as_json: Json = False,
) -> None:
    """Run a pipeline on this machine."""
    from . import local, summary

    overrides: dict[str, str] = {}
    for given in inputs or []:
        name, equals, value = given.partition("=")
        if not equals:
            raise UsageError(f"--input {given}: write NAME=VALUE.")
        overrides[name] = value
    folders = local.run(
        pipeline,
        root=Path.cwd(),
        invoke=invoke,
        overrides=overrides,
        process_per_step=process_per_step,
    )
    if as_json:
        _print_json(summary.evidence_of(folders))
    else:
        summary.show(folders)


@app.command()
def promote(
    version: Annotated[str | None, typer.Argument(help="Default: the challenger.")] = None,
    why: Why = "promoted by hand",
    by: Annotated[str | None, typer.Option(help="Who decides. Default: you.")] = None,
    conf: Conf = CONF,
) -> None:
    """Make the challenger champion."""
    from . import registry

    made = registry.Registry(conf).promote(version, why, by or registry.current_user())
    terminal.out.print(f"version {made.number} is champion now")


@app.command()
def rollback(
    why: Annotated[str, typer.Option(help="The reason, kept with the version.", prompt=True)],
    by: Annotated[str | None, typer.Option(help="Who decides. Default: you.")] = None,
    conf: Conf = CONF,
) -> None:
    """Give the role of champion back to the one before."""
    from . import registry

    restored, failed = registry.Registry(conf).rollback(why, by or registry.current_user())
    terminal.out.print(
        f"version {restored.number} is champion again, version {failed.number} is rolled back"
    )


@app.command()
def models(conf: Conf = CONF, as_json: Json = False) -> None:
    """List the versions of the model and their roles."""
    from .registry import Registry

    registry = Registry(conf)
    versions = registry.versions()
    if as_json:
        _print_json([{"version": v.number, "run_id": v.run_id, **v.tags} for v in versions])
        return
    rows = [
        [v.number, v.role, v.since[:16], v.tags.get("role_by", ""), v.tags.get("role_why", "")]
        for v in versions
    ]
    terminal.table(f"Versions of {registry.name}", ["", "role", "since", "by", "why"], rows)


def _print_json(content: Any) -> None:
    terminal.out.print(json.dumps(content, indent=2), markup=False)
