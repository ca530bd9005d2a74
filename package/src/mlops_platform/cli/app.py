"""The app, and the options that several commands have in common."""

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
    help="Train, validate, serve and monitor the model of this project.",
)

Conf = Annotated[Path, typer.Option(help="Folder of settings.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Why = Annotated[str, typer.Option(help="The reason, kept with the version.")]
Served = Annotated[str, typer.Option(help="A version's number, or champion.")]
CONF = Path("conf")
TRAIN = Path("pipelines/train.yml")


def invoke(arguments: list[str]) -> None:
    """Run one command in this process; errors are raised."""
    try:
        app(arguments, prog_name="mlops")
    except SystemExit as end:
        if end.code == 130:
            raise KeyboardInterrupt from None
        if end.code:
            raise UsageError(f"`mlops {' '.join(arguments)}` is not a valid command.") from None


def parse_pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    """Parse the NAME=VALUE texts of an option."""
    values: dict[str, str] = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{option} {text}: write NAME=VALUE.")
        values[name] = value
    return values


def print_json(content: Any) -> None:
    """Print a command's result as JSON."""
    terminal.out.print(json.dumps(content, indent=2), markup=False)
