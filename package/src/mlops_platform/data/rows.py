"""Validates rows against a data contract: columns, types and rules."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_platform.data import values
from mlops_platform.data.columns import EXACT, MAX_TEXT, Column
from mlops_platform.data.source import PLAIN, Source
from mlops_platform.evidence import Finding

UNIQUE = "is unique"  # the rule of ids
NO_FAULTS = pd.DataFrame(columns=["row", "column", "rule", "value"])

if TYPE_CHECKING:
    import pandera.pandas as pa

    from mlops_platform.data.contract import Contract


def check_columns(
    contract: Contract, names: list[str], count: int, *, scoring: bool = False
) -> list[Finding]:
    """Find missing, unknown and duplicate columns of `count` rows."""
    only = str(names[0]) if len(names) == 1 else ""
    if only not in contract.raw and (separator := re.search(r"[;|\t]", only)):
        message = (
            f"the columns are separated by {separator[0]!r}: write it as `separator` in "
            "`source:` of conf/data.yml, or set `sep` where data.py reads the file"
        )
        return [finding("(file)", "columns", count, message)]
    named = {name: _meant(str(name), contract) for name in names}
    if len(names) > 1 and not set(named.values()) & set(contract.raw):
        shown = ", ".join(f"`{name}`" for name in names[:3])
        message = (
            f"no column of conf/data.yml is there, but {shown}: write the column names in the "
            "first line"
        )
        return [finding("(file)", "columns", count, message)]
    findings = []
    for name in contract.required_columns(scoring=scoring):
        if name not in names and name not in named.values():
            findings.append(finding(name, "present", count, "the column is missing"))
    for name, times in Counter(names).items():
        if name not in contract.raw:
            findings.append(_unknown(str(name), named[name], contract, names, count))
        elif times > 1:
            findings.append(finding(name, "once", count, f"appears {times} times"))
    return findings


def _meant(name: str, contract: Contract) -> str:
    """The contract's column of this name but for spaces and capital letters, else the name."""
    plain = name.strip().lower()
    return next((known for known in contract.raw if known.lower() == plain), name)


def _unknown(name: str, meant: str, contract: Contract, names: list[str], count: int) -> Finding:
    """A column that the contract does not have, or that pandas named so."""
    first = re.sub(r"\.\d+$", "", name)
    if first != name and first in names:
        message = f"is twice in the header (pandas calls the second `{name}`): rename or drop one"
        return finding(first, "once", count, message)
    if meant != name:
        message = f"is `{meant}` but for spaces or capital letters: rename it"
        return finding(name, "named", count, message)
    if name.startswith("Unnamed: "):
        message = "has no name in the header: write one, or remove the comma too many"
        return finding(name, "named", count, message)
    if name in contract.derived:
        message = "is derived, by derive() of data.py: remove it from the file"
        return finding(name, "known", count, message)
    message = "is not in conf/data.yml: add it there (`role: ignored`), or drop it"
    return finding(name, "known", count, message)


def typed(
    contract: Contract, frame: pd.DataFrame, source: Source = PLAIN
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Convert the contract's columns to their types; with a mask of unreadable values.

    Numbers become float64, dates datetime64 (in UTC if they have a time zone), others str in an
    object column. An unreadable value is missing in the first frame and True in the mask.
    """
    read: dict[str, pd.Series] = {}
    unreadable: dict[str, np.ndarray] = {}
    for name, column in contract.columns.items():
        if name in frame.columns:
            read[name], unreadable[name] = values.convert(frame[name], column, source)
    return (
        pd.DataFrame(read, index=frame.index),
        pd.DataFrame(unreadable, index=frame.index, dtype=bool),
    )


def schema(contract: Contract) -> pa.DataFrameSchema:
    """The rules of all columns as a pandera schema."""
    import pandera.pandas as pa  # noqa: PLC0415  a third of a second; judged rows need no rules

    return pa.DataFrameSchema(
        {name: checks_of(column) for name, column in contract.columns.items()}
    )


def failure_cases(
    contract: Contract, typed: pd.DataFrame, unreadable: pd.DataFrame
) -> pd.DataFrame:
    """Values that violate a rule: columns `row` (index label), `column`, `rule`, `value`."""
    from pandera.errors import SchemaErrors  # noqa: PLC0415

    failures = [
        pd.DataFrame(
            {
                "row": unreadable.index[unreadable[name]],
                "column": name,
                "rule": readable(contract.columns[name]),
                "value": "(unreadable)",
            }
        )
        for name in unreadable.columns
        if unreadable[name].any()
    ]
    try:
        contract.checks.select_columns(list(typed.columns)).validate(typed, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.rename(columns={"index": "row", "failure_case": "value"})
        cases = cases[["row", "column", "check", "value"]].rename(columns={"check": "rule"})
        cases["rule"] = cases["rule"].replace({"not_nullable": "is not missing"})
        mask = unreadable.stack()
        reported = cases.set_index(["row", "column"]).index.isin(mask[mask].index)
        failures.append(cases[~reported])
    if not failures:
        return NO_FAULTS
    return pd.concat(failures, ignore_index=True)


def rules(column: Column) -> list[str]:
    """The rules of a column's values, in the order of their report."""
    return ["is not missing", UNIQUE, *(check.error for check in checks_of(column).checks)]


def readable(column: Column) -> str:
    """The rule that a column's values can be read."""
    return f"is a {column.kind}"


def checks_of(column: Column) -> pa.Column:
    """The column's rules as pandera checks, each with a message."""
    import pandera.pandas as pa  # noqa: PLC0415

    checks = []
    if column.min is not None:
        checks.append(pa.Check.ge(_bound(column.min), error=f"at least {column.min}"))
    if column.max is not None:
        checks.append(pa.Check.le(_bound(column.max), error=f"at most {column.max}"))
    if column.values is not None:
        checks.append(pa.Check.isin(column.values, error=f"one of {', '.join(column.values)}"))
    if column.kind == "integer":
        checks.append(pa.Check(lambda values: values % 1 == 0, error="is a whole number"))
        far = f"is between -{EXACT} and {EXACT}"
        checks.append(pa.Check(lambda values: values.abs() <= EXACT, error=far))
    if column.kind == "text":
        checks.append(pa.Check.str_length(max_value=MAX_TEXT, error=f"at most {MAX_TEXT} letters"))
    return pa.Column(nullable=bool(column.missing), checks=checks, required=True)


def _bound(bound: float | date) -> Any:
    return pd.Timestamp(bound) if isinstance(bound, date) else bound


def finding(column: str, rule: str, rows: int, message: str) -> Finding:
    """A finding of a column; `rows` violate the rule."""
    return Finding(column=column, rule=rule, rows=rows, message=message)
