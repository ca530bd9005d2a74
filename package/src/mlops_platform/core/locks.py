"""Locks between processes. The operating system frees one when its process ends, even if killed."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import make_folder, patiently, write_text


@contextmanager
def exclusive(folder: Path, task: str, *, wait: float = 0) -> Iterator[None]:
    """Hold the lock of a folder; `running.json` in it tells other processes who does.

    `task` is what the lock is for, as the subject of a sentence; `wait` is in seconds.

    Raises:
        UsageError: another process holds it; the message names it.
    """
    make_folder(folder)
    holder = folder / "running.json"
    lock = FileLock(folder / ".lock", timeout=wait)
    try:
        lock.acquire()
    except Timeout:
        raise UsageError(
            f"{task} runs already: {_describe(holder)}. Nothing was changed. Wait until it has "
            "ended, or end it, then try again."
        ) from None
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        content = {"pid": os.getpid(), "host": platform.node(), "since": since}
        write_text(holder, json.dumps(content) + "\n")
        yield
    finally:
        try:
            patiently(lambda: holder.unlink(missing_ok=True))
        finally:
            lock.release()


def _describe(holder: Path) -> str:
    """The process that holds the lock; the lock itself is the proof that there is one."""
    try:
        content = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {content['pid']} on {content['host']}, since {content['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process, which has just started"
