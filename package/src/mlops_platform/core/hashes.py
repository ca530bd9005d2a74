"""SHA-256 in files under git, written as `sha256:` and 64 digits.

Without the prefix, detect-secrets reports the digits as a secret.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

SHA256 = "sha256:"


def _remove_prefix(value: Any) -> Any:
    return value.removeprefix(SHA256) if isinstance(value, str) else value


def _check_hash(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError(f"is not a SHA-256: write `{SHA256}` and its 64 digits")
    return value


Sha256 = Annotated[str, BeforeValidator(_remove_prefix), AfterValidator(_check_hash)]
