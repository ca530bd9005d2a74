"""Parses settings files into typed objects. Errors name the file and the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mlops_platform.core.errors import UsageError


class Settings(BaseModel):
    """Base class of settings. Unknown fields are an error, so that typos are not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


AnySettings = TypeVar("AnySettings", bound=BaseModel)


def parse(model: type[AnySettings], content: dict[str, Any], source: Path) -> AnySettings:
    """Check `content`, read from `source`, against `model`.

    Raises:
        UsageError: one line for each wrong field.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            field = _field(problem["loc"], content) or "(whole file)"
            value = problem["input"]
            actual = "" if isinstance(value, dict) else f", got {value!r}"
            lines.append(f"{source}, field `{field}`: {_reason(problem)}{actual}.")
        raise UsageError("\n".join(lines)) from None


def _field(location: tuple[int | str, ...], content: Any) -> str:
    """The path of a field; an item of a list has its `id`, if it has one, else its number."""
    parts = []
    for part in location:
        if isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
            parts.append(content.get("id", part) if isinstance(content, dict) else part)
        elif isinstance(content, dict) and part in content:
            content = content[part]
            parts.append(part)
        elif part == location[-1]:  # a missing field; other parts are internal to pydantic
            parts.append(part)
    return ".".join(map(str, parts))


def _reason(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return "unknown field, perhaps misspelt"
    if problem["type"] == "missing":
        return "is missing; add it"
    return str(problem["msg"]).removeprefix("Value error, ")
