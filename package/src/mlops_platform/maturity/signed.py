"""conf/maturity.yml: what no program can measure, signed by a person for a time."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml, write_text
from mlops_platform.settings import Settings, parse

FILE = "maturity.yml"
HEADER = (
    "# Written by `uv run poe readiness --sign`. Commit this file. A signature ends by itself.\n"
)
LONGEST = 366  # days that a signature or an exemption may last
Text = Annotated[str, Field(min_length=2)]


class Signature(Settings):
    """A fact that a person vouches for: who, in which role, why, and until when."""

    fact: str
    role: Text
    by: Text
    why: Text
    until: datetime.date


class Signatures(Settings):
    """conf/maturity.yml, oldest first."""

    signed: tuple[Signature, ...] = ()


def load(conf: Path) -> Sequence[Signature]:
    """Read all signatures; an absent file has none."""
    path = conf / FILE
    return parse(Signatures, read_yaml(path), path).signed if path.exists() else ()


def sign(conf: Path, signature: Signature, today: datetime.date) -> None:
    """Add a signature, in place of an earlier one of the same fact.

    Raises:
        UsageError: it would end in the past, or last for more than a year.
    """
    require_term(signature.until, today)
    kept = [each for each in load(conf) if each.fact != signature.fact]
    content = {"signed": [each.model_dump() for each in [*kept, signature]]}
    write_text(conf / FILE, HEADER + yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def require_term(until: datetime.date, today: datetime.date) -> None:
    """Check that a date is within the year that begins today.

    Raises:
        UsageError: it is not.
    """
    if not today <= until <= today + datetime.timedelta(days=LONGEST):
        last = today + datetime.timedelta(days=LONGEST)
        raise UsageError(f"--until {until}: choose a date from {today} to {last}.")
