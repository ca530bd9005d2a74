"""The key that requests from the network must have."""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
from collections.abc import Sequence
from pathlib import Path

from mlops_platform.core.errors import UsageError

VARIABLE = "MLOPS_SERVE_KEY"
SHORTEST, LONGEST = 32, 1024
GENERATE = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"


def load(file: Path | None) -> str | None:
    """The key in a file, or in the environment variable, which it takes out; None if there is none.

    Raises:
        UsageError: the key is in both, cannot be read, or is not usable.
    """
    value = os.environ.pop(VARIABLE, None)
    source = VARIABLE
    if file is not None:
        if value is not None:
            raise UsageError(f"{VARIABLE} and {file} both have a key. Remove one of them.")
        source = str(file)
        try:
            value = file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file}: no key can be read ({error.__class__.__name__}).") from None
    if value is None:
        return None
    key = value.strip()
    if not re.fullmatch(rf"[!-~]{{{SHORTEST},{LONGEST}}}", key):
        raise UsageError(
            f"{source}: expected a key of {SHORTEST} to {LONGEST} ASCII characters without a "
            f"space. Make one: {GENERATE}"
        )
    return key


def require(host: str, address: str, key: str | None) -> None:
    """Refuse to be reached from the network without a key.

    Raises:
        UsageError: the address is not that of this machine alone, and there is no key.
    """
    if key is None and not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        raise UsageError(
            f"--host {host} is reachable from the network, and there is no key. Put one into the "
            f"environment variable {VARIABLE} or into a file that --key-file names; make it with "
            f"{GENERATE}. Clients send it as `Authorization: Bearer KEY`. Behind TLS only: a key "
            "is readable on the way otherwise."
        )


def is_given(key: str, authorizations: Sequence[str]) -> bool:
    """Whether the header Authorization, given once, has the key. The time tells nothing."""
    scheme, _, given = authorizations[0].partition(" ") if len(authorizations) == 1 else ("",) * 3
    right = hmac.compare_digest(given.strip().encode(), key.encode())
    return right and scheme.lower() == "bearer"
