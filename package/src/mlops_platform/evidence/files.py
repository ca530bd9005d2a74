"""Reads and writes evidence files (JSON)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import write_text

AnyEvidence = TypeVar("AnyEvidence", bound=BaseModel)


def write(evidence: BaseModel, path: Path) -> None:
    """Write an evidence file atomically."""
    write_text(path, evidence.model_dump_json(indent=2) + "\n")


def read(shape: type[AnyEvidence], path: Path) -> AnyEvidence:
    """Read an evidence file.

    Raises:
        UsageError: no such file, or another shape or version.
    """
    try:
        return shape.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError(f"{path}: does not exist. Run `uv run poe pipeline` first.") from None
    except (OSError, ValueError) as error:
        expected = shape.model_fields["shape"].default
        first = str(error).splitlines()[0]
        raise UsageError(
            f"{path}: does not have the shape {expected} ({first}). Delete it and run again."
        ) from None
