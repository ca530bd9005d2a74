"""Requests that wait are answered together, and each gets its own answer."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from mlops_platform.serving import batches
from mlops_platform.serving.batches import Batches


class Held:
    """Answers a body with itself in capitals, and only when it is let go; `bad` is an error."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.batches: list[list[bytes]] = []

    def answer(self, bodies: Sequence[bytes]) -> list[bytes | Exception]:
        """Capitals, or an error, for each body; waits until it may go on."""
        self.batches.append(list(bodies))
        assert self.go.wait(10)
        return [ValueError("bad") if body == b"bad" else body.upper() for body in bodies]


def test_those_who_wait_are_one_batch_in_their_order():
    async def scenario() -> None:
        waiting = Batches[bytes](held.answer)
        first = asyncio.create_task(waiting.ask(b"a"))
        await asyncio.sleep(0.01)
        others = [asyncio.create_task(waiting.ask(body)) for body in (b"b", b"bad", b"c")]
        await asyncio.sleep(0.01)
        held.go.set()
        assert await asyncio.gather(first, others[0], others[2]) == [b"A", b"B", b"C"]
        with pytest.raises(ValueError, match="bad"):
            await others[1]

    held = Held()
    asyncio.run(scenario())
    assert held.batches == [[b"a"], [b"b", b"bad", b"c"]]


def test_the_event_loop_has_turns_between_the_answers_of_a_batch():
    """Without them, /live would wait until all answers are sent."""

    async def scenario() -> set[int]:
        waiting = Batches[bytes](list)
        turns, answered = 0, set()

        async def ask() -> None:
            await waiting.ask(b"a")
            answered.add(turns)

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(ask()) for _ in range(4 * batches.AT_ONCE)]
            while not all(task.done() for task in asked):
                turns += 1
                await asyncio.sleep(0)
        return answered

    assert len(asyncio.run(scenario())) >= 4


def test_a_caller_that_has_gone_changes_nothing_for_others():
    async def scenario() -> None:
        waiting = Batches[bytes](held.answer)
        first, gone, last = (asyncio.create_task(waiting.ask(body)) for body in (b"a", b"b", b"c"))
        await asyncio.sleep(0.01)
        gone.cancel()
        held.go.set()
        assert await asyncio.gather(first, last) == [b"A", b"C"]
        assert await waiting.ask(b"later") == b"LATER"

    held = Held()
    asyncio.run(scenario())


def test_an_error_of_all_reaches_all_and_the_next_batch_works():
    async def scenario() -> None:
        waiting = Batches[bytes](answer)
        with pytest.raises(OSError, match="disk"):
            await waiting.ask(b"x")
        assert await waiting.ask(b"y") == b"y"

    calls: list[int] = []

    def answer(bodies: Sequence[bytes]) -> list[bytes]:
        calls.append(len(bodies))
        if len(calls) == 1:
            raise OSError("disk")
        return list(bodies)

    asyncio.run(scenario())


def test_a_batch_has_a_size(monkeypatch):
    monkeypatch.setattr(batches, "MAX_BYTES", 5)

    async def scenario() -> list[bytes]:
        waiting = Batches[bytes](held.answer)
        first = asyncio.create_task(waiting.ask(b"1"))
        await asyncio.sleep(0.01)
        tasks = [asyncio.create_task(waiting.ask(body)) for body in (b"123456789", b"12", b"345")]
        await asyncio.sleep(0.01)
        held.go.set()
        return await asyncio.gather(first, *tasks)

    held = Held()
    assert asyncio.run(scenario()) == [b"1", b"123456789", b"12", b"345"]
    assert held.batches == [[b"1"], [b"123456789"], [b"12", b"345"]]
