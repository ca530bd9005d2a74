"""Validates training rows against a contract, chunk by chunk, in memory that does not grow.

Only the ids need some: 8 bytes a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_scalar

from mlops_platform.core.text import pluralize
from mlops_platform.data import rows
from mlops_platform.data.hints import suggest
from mlops_platform.data.source import Source
from mlops_platform.evidence import Finding

if TYPE_CHECKING:
    from mlops_platform.data.contract import Contract


@dataclass
class Cases:
    """The rows that violate one rule of a column: how many, the first, and its value there."""

    count: int
    row: int
    value: Any


class Tally:
    """Counts what is wrong with the values of some columns.

    Each chunk has other labels; they are positions of rows, from 0.
    """

    def __init__(self, contract: Contract, source: Source) -> None:
        self.cases: dict[tuple[str, str], Cases] = {}
        self._contract = contract
        self._source = source
        self._rows = 0
        self._missing: Counter[str] = Counter()
        self._unreadable: Counter[str] = Counter()

    def add(self, raw: pd.DataFrame, typed: pd.DataFrame, unreadable: pd.DataFrame) -> pd.DataFrame:
        """Count the faults of some rows, and return them (`Contract.failure_cases`)."""
        failures = self._contract.failure_cases(typed, unreadable)
        for (name, rule), cases in failures.groupby(["column", "rule"], sort=False):
            first = cases.iloc[0]["row"]
            found = Cases(0, int(first), raw.loc[first, name])
            self.cases.setdefault((str(name), str(rule)), found).count += len(cases)
        self._rows += len(typed)
        for name in typed.columns:
            self._missing[name] += int(typed[name].isna().sum())
            self._unreadable[name] += int(unreadable[name].sum())
        return failures

    def merge(self, later: Tally, position: int) -> None:
        """Add what another has counted of later rows; its row 0 is at `position` here."""
        for case, cases in later.cases.items():
            found = Cases(0, cases.row + position, cases.value)
            self.cases.setdefault(case, found).count += cases.count
        self._rows += later._rows
        self._missing.update(later._missing)
        self._unreadable.update(later._unreadable)

    def findings(self) -> list[Finding]:
        """One finding for each violated rule of a column."""
        order = {rule: place for place, rule in enumerate(self._rules())}
        found = [
            self._finding(name, rule, self.cases[name, rule])
            for name, rule in sorted(self.cases, key=lambda case: order[case])
        ]
        for name, missing in self._missing.items():
            column = self._contract.columns[name]
            share = (missing - self._unreadable[name]) / self._rows if self._rows else 0
            if column.missing and column.role != "ignored" and share > column.missing:
                text = (
                    f"{share:.1%} of the values are missing, at most {column.missing:.1%} allowed"
                )
                found.append(rows.finding(name, "missing", missing, text))
        return found

    def _rules(self) -> Iterator[tuple[str, str]]:
        """Columns and rules as they are reported: first what cannot be read."""
        columns = self._contract.columns.items()
        yield from ((name, rows.readable(column)) for name, column in columns)
        for name, column in columns:
            for rule in rows.rules(column):
                yield name, rule

    def _finding(self, name: str, rule: str, cases: Cases) -> Finding:
        count = "1 row violates" if cases.count == 1 else f"{cases.count} rows violate"
        message = f"{count} `{rule}`; the first is row {cases.row + 1}"
        value = cases.value
        if not (is_scalar(value) and pd.isna(value)):
            message += f" with '{str(value)[:60]}'"
            if hint := suggest(self._contract.columns[name], value, self._source):
                message += f"; {hint}"
        elif name == self._contract.target:
            message += (
                "; to drop rows without a target, write `rows_without_target: drop` in "
                "conf/data.yml"
            )
        return rows.finding(name, rule, cases.count, message)


class Repeats:
    """Finds values that stand more than once in a column, by hashes of 8 bytes.

    Two different values may have one hash, so the rows of such hashes are looked at again.
    """

    def __init__(self) -> None:
        self._hashes: list[np.ndarray] = []

    def add(self, values: pd.Series) -> None:
        """Take typed values."""
        self._hashes.append(hashes(values.dropna()))

    def put(self, taken: np.ndarray) -> None:
        """Take hashes of values, (values,)."""
        self._hashes.append(taken)

    def take(self) -> np.ndarray:
        """The hashes of all values, (values,), which are forgotten here."""
        taken = np.concatenate(self._hashes) if self._hashes else np.empty(0, np.uint64)
        self._hashes = []
        return taken

    def suspicious(self) -> np.ndarray:
        """Hashes that stand more than once, (hashes,)."""
        taken = self.take()
        taken.sort()
        return np.unique(taken[1:][taken[1:] == taken[:-1]])


class Check:
    """Validates rows to train on: `add` each chunk, then ask for the findings.

    `add` returns the typed rows and the faults of the chunk.
    """

    def __init__(self, contract: Contract) -> None:
        self.rows = 0
        self.repeats = Repeats()
        self._contract = contract
        self._columns: list[str] | None = None
        self._tally = Tally(contract, contract.source)
        self._targets: set[Any] = set()

    def add(self, raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame] | None:
        """Count the faults of raw rows, whose labels are their positions from 0 on.

        Returns the typed rows and their faults; None where columns are wrong, and no value counts.
        """
        if self._columns is None:
            self._columns = list(raw.columns)
        self.rows += len(raw)
        if self._column_findings():
            return None
        raw = raw[list(self._contract.raw)]
        typed, unreadable = self._contract.typed(raw)
        faults = self._tally.add(raw, typed, unreadable)
        for name in self._contract.named("id"):
            self.repeats.add(typed[name])
        if len(self._targets) < 2:
            self._targets |= set(typed[self._contract.target].unique())
        return typed, faults

    def merge(self, later: Check) -> None:
        """Add what another has found in later rows, which have the same columns."""
        if self._columns is None:
            self._columns = later._columns
        self._tally.merge(later._tally, self.rows)
        self.repeats.put(later.repeats.take())
        self._targets |= later._targets
        self.rows += later.rows

    def findings(self, again: Callable[[], Iterable[pd.DataFrame]]) -> list[Finding]:
        """One finding for each violated rule; `again` gives the same chunks once more."""
        if found := self._column_findings():
            return found
        if self.rows < self._contract.min_rows:
            text = f"{pluralize(self.rows, 'row')}, at least {self._contract.min_rows} are needed"
            return [rows.finding("(file)", "min_rows", self.rows, text)]
        self._count_repeats(again)
        return self._tally.findings()

    def target_findings(self) -> list[Finding]:
        """Find a target that is the same in all rows of valid data."""
        if len(self._targets) != 1:
            return []
        name = self._contract.target
        text = (
            f"is '{next(iter(self._targets))}' in every row: there is nothing to learn; add rows "
            "of another one"
        )
        return [rows.finding(name, "varies", self.rows, text)]

    def _column_findings(self) -> list[Finding]:
        return rows.check_columns(self._contract, self._columns or [], self.rows)

    def _count_repeats(self, again: Callable[[], Iterable[pd.DataFrame]]) -> None:
        suspicious = self.repeats.suspicious()
        if not len(suspicious):
            return
        (name,) = self._contract.named("id")
        parts = []
        for raw in again():
            values = ids_with(suspicious, raw, self._contract)
            parts.append(pd.DataFrame({"value": values, "raw": raw.loc[values.index, name]}))
        found = pd.concat(parts)
        found = found[found["value"].duplicated(keep=False)]
        if len(found):
            first = Cases(len(found), int(found.index[0]), found["raw"].iloc[0])
            self._tally.cases[name, rows.UNIQUE] = first


def check(contract: Contract, frame: pd.DataFrame) -> list[Finding]:
    """Validate a training file; one finding for each violated rule of a column."""
    frame = frame.reset_index(drop=True)
    checked = Check(contract)
    checked.add(frame)
    return checked.findings(lambda: [frame])


def ids_with(found: np.ndarray, raw: pd.DataFrame, contract: Contract) -> pd.Series:
    """The typed ids of raw rows that have one of the hashes in `found`."""
    (name,) = contract.named("id")
    values = contract.typed(raw[[name]])[0][name].dropna()
    return values[np.isin(hashes(values), found)]


def hashes(values: pd.Series) -> np.ndarray:
    """A hash of each value, (rows,)."""
    found: np.ndarray = pd.util.hash_pandas_object(values, index=False, categorize=False).to_numpy()
    return found
