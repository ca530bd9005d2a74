"""The check of the YAML files for Azure Machine Learning."""

# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    as_json: Json = False,
) -> None:
    """Validate the YAML files for Azure ML.

    Shows all problems at once; exit code 1 if there are any.
    """
    from mlops_platform.specs import check

    count, problems = check.run(paths or [], Path.cwd())
    if as_json:
        print_json([_to_json(problem) for problem in problems])
    if problems:
        heading = f"{pluralize(len(problems), 'problem')} in the specs:"
        raise GateError("\n".join([heading, *map(str, problems)]))
    if not as_json:
        right = f"all {count} specs are valid" if count > 1 else "the spec is valid"
        terminal.out.print(right, markup=False)


def _to_json(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file.as_posix(),
        "line": problem.line,
        "field": problem.field,
        "says": problem.message,
    }
