"""What a request's headers may say of its body: JSON in UTF-8, as it is."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import Message

MEDIA_TYPE = "application/json"
CHARSETS = ("utf-8", "utf8")


def unsupported(types: Sequence[str], codings: Sequence[str]) -> tuple[str, dict[str, str]] | None:
    """Why a body cannot be read, and the header that says what can be; None if it can be read.

    A client need not name a type, as there is only one. A compressed body is refused: it is short
    already, and decompressing it could take any amount of memory.

    Args:
        types: values of Content-Type.
        codings: values of Content-Encoding.
    """
    for coding in codings:
        if coding.strip().lower() not in ("", "identity"):
            message = f"the body is encoded as {coding[:50]!r}; send it without Content-Encoding"
            return message, {"Accept-Encoding": "identity"}
    if not types:
        return None
    parsed = Message()
    parsed["Content-Type"] = types[0].replace("\r", " ").replace("\n", " ")
    charset = parsed.get_content_charset("utf-8")
    if len(types) == 1 and parsed.get_content_type() == MEDIA_TYPE and charset in CHARSETS:
        return None
    message = (
        f"the body is {', '.join(types)[:100]!r}; send JSON in UTF-8, "
        f"with `Content-Type: {MEDIA_TYPE}`"
    )
    return message, {"Accept": MEDIA_TYPE}
