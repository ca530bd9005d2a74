"""Which request an answer and the lines of the log belong to: a request's id and W3C trace context.

The format of `traceparent` is that of https://www.w3.org/TR/trace-context/, version 00.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Sequence
from typing import NamedTuple

# What follows the flags is for versions that do not exist yet.
TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<more>-[!-~]*)?"
)
SAMPLED = 1


class Trace(NamedTuple):
    """The identity of one request.

    All fields are hexadecimal: what a client sends in them cannot be a value of a feature.
    """

    request_id: str
    trace_id: str
    span_id: str
    parent_id: str | None
    flags: str

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the answer."""
        traceparent = f"00-{self.trace_id}-{self.span_id}-{self.flags}"
        return [
            (b"x-request-id", self.request_id.encode()),
            (b"traceparent", traceparent.encode()),
        ]

    @property
    def fields(self) -> dict[str, str | None]:
        """The fields of a line of the log."""
        return {
            "request_id": self.request_id,
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "parent_id": self.parent_id,
        }


def start(request_ids: Sequence[str], traceparents: Sequence[str]) -> Trace:
    """Continue the client's trace, or begin one if it sends none that is valid, or several.

    A request's id is kept if it is a UUID.
    """
    span_id = _random(8)
    request_id = _uuid(request_ids[0]) if len(request_ids) == 1 else None
    request_id = request_id or str(uuid.uuid4())
    given = TRACEPARENT.fullmatch(traceparents[0].strip()) if len(traceparents) == 1 else None
    if given is None or not _is_valid(given):
        return Trace(request_id, _random(16), span_id, None, "00")
    flags = f"{int(given['flags'], 16) & SAMPLED:02x}"  # the only flag that version 00 defines
    return Trace(request_id, given["trace"], span_id, given["parent"], flags)


def _is_valid(given: re.Match[str]) -> bool:
    """A version that may exist, ids that are not zero, and nothing more in version 00."""
    return (
        given["version"] != "ff"
        and not (given["version"] == "00" and given["more"] is not None)
        and bool(given["trace"].strip("0"))
        and bool(given["parent"].strip("0"))
    )


def _uuid(text: str) -> str | None:
    pattern = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    return text.lower() if re.fullmatch(pattern, text) else None


def _random(count: int) -> str:
    """`count` random bytes in hexadecimal; zero is not valid, and not drawn."""
    return f"{secrets.randbelow(2 ** (8 * count) - 1) + 1:0{2 * count}x}"
