"""Work spread over processes that cannot harm each other.

Copier changes the working directory, so threads are out. A pool of many processes breaks as a
whole when one is killed; here each worker is a pool of one, and a new one takes its place.
"""

import itertools
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Killed(Exception):  # noqa: N818  what happened to a worker, not a fault of ours
    """The process that did the work is gone: killed, out of memory, or crashed."""


def spread(
    work: Callable[[T], R],
    items: Sequence[T],
    *,
    jobs: int,
    start: Callable[[Path], None],
    scratch: Path,
) -> Iterator[tuple[T, R | Killed]]:
    """Yield each item with its result, in the order in which they end.

    `start` is called once in each worker with a folder of its own below `scratch`. `work` returns
    its errors, it does not raise them.
    """
    spawn = multiprocessing.get_context("spawn")  # the same on every system
    folders = (scratch / f"worker-{number}" for number in itertools.count())

    def worker() -> ProcessPoolExecutor:
        folder = next(folders)
        folder.mkdir()
        pools.append(ProcessPoolExecutor(1, spawn, initializer=start, initargs=(folder,)))
        return pools[-1]

    def give(item: T) -> None:
        chosen = idle.pop()
        try:
            future = chosen.submit(work, item)
        except BrokenProcessPool:  # killed while it had nothing to do
            chosen = worker()
            future = chosen.submit(work, item)
        running[future] = chosen, item

    pools: list[ProcessPoolExecutor] = []  # all: Ctrl-C may come while one is idle no more
    waiting = iter(items)
    running: dict[Future[R], tuple[ProcessPoolExecutor, T]] = {}
    try:
        idle = [worker() for _ in range(min(jobs, len(items)))]
        while True:
            while idle and (item := next(waiting, None)) is not None:
                give(item)
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                used, item = running.pop(future)
                try:
                    yield item, future.result()
                    idle.append(used)
                except BrokenProcessPool:
                    used.shutdown(wait=False)
                    idle.append(worker())
                    yield item, Killed()
    finally:
        for pool in pools:
            pool.shutdown(cancel_futures=True)  # what has begun ends, also after Ctrl-C
