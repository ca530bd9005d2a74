"""Registers the images' packages as environments in Azure ML, by the version of uv.lock."""

from __future__ import annotations

from pathlib import Path

from mlops_platform.azure import environments
from mlops_platform.azure.az import sets
from mlops_platform.azure.place import ENVIRONMENTS, Place
from mlops_platform.core import terminal


def register(place: Place) -> None:
    """Make the environments of this lock; a version that is there is the same, and stays."""
    if place.az.dry_run:
        terminal.say(f"would export uv.lock into {ENVIRONMENTS}")
    else:
        environments.export(Path.cwd())
    version = environments.version(Path.cwd())
    for file in sorted(ENVIRONMENTS.glob("*.yml")):
        name = f"{place.name}-{file.stem}"
        named = ("--name", name, "--version", version, *place.az.workspace)
        place.az.ensure(
            f"environment {name} {version}",
            lambda named=named: place.az.read("environment", "show", *named) is not None,  # type: ignore[misc]
            *("environment", "create", "--file", str(file), *named, *sets(*place.tags())),
        )
