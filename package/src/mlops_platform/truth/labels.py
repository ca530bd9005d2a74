"""Labels: the outcomes that came later, read chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mlops_platform.core.errors import UsageError
from mlops_platform.data import reader
from mlops_platform.data.contract import Contract
from mlops_platform.models import rows
from mlops_platform.models.team import Team
from mlops_platform.truth import ids
from mlops_platform.truth.config import Truth

HASH, VALUE = "hash", "value"


class Labels:
    """The labels in a file or a folder, as conf/truth.yml says.

    `invalid` counts rows whose outcome cannot be read, or is no class of the contract; `pending`
    those that have none yet; `without_id` those that no prediction can be found for.
    """

    def __init__(self, path: Path, contract: Contract, code: Team, truth: Truth) -> None:
        self.rows = self.invalid = self.pending = self.without_id = 0
        self._path, self._contract, self._code, self._truth = path, contract, code, truth
        self._id = contract.named("id")[0]
        self.columns = [*contract.named("sensitive"), *contract.named("group")]
        self.lacking: list[str] = []

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Columns `hash` (uint64), `value` (codes of the labels, or numbers), and `columns`.

        A column that the labels do not have is missing in each row.

        Raises:
            UsageError: nothing to read, or no column with the id or the target.
        """
        contract = self._contract
        for raw in self._raw():
            for name, role in ((self._id, "id"), (contract.target, "target")):
                if name not in raw.columns:
                    raise UsageError(
                        f"{self._path}: has no column `{name}`, the {role} of conf/data.yml. "
                        "conf/truth.yml, `labels`, names a file or folder with id and outcome."
                    )
            self.rows += len(raw)
            if not len(raw):
                continue
            typed, unread = contract.typed(raw[self._wanted(raw)], self._truth.source)
            texts = ids.as_texts(raw[self._id], contract.columns[self._id])
            value, wrong = self._values(typed[contract.target], unread[contract.target])
            named = np.array([text is not None for text in texts], dtype=bool)
            usable = named & ~np.isnan(value)
            self.invalid += int(wrong.sum())
            self.without_id += int((~named).sum())
            self.pending += int((named & np.isnan(value) & ~wrong).sum())
            found = pd.DataFrame({HASH: ids.hashed(texts[usable]), VALUE: value[usable]})
            own = self._derived(raw, typed)
            self.lacking = [name for name in self.columns if name not in own]
            for name in self.columns:
                values = own[name].to_numpy(dtype=object)[usable] if name in own else None
                found[name] = pd.Series(values, index=found.index, dtype="str")
            yield found

    def _raw(self) -> Iterator[pd.DataFrame]:
        if self._truth.source is not None:
            return reader.frames(self._path, self._truth.source)
        return rows.raw_chunks(self._path, self._contract, self._code)

    def _wanted(self, raw: pd.DataFrame) -> list[str]:
        names = [self._contract.target, *self.columns]
        return [name for name in names if name in raw.columns]

    def _values(self, target: pd.Series, unread: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """The outcomes as numbers, NaN where there is none; and whether they are wrong."""
        if not self._contract.labels:
            return target.to_numpy(dtype=np.float64), unread.to_numpy(dtype=bool)
        codes = {label: float(code) for code, label in enumerate(self._contract.labels)}
        value = target.map(codes).to_numpy(dtype=np.float64)
        wrong = unread.to_numpy(dtype=bool) | (target.notna().to_numpy() & np.isnan(value))
        return value, wrong

    def _derived(self, raw: pd.DataFrame, typed: pd.DataFrame) -> pd.DataFrame:
        """The columns of groups, those too that `derive` makes, where the labels have its input."""
        contract = self._contract
        made = [name for name in self.columns if name in contract.derived]
        if not made or not set(contract.requested) <= set(raw.columns):
            return typed
        read = rows.read_rows(raw, contract, self._code, source=self._truth.source)
        return typed.join(read.typed[made])
