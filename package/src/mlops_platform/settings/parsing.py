"""How a settings file becomes a typed object. Every error names the file and the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mlops_platform.core.errors import UsageError


class Settings(BaseModel):
    """A part of a settings file: unknown fields are refused, so a typo is never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


AnySettings = TypeVar("AnySettings", bound=BaseModel)


def parse(model: type[AnySettings], content: dict, source: Path) -> AnySettings:
    """Check `content`, read from `source`, against `model`.

    Raises:
        UsageError: one line for each wrong field.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            field = _field(fault["loc"], content) or "(whole file)"
            given = fault["input"]
            shown = "" if isinstance(given, dict) else f", got {given!r}"
            lines.append(f"{source}, field `{field}`: {_reason(fault)}{shown}.")
        raise UsageError("\n".join(lines)) from None


def _field(place: tuple[int | str, ...], content: Any) -> str:
    """Where in the file: an item of a list by its `id`, if it has one, else by its number."""
    parts = []
    for part in place:
        if isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
            parts.append(content.get("id", part) if isinstance(content, dict) else part)
        elif isinstance(content, dict) and part in content:
            content = content[part]
            parts.append(part)
        elif part == place[-1]:  # what is missing; others are pydantic's words, and in no file
            parts.append(part)
    return ".".join(map(str, parts))


def _reason(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "no such field, perhaps misspelt"
    if fault["type"] == "missing":
        return "is missing; add it"
    return str(fault["msg"]).removeprefix("Value error, ")
