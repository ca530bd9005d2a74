"""Validates rows against a data contract: columns, types and rules."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandas.api.types import is_scalar

from mlops_platform.core.text import pluralize
from mlops_platform.data import values
from mlops_platform.data.columns import EXACT, MAX_TEXT, Column
from mlops_platform.data.hints import suggest
from mlops_platform.data.source import PLAIN, Source
from mlops_platform.evidence import Finding

NO_FAULTS = pd.DataFrame(columns=["row", "column", "rule", "value"])

if TYPE_CHECKING:
    from mlops_platform.data.contract import Contract


def check_columns(
    contract: Contract, frame: pd.DataFrame, *, scoring: bool = False
) -> list[Finding]:
    """Find missing, unknown and duplicate columns."""
    only = str(frame.columns[0]) if len(frame.columns) == 1 else ""
    if only not in contract.raw and (separator := re.search(r"[;|\t]", only)):
        message = (
            f"the columns are separated by {separator[0]!r}: write it as `separator` in "
            "`source:` of conf/data.yml, or set `sep` where data.py reads the file"
        )
        return [_finding("(file)", "columns", len(frame), message)]
    named = {name: _meant(str(name), contract) for name in frame.columns}
    if len(frame.columns) > 1 and not set(named.values()) & set(contract.raw):
        shown = ", ".join(f"`{name}`" for name in frame.columns[:3])
        message = (
            f"no column of conf/data.yml is there, but {shown}: write the column names in the "
            "first line"
        )
        return [_finding("(file)", "columns", len(frame), message)]
    findings = []
    for name in contract.required_columns(scoring=scoring):
        if name not in frame.columns and name not in named.values():
            findings.append(_finding(name, "present", len(frame), "the column is missing"))
    for name, count in Counter(frame.columns).items():
        if name not in contract.raw:
            findings.append(_unknown(str(name), named[name], contract, frame))
        elif count > 1:
            findings.append(_finding(name, "once", len(frame), f"appears {count} times"))
    return findings


def _meant(name: str, contract: Contract) -> str:
    """The contract's column of this name but for spaces and capital letters, else the name."""
    plain = name.strip().lower()
    return next((known for known in contract.raw if known.lower() == plain), name)


def _unknown(name: str, meant: str, contract: Contract, frame: pd.DataFrame) -> Finding:
    """A column that the contract does not have, or that pandas named so."""
    first = re.sub(r"\.\d+$", "", name)
    if first != name and first in frame.columns:
        message = f"is twice in the header (pandas calls the second `{name}`): rename or drop one"
        return _finding(first, "once", len(frame), message)
    if meant != name:
        message = f"is `{meant}` but for spaces or capital letters: rename it"
        return _finding(name, "named", len(frame), message)
    if name.startswith("Unnamed: "):
        message = "has no name in the header: write one, or remove the comma too many"
        return _finding(name, "named", len(frame), message)
    if name in contract.derived:
        message = "is derived, by derive() of data.py: remove it from the file"
        return _finding(name, "known", len(frame), message)
    message = "is not in conf/data.yml: add it there (`role: ignored`), or drop it"
    return _finding(name, "known", len(frame), message)


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
    return pa.DataFrameSchema(
        {name: checks_of(column) for name, column in contract.columns.items()}
    )


def failure_cases(
    contract: Contract, typed: pd.DataFrame, unreadable: pd.DataFrame
) -> pd.DataFrame:
    """Values that violate a rule: columns `row` (index label), `column`, `rule`, `value`."""
    failures = [
        pd.DataFrame(
            {
                "row": unreadable.index[unreadable[name]],
                "column": name,
                "rule": f"is a {contract.columns[name].kind}",
                "value": "(unreadable)",
            }
        )
        for name in unreadable.columns
        if unreadable[name].any()
    ]
    try:
        contract.checks.select_columns(list(typed.columns)).validate(typed, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.rename(columns={"index": "row", "failure_case": "value"})
        cases = cases[["row", "column", "check", "value"]].rename(columns={"check": "rule"})
        cases["rule"] = cases["rule"].replace(
            {"not_nullable": "is not missing", "field_uniqueness": "is unique"}
        )
        mask = unreadable.stack()
        reported = cases.set_index(["row", "column"]).index.isin(mask[mask].index)
        failures.append(cases[~reported])
    if not failures:
        return NO_FAULTS
    return pd.concat(failures, ignore_index=True)


def check(contract: Contract, frame: pd.DataFrame) -> list[Finding]:
    """Validate a training file; one finding for each violated rule of a column."""
    findings = check_columns(contract, frame)
    if findings:
        return findings
    if len(frame) < contract.min_rows:
        message = f"{pluralize(len(frame), 'row')}, at least {contract.min_rows} are needed"
        return [_finding("(file)", "min_rows", len(frame), message)]
    frame = frame[list(contract.raw)].reset_index(drop=True)  # a row's label is its position
    return check_values(contract, frame, contract.source)


def check_values(contract: Contract, frame: pd.DataFrame, source: Source = PLAIN) -> list[Finding]:
    """One finding for each violated rule of a column; labels of `frame` are positions of rows."""
    findings = []
    read, unreadable = typed(contract, frame, source)
    failures = failure_cases(contract, read, unreadable)
    for (name, rule), cases in failures.groupby(["column", "rule"], sort=False):
        first = cases.iloc[0]
        count = "1 row violates" if len(cases) == 1 else f"{len(cases)} rows violate"
        message = f"{count} `{rule}`; the first is row {int(first['row']) + 1}"
        value = frame.loc[first["row"], name]
        if not (is_scalar(value) and pd.isna(value)):
            message += f" with '{str(value)[:60]}'"
            if hint := suggest(contract.columns[name], value, source):
                message += f"; {hint}"
        elif name == contract.target:
            message += (
                "; to drop rows without a target, write `rows_without_target: drop` in "
                "conf/data.yml"
            )
        findings.append(_finding(str(name), str(rule), len(cases), message))
    for name in read.columns:
        column = contract.columns[name]
        share = float((read[name].isna() & ~unreadable[name]).mean())
        if column.missing and column.role != "ignored" and share > column.missing:
            message = f"{share:.1%} of the values are missing, at most {column.missing:.1%} allowed"
            findings.append(_finding(name, "missing", int(read[name].isna().sum()), message))
    return findings


def check_target(contract: Contract, frame: pd.DataFrame) -> list[Finding]:
    """Find a target that is the same in all rows of a valid file."""
    found = contract.typed(frame[[contract.target]])[0][contract.target].unique()
    if len(found) != 1:
        return []
    message = f"is '{found[0]}' in every row: there is nothing to learn; add rows of another one"
    return [_finding(contract.target, "varies", len(frame), message)]


def checks_of(column: Column) -> pa.Column:
    """The column's rules as pandera checks, each with a message."""
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
    return pa.Column(
        nullable=bool(column.missing), unique=column.role == "id", checks=checks, required=True
    )


def _bound(bound: float | date) -> Any:
    return pd.Timestamp(bound) if isinstance(bound, date) else bound


def _finding(column: str, rule: str, rows: int, message: str) -> Finding:
    return Finding(column=column, rule=rule, rows=rows, message=message)
