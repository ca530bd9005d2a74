"""One connection of a client: what it can hold, for how long, and how it is closed.

uvicorn bounds neither the time of headers, nor of an answer that nobody reads, nor the number of
connections without an answer of its own; and it closes a connection from which it has not read all,
which the client sees as reset.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 512
MAX_REFUSED = 64  # beyond these, which are told so; any more are closed at once
QUIET_SECONDS = 1.0  # after which a connection that waits for its client may give way to another
HEADER_SECONDS = 10  # for the headers of a request to arrive
SEND_SECONDS = 30  # for the client to read what it is sent
LINGER_SECONDS = 5.0  # for the rest of a request that is not wanted
LINGER_BYTES = 64_000_000


class LingeringTransport:
    """A transport whose `close` lets the client read the answer to a request it is still sending.

    A socket that is closed with unread data is reset, and the answer may be lost with it. So the
    answer is ended, and what comes is thrown away until the client closes (RFC 9112, section 9.6).
    """

    def __init__(self, transport: asyncio.Transport, is_unread: Callable[[], bool]) -> None:
        self._transport = transport
        self._is_unread = is_unread
        self._lingers = False
        self._left = LINGER_BYTES
        self.timer: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._lingers or self._transport.is_closing()

    def close(self) -> None:
        """Close, or linger if the client has not sent its whole request."""
        if self.is_closing():
            return
        if self._is_unread():
            self.linger()
        else:
            self.end()

    def linger(self) -> None:
        """End the answer, and throw away what comes, for a while."""
        self._lingers = True
        with suppress(OSError):  # the client has gone
            self._transport.write_eof()
        self._transport.resume_reading()
        self._abort_after(LINGER_SECONDS)

    @property
    def is_gone(self) -> bool:
        """Whether nothing more is read, either."""
        return self._transport.is_closing()

    def end(self) -> None:
        """Close now, after what is still to be sent."""
        self._transport.close()
        self._abort_after(SEND_SECONDS)

    def discard(self, data: bytes) -> None:
        """Take data that came while it lingers."""
        self._left -= len(data)
        if self._left < 0:
            self._transport.abort()

    def _abort_after(self, seconds: float) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(seconds, self._transport.abort)


class BoundedProtocol(H11Protocol):
    """One connection; problems that the app does not see have the app's shape."""

    identity: dict[str, str]  # model and version, set by `protocol`
    lingering: LingeringTransport
    _headers_timer: asyncio.TimerHandle | None = None
    _send_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it if there are too many."""
        self.lingering = LingeringTransport(transport, self._is_unread)
        super().connection_made(cast(asyncio.Transport, self.lingering))
        self.quiet_since = time.monotonic()
        if len(self.connections) <= MAX_CONNECTIONS or self._close_quietest():
            self._wait_for_headers()
        elif len(self.connections) <= MAX_CONNECTIONS + MAX_REFUSED:
            self._refuse(503, "too many connections; try again later")
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read what came; if it does not complete the headers in time, close."""
        self.quiet_since = time.monotonic()
        if self.transport.is_closing():
            self.lingering.discard(data)
            return
        super().data_received(data)
        if not self.idle:
            self._stop_headers_timer()
        elif self._headers_timer is None:
            self._wait_for_headers()

    def pause_writing(self) -> None:
        """Wait for the client to read, but not for ever."""
        super().pause_writing()
        self._send_timer = self.loop.call_later(SEND_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        if self._send_timer is not None:
            self._send_timer.cancel()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.quiet_since = time.monotonic()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        for timer in (self._headers_timer, self._send_timer, self.lingering.timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        self._refuse(400, "the request is not valid HTTP")

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn: a request is not there, or not whole."""
        return self.conn.their_state in {h11.IDLE, h11.SEND_BODY}

    def _is_unread(self) -> bool:
        return self.idle and self.conn.their_state is h11.SEND_BODY

    def _close_quietest(self) -> bool:
        """Close the connection that has waited longest for its client, if one has for a while."""
        quiet = time.monotonic() - QUIET_SECONDS
        waiting = [
            one
            for one in self.connections
            if isinstance(one, BoundedProtocol)
            and one is not self
            and one.waits_for_client
            and one.quiet_since < quiet
            and not one.lingering.is_gone
        ]
        if not waiting:
            return False
        min(waiting, key=lambda one: one.quiet_since).lingering.end()
        return True

    def _wait_for_headers(self) -> None:
        self._headers_timer = self.loop.call_later(HEADER_SECONDS, self._headers_are_late)

    def _headers_are_late(self) -> None:
        self._headers_timer = None
        if self.idle:
            self._refuse(408, f"no request arrived within {HEADER_SECONDS} seconds")

    def _stop_headers_timer(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None

    def _refuse(self, status: int, error: str) -> None:
        """Send a problem and close the connection; only close it where an answer is under way."""
        if self.transport.is_closing():
            return
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE} or not self.idle:
            self.transport.close()
            return
        content = json.dumps({**self.identity, "error": error, "faults": []}).encode()
        headers = [("Content-Type", "application/json"), ("Connection", "close")]
        headers.append(("Content-Length", str(len(content))))
        for event in (
            h11.Response(status_code=status, headers=headers),
            h11.Data(data=content),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.lingering.linger()


def protocol(identity: dict[str, str]) -> type[BoundedProtocol]:
    """The protocol whose problems name a model and its version."""
    return type("Protocol", (BoundedProtocol,), {"identity": identity})
