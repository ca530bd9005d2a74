"""Keeps the predictions of an endpoint: a bounded buffer, and a thread that writes it.

A request only adds its answer to the buffer. What cannot be kept, because the buffer is full or
the folder cannot be written, is counted and logged.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from mlops_platform.data.contract import Contract
from mlops_platform.truth import ids, ledger
from mlops_platform.truth.config import Truth
from mlops_platform.truth.ledger import Ledger

WRITE_ROWS = 5_000  # are written at once: building more would hold up requests
WRITE_SECONDS = 300.0  # after which fewer are written, too
MOST_ROWS = 200_000  # wait at most, while the folder cannot be written
CLOSE_SECONDS = 5.0
Count = Callable[[Literal["kept", "lost"], int], object]
log = logging.getLogger(__name__)


class Recorder:
    """Keeps predictions of one version; `count` is told how many were kept and lost."""

    def __init__(
        self,
        into: Ledger,
        truth: Truth,
        *,
        version: str,
        contract: Contract,
        most_rows: int = MOST_ROWS,
        seconds: float = WRITE_SECONDS,
    ) -> None:
        """Start the thread.

        Raises:
            UsageError: the ledger's folder cannot be written.
        """
        into.require_writable()
        self.count: Count = lambda outcome, rows: None
        self._ledger, self._truth, self._version = into, truth, version
        self._labels = contract.labels
        name = next(iter(contract.named("id")), None)
        self._column = contract.columns[name] if name else None
        self._most, self._seconds = most_rows, seconds
        self._waiting: deque[tuple[datetime, list[dict[str, Any]]]] = deque()
        self._rows = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._expired: date | None = None
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def add(self, predictions: list[dict[str, Any]]) -> None:
        """Keep an answer's predictions; returns at once."""
        with self._lock:
            fits = self._rows + len(predictions) <= self._most
            if fits:
                self._waiting.append((ledger.utc_now(), predictions))
                self._rows += len(predictions)
        if not fits:
            self.count("lost", len(predictions))
        elif self._rows >= WRITE_ROWS:
            self._wake.set()

    def close(self) -> None:
        """Write what waits, and stop; what cannot be written within seconds is lost."""
        self._stopping = True
        self._wake.set()
        self._thread.join(CLOSE_SECONDS)
        with self._lock:
            lost, self._rows = self._rows, 0
            self._waiting.clear()
        if lost:
            self.count("lost", lost)
            log.error("%d predictions were answered, but not kept", lost)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(self._seconds)
            self._wake.clear()
            self._write_all()
        self._write_all()

    def _write_all(self) -> None:
        """Write what waits, block by block; keep a block that fails, to try again later."""
        while block := self._take():
            rows = sum(len(predictions) for _, predictions in block)
            try:
                self._ledger.append([self._table(block)])
            except (OSError, pa.ArrowException) as error:
                log.error("predictions cannot be kept: %s", type(error).__name__)
                with self._lock:
                    self._waiting.extendleft(reversed(block))
                    self._rows += rows
                return
            self.count("kept", rows)
            self._expire()

    def _take(self) -> list[tuple[datetime, list[dict[str, Any]]]]:
        block: list[tuple[datetime, list[dict[str, Any]]]] = []
        rows = 0
        with self._lock:
            while self._waiting and rows < WRITE_ROWS:
                block.append(self._waiting.popleft())
                rows += len(block[-1][1])
            self._rows -= rows
        return block

    def _table(self, block: list[tuple[datetime, list[dict[str, Any]]]]) -> pa.Table:
        rows = [(when, row) for when, predictions in block for row in predictions]
        if self._labels:
            scores = [[row["probabilities"][label] for label in self._labels] for _, row in rows]
        else:
            scores = [[row["value"]] for _, row in rows]
        return ledger.table(
            ids.as_texts([row.get("id") for _, row in rows], self._column),
            np.array(scores),
            version=self._version,
            period=[self._truth.period_of(when) for when, _ in rows],
            time=[when for when, _ in rows],
        )

    def _expire(self) -> None:
        """Delete what is too old, once a day."""
        now = ledger.utc_now()
        if self._expired == now.date():
            return
        self._expired = now.date()
        try:
            self._ledger.expire(self._truth.days, now)
        except (OSError, pa.ArrowException) as error:
            log.error("old predictions cannot be deleted: %s", type(error).__name__)
