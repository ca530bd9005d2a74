"""Answers requests that wait together by one prediction.

A prediction for 64 rows takes hardly longer than one for a single row. While one batch is answered,
the next requests wait and become the next batch; a request that comes alone waits for nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

MAX_BYTES = 1_000_000  # of a batch, but for its first request
AT_ONCE = 8  # answers that are sent before the event loop looks for other requests
T = TypeVar("T")


class _Waiting(NamedTuple, Generic[T]):
    body: bytes
    answer: asyncio.Future[T]


class Batches(Generic[T]):
    """Hands bodies to `answer` in one thread; it returns an answer, or an error, for each of them.

    Bodies keep their order. One thread is enough: predictions share Python's lock anyway, and so
    it leaves the event loop to take requests.
    """

    def __init__(self, answer: Callable[[Sequence[bytes]], Sequence[T | Exception]]) -> None:
        self._answer = answer
        self._waiting: deque[_Waiting[T]] = deque()
        self._thread = ThreadPoolExecutor(1, "score")
        self._running: asyncio.Task[None] | None = None

    async def ask(self, body: bytes) -> T:
        """The answer to a body.

        Raises:
            Exception: what `answer` gave for it.
        """
        loop = asyncio.get_running_loop()
        waiting: _Waiting[T] = _Waiting(body, loop.create_future())
        self._waiting.append(waiting)
        if self._running is None or self._running.done():
            self._running = loop.create_task(self._run(loop))
        return await waiting.answer

    async def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer all that wait, batch by batch."""
        while batch := self._next():
            bodies = [waiting.body for waiting in batch]
            try:
                answers = await loop.run_in_executor(self._thread, self._answer, bodies)
            except Exception as error:
                answers = [error] * len(batch)
            for number, (waiting, answer) in enumerate(zip(batch, answers, strict=True)):
                if number % AT_ONCE == AT_ONCE - 1:
                    await asyncio.sleep(0)  # what came meanwhile has its turn, such as /live
                if waiting.answer.done():  # the caller has gone
                    continue
                if isinstance(answer, Exception):
                    waiting.answer.set_exception(answer)
                else:
                    waiting.answer.set_result(answer)

    def _next(self) -> list[_Waiting[T]]:
        batch: list[_Waiting[T]] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].body) <= MAX_BYTES):
            batch.append(self._waiting.popleft())
            size += len(batch[-1].body)
        return batch
