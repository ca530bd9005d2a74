"""The newcomer's first command: start."""

# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mlops_platform.cli.app import CONF, app
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError

PAGES = Path("docs/roles")
HUB = "README"


@app.command()
def start(
    role: Annotated[
        str | None, typer.Argument(help="Such as data-scientist; asked for if not given.")
    ] = None,
) -> None:
    """Show the page of your role: what you answer for, and the first hour."""
    from mlops_platform import settings

    settings.load_project(CONF)
    roles = sorted(path.stem for path in PAGES.glob("*.md") if path.stem != HUB)
    if not roles:
        raise UsageError(
            f"{PAGES.as_posix()}: has no page. `uv run poe template-update` brings them to an "
            "older project."
        )
    name = (_asked(roles) if role is None else role).strip().lower().replace("_", "-")
    name = name.replace(" ", "-")
    if name not in roles:
        raise UsageError(f"{role or name}: no role has this name. Choose {_listed(roles)}.")
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8").partition("-->\n")[2].strip()
    if terminal.out.is_terminal:
        from rich.markdown import Markdown

        terminal.out.print(Markdown(text))
    else:
        terminal.out.print(text, markup=False)


def _asked(roles: list[str]) -> str:
    """The role that a person chooses, by number or name."""
    if not sys.stdin.isatty():
        raise UsageError(f"Name your role: `uv run poe start ROLE`, with {_listed(roles)}.")
    for number, name in enumerate(roles, start=1):
        terminal.log(f"{number}  {name.replace('-', ' ')}")
    chosen = str(typer.prompt("Who are you?", err=True)).strip()
    known = chosen.isdecimal() and 1 <= int(chosen) <= len(roles)
    return roles[int(chosen) - 1] if known else chosen


def _listed(roles: list[str]) -> str:
    return f"{', '.join(roles[:-1])} or {roles[-1]}"
