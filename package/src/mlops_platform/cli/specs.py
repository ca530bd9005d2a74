"""The check of the YAML files for Azure Machine Learning."""

# ruff: noqa: PLC0415

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mlops_platform.cli.app import Json, app, print_json
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError
from mlops_platform.core.text import amount


@app.command()
def specs(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders. Default: pipelines/, azureml/.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Are the YAML files for Azure ML right? All faults at once; exit code 1 for any."""
    from mlops_platform.specs import check

    count, faults = check.run(paths or [], Path.cwd())
    if as_json:
        print_json([asdict(fault) | {"file": fault.file.as_posix()} for fault in faults])
    if faults:
        found = f"{amount(len(faults), 'fault')} in the specs:"
        raise GateError("\n".join([found, *map(str, faults)]))
    if not as_json:
        right = f"all {count} specs are right" if count > 1 else "the spec is right"
        terminal.out.print(right, markup=False)
