"""Whose file is whose, as `ownership.toml` beside this module says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Literal, NamedTuple

Owner = Literal["managed", "shared", "seed", "generated"]
LIST = Path(__file__).with_name("ownership.toml")


class Rule(NamedTuple):
    """Files that match `glob` belong to `owner`; `what` says to a person what they are.

    Nothing works without a file that is `needed`: an update brings it where it is missing.
    """

    glob: str
    owner: Owner
    what: str
    needed: bool = False

    def matches(self, path: str) -> bool:
        """Whether a path, relative to the project and with forward slashes, is meant."""
        parts = re.split(r"(\*\*|\*)", self.glob)
        wild = {"**": ".*", "*": "[^/]*"}
        return bool(re.fullmatch("".join(wild.get(part, re.escape(part)) for part in parts), path))


def rules(path: Path = LIST) -> list[Rule]:
    """The list, in its order."""
    return [Rule(**rule) for rule in tomllib.loads(path.read_text(encoding="utf-8"))["rules"]]


def owner_of(path: str, listed: list[Rule]) -> Owner | None:
    """The owner of a file; None for one that the standard does not know: it is the team's."""
    return next((rule.owner for rule in listed if rule.matches(path)), None)
