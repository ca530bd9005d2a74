"""The check of the YAML files for Azure Machine Learning."""

# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mlops_platform.cli.app import Json, app, print_json
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError
from mlops_platform.core.text import pluralize

if TYPE_CHECKING:
    from mlops_platform.schemas.nodes import Problem


@app.command()
def specs(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders. Default: pipelines/, azureml/."),
    ] = None,
    only: Annotated[
        Literal["azure"] | None,
        typer.Option(help="Leave out the house rules, which Azure ML does not have."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Validate the YAML files for Azure ML.

    Shows all problems at once, faults and house rules apart; exit code 1 if there are any.
    """
    from mlops_platform.specs import check

    count, problems = check.run(paths or [], Path.cwd(), only_azure=only == "azure")
    if as_json:
        print_json([_to_json(problem) for problem in problems])
    if problems:
        raise GateError(_report(problems))
    if not as_json:
        right = f"all {count} specs are valid" if count > 1 else "the spec is valid"
        right += " by Azure ML's rules" if only else ""
        terminal.out.print(right, markup=False)


def _report(problems: list[Problem]) -> str:
    """The faults, then the house rules, each below a heading that says who refuses them."""
    faults = [str(problem) for problem in problems if not problem.house]
    house = [str(problem) for problem in problems if problem.house]
    lines = []
    if faults:
        lines += [f"{pluralize(len(faults), 'fault')}, which Azure ML refuses:", *faults]
    if house:
        heading = f"{pluralize(len(house), 'house rule')} not kept, which Azure ML accepts"
        lines += [f"{heading} (`mlops specs --only azure` leaves them out):", *house]
    return "\n".join(lines)


def _to_json(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file.as_posix(),
        "line": problem.line,
        "field": problem.field,
        "says": problem.message,
        "level": "house" if problem.house else "azure",
    }
