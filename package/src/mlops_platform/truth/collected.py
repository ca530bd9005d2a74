"""Imports the predictions that Azure's data collector kept: JSON lines, one for each request.

    <endpoint>/<deployment>/predictions/<yyyy>/<MM>/<dd>/<HH>/<instance>.jsonl

A line has `time` and `data`, a list of rows; with `datainblob` it only names another blob. Format:
https://learn.microsoft.com/azure/machine-learning/how-to-collect-production-data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mlops_platform.core.files import hash_path
from mlops_platform.data.contract import Contract
from mlops_platform.truth import ids, ledger
from mlops_platform.truth.config import Truth
from mlops_platform.truth.ledger import Ledger

COLLECTION = "predictions"
VERSION, PROBABILITY, VALUE = "version", "probability_", "value"
Row = tuple[datetime, Any, list[float]]  # when, the id, the scores
BLOCK = 20_000  # rows that are written together


class Import:
    """Adds the files of a folder to a ledger; one that has grown replaces what it gave before.

    `unread` counts lines that no prediction can be taken from: of another collection, without a
    version, or whose rows are in another blob.
    """

    def __init__(self, into: Ledger, contract: Contract, truth: Truth) -> None:
        self.unread = 0
        self._ledger, self._contract, self._truth = into, contract, truth
        self._id = next(iter(contract.named("id")), None)

    def run(self, folder: Path) -> None:
        """Import the files of the collection `predictions`: the folder's own, or below it."""
        for file in sorted(folder.rglob("*.jsonl")):
            relative = file.relative_to(folder).as_posix()
            if COLLECTION not in (folder.name, *relative.split("/")):
                continue
            source = f"collected-{hashlib.sha256(relative.encode()).hexdigest()[:32]}"
            self._ledger.append(self._tables(file), source, hash_path(file))

    def _tables(self, file: Path) -> Iterator[pa.Table]:
        """The predictions of a file, version by version."""
        waiting: dict[str, list[Row]] = {}
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                if not line.strip():
                    continue
                try:
                    found = list(self._rows(json.loads(line)))
                except (ValueError, KeyError, TypeError, AttributeError):
                    self.unread += 1
                    continue
                for version, row in found:
                    waiting.setdefault(version, []).append(row)
                for version in [each for each in waiting if len(waiting[each]) >= BLOCK]:
                    yield self._table(version, waiting.pop(version))
        for version, rows in waiting.items():
            yield self._table(version, rows)

    def _rows(self, event: dict[str, Any]) -> Iterator[tuple[str, Row]]:
        when = _time(event["time"])
        rows = event["data"]
        if not isinstance(rows, list):
            raise TypeError("the rows are in another blob")
        for row in rows:
            names = [name for name in row if name.startswith(PROBABILITY)] or [VALUE]
            scores = [float(row[name]) for name in names]
            yield str(row[VERSION]), (when, row.get(self._id), scores)

    def _table(self, version: str, rows: list[Row]) -> pa.Table:
        times, given, scores = zip(*rows, strict=True)
        column = self._contract.columns[self._id] if self._id else None
        return ledger.table(
            ids.as_texts(list(given), column),
            np.array(scores),
            version=version,
            period=[self._truth.period_of(when) for when in times],
            time=list(times),
        )


def _time(text: Any) -> datetime:
    """A time of the collector: ISO 8601, or seconds since 1970."""
    if isinstance(text, int | float) or str(text).isdigit():
        return datetime.fromtimestamp(float(text), UTC)
    when = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return when if when.tzinfo else when.replace(tzinfo=UTC)
