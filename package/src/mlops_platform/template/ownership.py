"""File ownership, from the list in `ownership.toml` beside this module."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Literal, NamedTuple

Owner = Literal["managed", "shared", "seed", "generated"]
LIST = Path(__file__).with_name("ownership.toml")


class Rule(NamedTuple):
    """Files that match `glob` belong to `owner`; `what` describes them.

    A file that is `needed` must exist: an update adds it if it is missing.
    """

    glob: str
    owner: Owner
    what: str
    needed: bool = False

    def matches(self, path: str) -> bool:
        """Whether the rule matches a path, relative to the project and with forward slashes."""
        parts = re.split(r"(\*\*|\*)", self.glob)
        wild = {"**": ".*", "*": "[^/]*"}
        return bool(re.fullmatch("".join(wild.get(part, re.escape(part)) for part in parts), path))


def rules(path: Path = LIST) -> list[Rule]:
    """Load the rules, in their order."""
    return [Rule(**rule) for rule in tomllib.loads(path.read_text(encoding="utf-8"))["rules"]]


def owner_of(path: str, listed: list[Rule]) -> Owner | None:
    """The owner of a file; None for a file of the team that no rule matches."""
    return next((rule.owner for rule in listed if rule.matches(path)), None)
