"""This project and the standard that it follows."""

# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_platform.cli.app import Json, app, print_json
from mlops_platform.core import terminal
from mlops_platform.core.text import amount


@app.command()
def audit() -> None:
    """Are the files of CI safe, and is nothing in them missing?"""
    from mlops_platform.delivery import audit

    for line in audit.run(Path.cwd()):
        terminal.out.print(line, markup=False)


@app.command()
def eject() -> None:
    """Unpack the platform package into the project, to change its code."""
    from mlops_platform.template import eject as ejection

    folder = ejection.eject(Path.cwd()).relative_to(Path.cwd()).as_posix()
    terminal.out.print(
        f"{folder} is the platform package now. Run `uv lock`, change the code, commit. Template "
        "updates no longer reach it; docs/updating.md says how to keep it, and the way back.",
        markup=False,
    )


@app.command("template-check")
def template_check(
    template: Annotated[
        str | None, typer.Option(help="Where the template lies, if not where it was.")
    ] = None,
) -> None:
    """Do the managed files still follow the standard?"""
    from mlops_platform.template import conformance

    followed = conformance.check(Path.cwd(), template)
    terminal.out.print(f"all {followed} managed files follow the standard", markup=False)


@app.command("template-pull-request")
def template_pull_request() -> None:
    """Bring the standard's news as a pull request; a draft where a person has to decide."""
    from mlops_platform.template import request

    request.run(Path.cwd())


@app.command("template-update")
def template_update(
    data: Annotated[list[str] | None, typer.Option(help="NAME=VALUE: an answer to change.")] = None,
    to: Annotated[str | None, typer.Option(help="A release. Default: the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Bring the standard's news. Conflicts end in exit code 1."""
    from mlops_platform.template import update

    done = update.update(Path.cwd(), data or [], to)
    if as_json:
        print_json(done._asdict())
    else:
        files = amount(done.changed, "file")
        terminal.out.print(f"from {done.before} to {done.after}: {files} changed", markup=False)
        for line in update.told(done):
            terminal.out.print(f"  {line}", markup=False)
    update.conflicts_fail(done)
