"""From raw rows to those that the model sees: one way for training, batch, monitor and endpoint.

Raw values get their types, the rules of the contract judge what is requested, the team's
`derive` makes the derived columns of valid rows, and the rules judge those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import hash_path
from mlops_platform.core.text import pluralize
from mlops_platform.data import check, reader, rows, values
from mlops_platform.data.contract import Contract
from mlops_platform.data.source import PLAIN, Source
from mlops_platform.evidence import Finding
from mlops_platform.models.team import Team


class Rows(NamedTuple):
    """Typed rows, with derived columns; and the faults of `Contract.failure_cases`.

    Only what scoring needs is judged. A row with a fault in a raw column has no derived values;
    `made` are those of the others, as the team's `derive` returned them.
    """

    typed: pd.DataFrame
    faults: pd.DataFrame
    made: pd.DataFrame


def read_rows(
    raw: pd.DataFrame,
    contract: Contract,
    code: Team,
    *,
    source: Source | None = None,
    judged: bool = False,
) -> Rows:
    """Type raw rows and derive the rest; `raw` has one label a row.

    Args:
        raw: rows of a file, a database or a request, with at least what scoring requests.
        contract: that of the model, or of conf/data.yml.
        code: the team's code.
        source: how text is written; the contract's own unless given.
        judged: the raw values keep the contract already.

    Raises:
        UsageError: the team's `derive` fails, or returns other rows or columns.
    """
    names = [name for name in contract.raw if name in raw.columns]
    typed, unread = contract.typed(raw[names], source)
    asked = contract.requested
    faults = rows.NO_FAULTS if judged else contract.failure_cases(typed[asked], unread[asked])
    return _with_derived(typed, faults, contract, code)


def request_rows(given: Sequence[Mapping[str, Any]], contract: Contract, code: Team) -> Rows:
    """What `read_rows` reads of a request's rows, whose values its types have judged already.

    Raises:
        UsageError: the team's `derive` fails, or returns other rows or columns.
    """
    typed = pd.DataFrame(
        {
            name: values.of_request([row[name] for row in given], contract.raw[name])
            for name in contract.requested
        }
    )
    return _with_derived(typed, rows.NO_FAULTS, contract, code)


def _with_derived(
    typed: pd.DataFrame, faults: pd.DataFrame, contract: Contract, code: Team
) -> Rows:
    if not contract.derived:
        return Rows(typed, faults, pd.DataFrame(index=typed.index))
    good = typed.loc[~typed.index.isin(faults["row"]), contract.requested]
    made = code.derive(good, contract)
    derived, unread = contract.typed(made, PLAIN)
    features = [name for name in contract.derived if name in contract.features]
    new = contract.failure_cases(derived[features], unread[features])
    if len(new):
        faults = pd.concat([faults, new], ignore_index=True) if len(faults) else new
    return Rows(pd.concat([typed, derived.reindex(typed.index)], axis=1), faults, made)


def for_training(path: Path, contract: Contract, code: Team) -> pd.DataFrame:
    """All raw rows to train on, in memory; see `training_chunks`."""
    return pd.concat(training_chunks(path, contract, code))


def training_chunks(path: Path, contract: Contract, code: Team) -> Iterator[pd.DataFrame]:
    """Raw rows to train on, some at a time; all together are numbered from 0. At least one chunk.

    Rows without a target are dropped if conf/data.yml says so. With the team's `select` or `load`,
    which get and return all rows, there is one chunk.

    Raises:
        UsageError: nothing to read, or the team's code fails.
    """
    chunks: Iterable[pd.DataFrame] = raw_chunks(path, contract, code)
    if code.has("data", "select"):
        chunks = [code.select(pd.concat(chunks, ignore_index=True))]
    rows_before = dropped = 0
    for chunk in chunks:
        raw = chunk
        if contract.rows_without_target == "drop" and contract.target in raw.columns:
            there = values.without_empty(raw[contract.target]).notna()
            dropped += int((~there).sum())
            raw = raw[there]
        raw.index = pd.RangeIndex(rows_before, rows_before + len(raw))
        rows_before += len(raw)
        yield raw
    if dropped:
        text = f"{pluralize(dropped, 'row')} without `{contract.target}` dropped"
        terminal.log(f"{path}: {text}")


def raw_chunks(path: Path, contract: Contract, code: Team) -> Iterator[pd.DataFrame]:
    """Raw rows of a file or folder, some at a time, as `source` of the contract says; at least one.

    With the team's `load`, which reads all rows, there is one chunk.

    Raises:
        UsageError: nothing to read, or two ways to read it.
    """
    require_one_way(contract, code)
    if code.has("data", "load"):
        yield code.load_raw(path)
    else:
        yield from reader.frames(path, contract.source)


def require_one_way(contract: Contract, code: Team) -> None:
    """Refuse `source` beside `load` of the team.

    Raises:
        UsageError: both are there.
    """
    if "source" in contract.model_fields_set and code.has("data", "load"):
        raise UsageError(
            f"conf/data.yml, field `source`: {code.path('data')} has load(), which reads files in "
            "its own way, that batch and endpoint do not know. Remove load(), or `source`."
        )


class TrainingCheck:
    """Validates rows to train on, chunk by chunk, those of derived columns too."""

    def __init__(self, contract: Contract, code: Team) -> None:
        self.contract = contract
        self.code = code
        self.raw = check.Check(contract)
        self.derived = check.Tally(contract, PLAIN)

    def add(self, raw: pd.DataFrame) -> None:
        """Count the faults of a chunk of `training_chunks`.

        Raises:
            UsageError: the team's `derive` fails, or returns other rows or columns.
        """
        checked = self.raw.add(raw)
        if checked is None or not self.contract.derived:
            return
        typed, faults = checked
        asked = self.contract.requested
        faulty = faults.loc[faults["column"].isin(asked), "row"]
        good = typed.loc[~typed.index.isin(faulty), asked]
        if len(good):
            made = self.code.derive(good, self.contract)
            self.derived.add(made, *self.contract.typed(made, PLAIN))

    def merge(self, later: TrainingCheck) -> None:
        """Add what another has found in later rows, which have the same columns."""
        self.derived.merge(later.derived, self.raw.rows)
        self.raw.merge(later.raw)

    def findings(self, again: Callable[[], Iterable[pd.DataFrame]]) -> list[Finding]:
        """What is wrong with all rows; `again` gives the same chunks once more."""
        found = self.raw.findings(again)
        if not any(finding.column not in self.contract.raw for finding in found):
            found = found + self.derived.findings()
        return found or self.raw.target_findings()


def findings(raw: pd.DataFrame, contract: Contract, code: Team) -> list[Finding]:
    """What is wrong with raw rows to train on, which are in memory.

    Raises:
        UsageError: the team's `derive` fails, or returns other rows or columns.
    """
    raw = raw.reset_index(drop=True)
    checked = TrainingCheck(contract, code)
    checked.add(raw)
    return checked.findings(lambda: [raw])


class ContentHash:
    """SHA-256 of the data that rows were read from: the bytes of files, or a database's rows.

    `of_rows`: it needs all chunks.
    """

    def __init__(self, path: Path, contract: Contract, code: Team) -> None:
        self.of_rows = not (code.has("data", "load") or reader.is_file(path, contract.source))
        self._path = path
        self._hash = hashlib.sha256()
        self._started = False

    def add(self, raw: pd.DataFrame) -> None:
        """Take a chunk of `training_chunks`."""
        if self.of_rows:
            text = raw.to_csv(index=False, header=not self._started, lineterminator="\n")
            self._hash.update(text.encode())
            self._started = True

    def value(self) -> str:
        """The hash, after all chunks."""
        return self._hash.hexdigest() if self.of_rows else hash_path(self._path)
