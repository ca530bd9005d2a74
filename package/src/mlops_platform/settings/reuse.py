"""Schema of conf/reuse.yml: what exists already, and which licences are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, field_validator, model_validator

from mlops_platform.core.files import read_yaml
from mlops_platform.settings.parsing import Settings, parse

FILE = "reuse.yml"
Kind = Literal["internal code", "data sets", "similar projects", "open source"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Looked(Settings):
    """Something that was looked at: whether it is used, why, and its licence.

    `licence` is an SPDX expression, or `internal` for what the firm owns; what is used needs one.
    """

    kind: Kind
    what: str = Field(min_length=1)
    used: bool
    why: str = Field(min_length=1)
    licence: str | None = None

    @field_validator("licence")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        return value if value in (None, "internal") else normalize(str(value))

    @model_validator(mode="after")
    def _used_with_licence(self) -> Looked:
        if self.used and self.licence is None:
            raise ValueError("what is used needs its `licence`: an SPDX expression, or `internal`")
        return self


class Licences(Settings):
    """Licences that are refused, as names or patterns, and those that a person has looked up."""

    deny: tuple[str, ...] = ()
    known: dict[str, str] = Field(default_factory=dict)

    @field_validator("known")
    @classmethod
    def _expressions(cls, value: dict[str, str]) -> dict[str, str]:
        return {name: normalize(text) for name, text in value.items()}


class Reuse(Settings):
    """conf/reuse.yml."""

    looked_at: tuple[Looked, ...] = ()
    licences: Licences = Licences()


def normalize(text: str) -> str:
    """A licence as SPDX writes it.

    Raises:
        ValueError: it is no SPDX expression.
    """
    from packaging.licenses import (  # noqa: PLC0415  a list of all licences, which few commands need
        InvalidLicenseExpression,
        canonicalize_license_expression,
    )

    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression as error:
        raise ValueError(
            f"is no SPDX expression ({error}); write one such as MIT or Apache-2.0"
        ) from None


def load_reuse(conf: Path) -> Reuse | None:
    """Read conf/reuse.yml; None without the file, as in projects of before."""
    path = conf / FILE
    return parse(Reuse, read_yaml(path), path) if path.exists() else None
