"""What all commands share: the app they belong to, and the options that they have in common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes and colours cost a third of the time of `--help`
    help="Train, gate, serve and watch the model of this project.",
)

Conf = Annotated[Path, typer.Option(help="Folder of settings.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Why = Annotated[str, typer.Option(help="The reason, kept with the version.")]
Served = Annotated[str, typer.Option(help="A version's number, or champion.")]
CONF = Path("conf")
TRAIN = Path("pipelines/train.yml")


def invoke(arguments: list[str]) -> None:
    """Run one command in this process; faults are raised."""
    try:
        app(arguments, prog_name="mlops")
    except SystemExit as end:
        if end.code == 130:
            raise KeyboardInterrupt from None
        if end.code:
            raise UsageError(f"`mlops {' '.join(arguments)}` is no command that works.") from None


def pairs(option: str, given: list[str] | None) -> dict[str, str]:
    """What an option was given as NAME=VALUE, by name."""
    named: dict[str, str] = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{option} {text}: write NAME=VALUE.")
        named[name] = value
    return named


def print_json(content: Any) -> None:
    """Print a command's result for machines."""
    terminal.out.print(json.dumps(content, indent=2), markup=False)
