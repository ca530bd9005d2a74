"""SHA-256 in files that git keeps: `sha256:` and 64 digits.

Without the name before them detect-secrets takes the digits for a secret.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

SHA256 = "sha256:"


def _without_name(value: Any) -> Any:
    return value.removeprefix(SHA256) if isinstance(value, str) else value


def _is_hash(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError(f"is no SHA-256: write `{SHA256}` and its 64 digits")
    return value


Sha256 = Annotated[str, BeforeValidator(_without_name), AfterValidator(_is_hash)]
