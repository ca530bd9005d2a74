"""Commands for the template of this project."""

# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_platform.cli.app import Json, app, print_json
from mlops_platform.core import terminal
from mlops_platform.core.text import pluralize


@app.command()
def audit() -> None:
    """Audit the CI files for security and errors."""
    from mlops_platform.delivery import audit

    for line in audit.run(Path.cwd()):
        terminal.out.print(line, markup=False)


@app.command()
def eject() -> None:
    """Copy the platform package to the project.

    Then the team can change its code.
    """
    from mlops_platform.template import eject as ejection

    folder = ejection.eject(Path.cwd()).relative_to(Path.cwd()).as_posix()
    terminal.out.print(
        f"{folder} is the platform package now. Run `uv lock`, change the code, commit. Template "
        "updates no longer reach it; docs/updating.md says how to keep it, and how to go back.",
        markup=False,
    )


@app.command("template-check")
def template_check(
    template: Annotated[
        str | None, typer.Option(help="Location of the template, if it has moved.")
    ] = None,
) -> None:
    """Compare managed files with the template."""
    from mlops_platform.template import conformance

    count = conformance.check(Path.cwd(), template)
    terminal.out.print(f"all {count} managed files are the same as in the template", markup=False)


@app.command("template-pull-request")
def template_pull_request() -> None:
    """Update from the template in a pull request.

    It is a draft if a person has to decide.
    """
    from mlops_platform.template import request

    request.run(Path.cwd())


@app.command("template-update")
def template_update(
    data: Annotated[list[str] | None, typer.Option(help="NAME=VALUE: an answer to change.")] = None,
    to: Annotated[str | None, typer.Option(help="A release. Default: the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Update the project from its template.

    Conflicts end with exit code 1.
    """
    from mlops_platform.template import update

    result = update.update(Path.cwd(), data or [], to)
    if as_json:
        print_json(result._asdict())
    else:
        files = pluralize(result.changed, "file")
        terminal.out.print(f"from {result.before} to {result.after}: {files} changed", markup=False)
        for line in update.describe(result):
            terminal.out.print(f"  {line}", markup=False)
    update.raise_for_conflicts(result)
