"""From raw rows to those that the model sees: one way for training, batch, monitor and endpoint.

Raw values get their types, the rules of the contract judge what is requested, the team's
`derive` makes the derived columns of valid rows, and the rules judge those.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import hash_path
from mlops_platform.core.text import pluralize
from mlops_platform.data import reader, rows, values
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
    if not contract.derived:
        return Rows(typed, faults, pd.DataFrame(index=typed.index))
    good = typed.loc[~typed.index.isin(faults["row"]), asked]
    made = code.derive(good, contract)
    derived, unread = contract.typed(made, PLAIN)
    features = [name for name in contract.derived if name in contract.features]
    new = contract.failure_cases(derived[features], unread[features])
    if len(new):
        faults = pd.concat([faults, new], ignore_index=True) if len(faults) else new
    return Rows(pd.concat([typed, derived.reindex(typed.index)], axis=1), faults, made)


def for_training(path: Path, contract: Contract, code: Team) -> pd.DataFrame:
    """Raw rows to train on: read, selected by the team's `select`, numbered from 0.

    Rows without a target are dropped if conf/data.yml says so.

    Raises:
        UsageError: nothing to read, or the team's code fails.
    """
    raw = code.select(raw_rows(path, contract, code))
    if contract.rows_without_target == "drop" and contract.target in raw.columns:
        there = values.without_empty(raw[contract.target]).notna()
        if not there.all():
            dropped = pluralize(int((~there).sum()), "row")
            terminal.log(f"{path}: {dropped} without `{contract.target}` dropped")
            raw = raw[there].reset_index(drop=True)
    return raw


def raw_rows(path: Path, contract: Contract, code: Team) -> pd.DataFrame:
    """All raw rows of a file or folder, as `source` of the contract says, or by the team's `load`.

    Raises:
        UsageError: nothing to read, or two ways to read it.
    """
    require_one_way(contract, code)
    return code.load_raw(path) if code.has("data", "load") else reader.read(path, contract.source)


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


def content_hash(path: Path, contract: Contract, raw: pd.DataFrame, code: Team) -> str:
    """SHA-256 of the data that `raw` was read from."""
    if code.has("data", "load"):
        return hash_path(path)
    return reader.content_hash(path, contract.source, raw)


def findings(raw: pd.DataFrame, contract: Contract, code: Team) -> list[Finding]:
    """What is wrong with raw rows to train on; of derived columns, with their valid rows.

    Raises:
        UsageError: the team's `derive` fails, or returns other rows or columns.
    """
    found = contract.check(raw)
    if any(finding.column not in contract.raw for finding in found) or not contract.derived:
        return found
    if {finding.rule for finding in found} & {"present", "once"}:
        return found
    made = read_rows(raw, contract, code).made
    return found + rows.check_values(contract, made)
