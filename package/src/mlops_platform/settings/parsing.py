"""Parses settings files into typed objects. Errors name the file and the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from mlops_platform.core.errors import UsageError
from mlops_platform.core.strict_yaml import describe, find_node

NO_NUMBER = "no_number"


class Settings(BaseModel):
    """Base class of settings. Unknown fields are an error, so that typos are not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_booleans(cls, content: Any) -> Any:
        """Refuse `yes` where a number is needed: pydantic would make 1 of it."""
        for name, field in cls.model_fields.items():
            value = content.get(name) if isinstance(content, dict) else None
            types = set(get_args(field.annotation)) or {field.annotation}
            if isinstance(value, bool) and types & {int, float} and bool not in types:
                raise PydanticCustomError(NO_NUMBER, "expected a number", {"field": name})
        return content


AnySettings = TypeVar("AnySettings", bound=BaseModel)


def parse(model: type[AnySettings], content: dict[str, Any], source: Path) -> AnySettings:
    """Check `content`, read from `source`, against `model`.

    Raises:
        UsageError: one line for each wrong field.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines: dict[str, str] = {}
        for problem in error.errors():
            field = _field(problem, content) or "(whole file)"
            reason = _say(problem, source)
            if field in lines and problem["type"].startswith("date"):  # the other alternative
                value = problem["input"]
                reason = f"expected a number, or a date such as 2024-12-31, got {str(value)!r}"
                del lines[field]
            lines.setdefault(field, f"{source}, field `{field}`: {reason}.")
        raise UsageError("\n".join(lines.values())) from None


def _field(problem: Any, content: Any) -> str:
    """The path of a field; an item of a list has its `id`, if it has one, else its number."""
    parts = []
    for part in _location(problem):
        if isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
            parts.append(content.get("id", part) if isinstance(content, dict) else part)
        elif isinstance(content, dict) and part in content:
            content = content[part]
            parts.append(part)
        elif part == "[key]" or (problem["type"] == "missing" and part == problem["loc"][-1]):
            parts.append(part)  # other parts are internal to pydantic
    return ".".join(map(str, parts))


def _location(problem: Any) -> tuple[str | int, ...]:
    inside = (problem["ctx"]["field"],) if problem["type"] == NO_NUMBER else ()
    return (*problem["loc"], *inside)


def _say(problem: Any, source: Path) -> str:
    """What is wrong with a value, and what to do."""
    value, kind = problem["input"], problem["type"]
    if kind == "extra_forbidden":
        reason = "unknown field, perhaps misspelt"
    elif kind == "missing":
        reason = "is missing; add it"
    elif kind == NO_NUMBER:
        written = describe(find_node(source, _location(problem)))
        return f"expected a number, got {written or 'true or false'}; write digits"
    elif kind == "string_type" and not isinstance(value, dict | list):
        written = describe(find_node(source, problem["loc"]))
        if value is None and not written:
            return "is empty; write a text"
        return f"expected a text, got {written or repr(value)}; put it in quotes"
    elif kind == "list_type":
        reason = "expected a list; write [a, b]"
    elif kind in ("int_parsing", "float_parsing"):
        reason = "expected a number; write its digits, without quotes"
    else:
        reason = str(problem["msg"]).removeprefix("Value error, ")
    return reason if isinstance(value, dict) else f"{reason}, got {value!r}"
