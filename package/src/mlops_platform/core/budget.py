"""Interrupts a block of code that takes too long."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_platform.core.errors import UsageError


@contextmanager
def time_budget(seconds: float, source: Path) -> Iterator[None]:
    """Interrupt the block after this many seconds of wall time.

    Raises:
        UsageError: the time has expired.
    """
    # A shell starts background jobs with interrupts ignored; this process would inherit that.
    previous_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    expired, main_thread = threading.Event(), threading.get_ident()

    def interrupt() -> None:
        expired.set()
        if hasattr(signal, "pthread_kill"):  # also wakes a fit that waits for its workers
            signal.pthread_kill(main_thread, signal.SIGINT)
        else:
            _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        if not expired.is_set():
            raise
        raise UsageError(
            f"{source}, field `time_budget_seconds`: the fit took longer than {seconds:g} s and "
            "was stopped. Give it more time, less data or a smaller model."
        ) from None
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, previous_handler)
