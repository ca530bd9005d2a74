"""Binds a version to its model: the hash of the model's files, which `register` records.

Roles, gates and ethics checks are of a version. Whoever uses its model checks that it is still the
one that they were given for.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError
from mlops_platform.core.files import hash_path
from mlops_platform.tracking.roles import MODEL_HASH


def hash_model(folder: Path) -> str:
    """SHA-256 of the names and bytes of all files in a model's folder, sorted by their path."""
    return hash_path(folder, ignored=frozenset())


def require_unchanged(number: str, expected: str | None, folder: Path, next_step: str) -> None:
    """Check that a folder has the model that was registered as a version.

    A version of an earlier release of the platform has no hash (`expected` is None): it is used as
    it is, with a notice.

    Raises:
        GateError: the folder has another model; with the next step.
    """
    if not expected:
        say_unbound(number)
        return
    found = hash_model(folder)
    if found != expected:
        raise GateError(
            f"version {number}: its model is not the one that was registered. The hash of its "
            f"files is {found}, registered was {expected}. {next_step}"
        )


@cache
def say_unbound(number: str) -> None:
    """Say that a version has no hash, once in a process."""
    terminal.log(
        f"version {number} has no tag `{MODEL_HASH}`, as an earlier release registered it: its "
        "model cannot be checked. `promote` records the hash of a challenger's."
    )
