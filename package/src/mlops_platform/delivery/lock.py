"""Reads uv.lock, by uv: the packages of the project with some of its groups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops_platform.core import programs
from mlops_platform.core.errors import UsageError

EXPORT = ("uv", "export", "--quiet", "--locked", "--no-default-groups")


def export(root: Path, groups: Sequence[str], *options: str) -> str:
    """What `uv export` prints; a lock whose packages do not match pyproject.toml is refused.

    Raises:
        UsageError: uv cannot be started, or uv.lock does not match.
    """
    chosen = [option for group in groups for option in ("--group", group)]
    process = programs.run([*EXPORT, *chosen, *options], root)
    if process.returncode != 0:
        raise UsageError(
            f"uv.lock cannot be exported: {process.stderr.strip()}\nRun `uv lock`, commit uv.lock, "
            "then try again."
        )
    return process.stdout
