"""An HTTP server that stops without losing a request.

On SIGTERM it goes on accepting for a moment, in which /ready says that it stops and each answer
closes its connection; then it stops listening, answers what has been accepted, and ends.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

import uvicorn

from mlops_platform.serving.connections import BoundedProtocol

DRAIN_SECONDS = 1.0  # in which clients and load balancers notice
GRACE_SECONDS = 7  # for requests that run; together less than the 10 s after which Docker kills
FORCE_SECONDS = 1.0  # a signal this long after the first ends at once; poe sends two together
logger = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """Stops as described above; `stopping` is set from the signal on."""

    def __init__(self, config: uvicorn.Config, stopping: threading.Event) -> None:
        super().__init__(config)
        self.stopping = stopping
        self._stopped_at = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; end at once on a second signal that is not a copy of the first."""
        if not self.should_exit:
            self._stopped_at = time.monotonic()
            self.should_exit = True
            self.stopping.set()
        elif time.monotonic() - self._stopped_at > FORCE_SECONDS:
            self.force_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop as uvicorn does."""
        logger.info("stopping")
        await self._wait(DRAIN_SECONDS)
        await self._stop_listening(sockets or [])
        # Of the connections that are left, close only those on which nothing has come for a while.
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._active() and time.monotonic() < deadline:
            await self._wait(0.05)
        await super().shutdown(sockets)
        logger.info("stopped")

    def _active(self) -> bool:
        """Whether a connection may just be sending a request."""
        quiet = time.monotonic() - DRAIN_SECONDS
        return any(
            one.idle and one.quiet_since > quiet
            for one in self.server_state.connections
            if isinstance(one, BoundedProtocol)
        )

    async def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.force_exit and time.monotonic() < deadline:
            await asyncio.sleep(min(0.05, seconds))

    async def _stop_listening(self, sockets: Sequence[socket.socket]) -> None:
        """Close the listeners. What waits in their queues would be reset: take it out before."""
        waiting = [one for listener in sockets for one in _accept_all(listener)]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for one in waiting:
            await loop.connect_accepted_socket(self._connection, one)

    def _connection(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        state = self.server_state
        created: asyncio.Protocol = kind(config=self.config, server_state=state, app_state={})
        return created


def _accept_all(listener: socket.socket) -> list[socket.socket]:
    """The connections in a listener's queue."""
    taken: list[socket.socket] = []
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return taken
        connection.setblocking(False)
        taken.append(connection)
