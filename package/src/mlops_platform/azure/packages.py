"""Registers the images' packages as environments in Azure ML; uv.lock gives their version."""

from __future__ import annotations

from pathlib import Path

from mlops_platform.azure import environments
from mlops_platform.azure.az import set_options
from mlops_platform.azure.target import ENVIRONMENTS, Target
from mlops_platform.core import terminal


def register(target: Target) -> None:
    """Register the environments of this lock; an existing version is the same, and stays."""
    if target.az.dry_run:
        terminal.log(f"would export uv.lock into {ENVIRONMENTS}")
    else:
        environments.export(Path.cwd())
    version = environments.lock_version(Path.cwd())
    for file in sorted(ENVIRONMENTS.glob("*.yml")):
        name = f"{target.name}-{file.stem}"
        options = ("--name", name, "--version", version, *target.az.workspace)
        target.az.ensure(
            f"environment {name} {version}",
            lambda options=options: target.az.read("environment", "show", *options) is not None,  # type: ignore[misc]
            *("environment", "create", "--file", str(file), *options, *set_options(*target.tags())),
        )
