"""Commands for the template of this project."""

# ruff: noqa: PLC0415

from __future__ import annotations

from datetime import datetime
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


@app.command()
def patch(
    packages: Annotated[
        list[str] | None,
        typer.Argument(help="Packages, like urllib3 or 'urllib3>=2.6.1'. Default: clean up."),
    ] = None,
    why: Annotated[str, typer.Option(help="The reason, such as the advisory's number.")] = "",
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day. Default: in 90 days."),
    ] = None,
) -> None:
    """Take a security fix newer than the template's date.

    Without a package: remove the entries that are no longer needed.
    """
    from mlops_platform.template import patch as patching
    from mlops_platform.template import patches

    root = Path.cwd()
    if packages:
        fixes = patching.take(root, packages, why, until.date() if until else None)
        for fix in fixes:
            record = f", until {fix.patch.until}" if fix.patch else ", which needs no exception"
            terminal.out.print(f"{fix.package} {fix.before} -> {fix.after}{record}", markup=False)
    else:
        for each in patching.tidy(root):
            line = f"{each.package}: the template's date includes {each.version}, entry removed"
            terminal.out.print(line, markup=False)
        for each in patches.load(root / "conf").patches:
            line = f"{each.package} {each.version}, until {each.until}: {each.reason}"
            terminal.out.print(line, markup=False)
    terminal.out.print(
        "Now run `uv sync` and `uv run poe test`, then commit pyproject.toml, uv.lock and conf/.",
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
    trust: Annotated[
        bool, typer.Option("--trust", help="Let migrations run, which are code of the template.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Update the project from its template.

    Conflicts end with exit code 1.
    """
    from mlops_platform.template import patches, update

    result = update.update(Path.cwd(), data or [], to, trust=trust)
    if as_json:
        print_json(result._asdict())
    else:
        files = pluralize(result.changed, "file")
        terminal.out.print(f"from {result.before} to {result.after}: {files} changed", markup=False)
        for line in update.describe(result):
            terminal.out.print(f"  {line}", markup=False)
    update.raise_for_conflicts(result)
    for patch in patches.drop_caught_up(Path.cwd()):
        terminal.log(f"{patches.FILE.as_posix()}: removed {patch.package}, the new date has it")
