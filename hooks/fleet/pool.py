"""Runs work in several processes; a killed process does not stop the others.

Copier changes the working directory, so threads cannot be used. A pool of several processes stops
when one of them is killed. Here each worker is a pool of one process, and a new one replaces it.
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


class WorkerKilledError(Exception):
    """The process that did the work has ended: killed, out of memory, or crashed."""


def run_in_processes(
    work: Callable[[T], R],
    items: Sequence[T],
    *,
    jobs: int,
    start: Callable[[Path], None],
    scratch: Path,
) -> Iterator[tuple[T, R | WorkerKilledError]]:
    """Yield each item with its result, in the order in which they finish.

    `start` is called once in each worker, with a folder of its own below `scratch`. `work` returns
    its errors, it does not raise them.
    """
    spawn = multiprocessing.get_context("spawn")  # the same on every system
    folders = (scratch / f"worker-{number}" for number in itertools.count())

    def new_worker() -> ProcessPoolExecutor:
        folder = next(folders)
        folder.mkdir()
        pools.append(ProcessPoolExecutor(1, spawn, initializer=start, initargs=(folder,)))
        return pools[-1]

    def submit(item: T) -> None:
        worker = idle.pop()
        try:
            future = worker.submit(work, item)
        except BrokenProcessPool:  # killed while it was idle
            worker = new_worker()
            future = worker.submit(work, item)
        running[future] = worker, item

    pools: list[ProcessPoolExecutor] = []  # all of them: Ctrl-C may come at any time
    waiting = iter(items)
    running: dict[Future[R], tuple[ProcessPoolExecutor, T]] = {}
    try:
        idle = [new_worker() for _ in range(min(jobs, len(items)))]
        while True:
            while idle and (item := next(waiting, None)) is not None:
                submit(item)
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                worker, item = running.pop(future)
                try:
                    yield item, future.result()
                    idle.append(worker)
                except BrokenProcessPool:
                    worker.shutdown(wait=False)
                    idle.append(new_worker())
                    yield item, WorkerKilledError()
    finally:
        for pool in pools:
            pool.shutdown(cancel_futures=True)  # running work finishes, also after Ctrl-C
