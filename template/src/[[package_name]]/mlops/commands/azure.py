# Managed: belongs to the standard, `copier update` changes it.
"""Azure Machine Learning, from conf/ and the files in pipelines/ and azureml/."""

# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path

import typer

from .. import terminal
from .app import app

azure = typer.Typer(no_args_is_help=True, help="Train, deploy and watch in Azure ML.")
app.add_typer(azure, name="azure")


@azure.command()
def render() -> None:
    """Write the files of azureml/ that follow from conf/."""
    from ..azure import render as rendering

    written = rendering.write(Path.cwd())
    for path in written:
        terminal.out.print(f"wrote {path}", markup=False)
    if not written:
        terminal.out.print("all files of azureml/ agree with conf/", markup=False)


@azure.command()
def environments() -> None:
    """Export uv.lock, with hashes, for the images that Azure ML builds."""
    from ..azure import environments as exporting

    exported = exporting.export(Path())
    for folder in exported.folders.values():
        terminal.out.print(f"wrote {folder / 'requirements.txt'}", markup=False)
    terminal.out.print(f"version {exported.version}", markup=False)
