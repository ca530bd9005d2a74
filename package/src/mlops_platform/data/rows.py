"""Rows checked against a data contract: structure, types, rules."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandas.api.types import is_datetime64_any_dtype, is_scalar

from mlops_platform.core.text import amount
from mlops_platform.data.columns import MAX_TEXT, Column
from mlops_platform.evidence import Finding

if TYPE_CHECKING:
    from mlops_platform.data.contract import Contract


def structure(contract: Contract, frame: pd.DataFrame, *, scoring: bool = False) -> list[Finding]:
    """Missing, unknown and repeated columns."""
    only = str(frame.columns[0]) if len(frame.columns) == 1 else ""
    if only not in contract.columns and (divided := re.search(r"[;|\t]", only)):
        message = (
            f"its columns are divided by {divided[0]!r}: write commas, or name `sep` where "
            "data.py reads the file"
        )
        return [_finding("(file)", "columns", len(frame), message)]
    findings = []
    for name in contract.needed(scoring=scoring):
        if name not in frame.columns:
            findings.append(_finding(name, "present", len(frame), "the column is missing"))
    for name, count in Counter(frame.columns).items():
        if name not in contract.columns:
            message = "not in conf/data.yml: add it there (`role: ignored`) or drop it"
            findings.append(_finding(str(name), "known", len(frame), message))
        elif count > 1:
            findings.append(_finding(name, "once", len(frame), f"stands {count} times"))
    return findings


def typed(contract: Contract, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The contract's columns in their own types, and a mask of the values that have none.

    Numbers become float64, dates datetime64 (in UTC, where they name a zone), all else str in
    an object column; what cannot be read is missing in the first frame and True in the
    second, of the same shape.
    """
    names = [name for name in contract.columns if name in frame.columns]
    values: dict[str, pd.Series] = {}
    unread: dict[str, pd.Series] = {}
    for name in names:
        raw, column = frame[name], contract.columns[name]
        if column.numeric:
            read = pd.to_numeric(raw, errors="coerce").astype("float64")
            read = read.where(np.isfinite(read))
        elif column.kind == "date":
            # pandas would take a bare year, read as a number, for nanoseconds since 1970.
            text = raw if is_datetime64_any_dtype(raw) else raw.map(str, na_action="ignore")
            read = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True)
            read = read.dt.tz_localize(None)
        else:
            read = raw.astype(object).where(raw.notna(), np.nan)
            known = frozenset(column.values or ())
            read = read.map(partial(_as_text, known=known), na_action="ignore").astype(object)
        values[name], unread[name] = read, raw.notna() & read.isna()
    return (
        pd.DataFrame(values, index=frame.index),
        pd.DataFrame(unread, index=frame.index, dtype=bool),
    )


def schema(contract: Contract) -> pa.DataFrameSchema:
    """The rules of all columns, as pandera checks them."""
    return pa.DataFrameSchema(
        {name: checks_of(column) for name, column in contract.columns.items()}
    )


def row_faults(contract: Contract, typed: pd.DataFrame, unread: pd.DataFrame) -> pd.DataFrame:
    """Values that break a rule: columns `row` (index label), `column`, `rule`, `value`."""
    faults = [
        pd.DataFrame(
            {
                "row": unread.index[unread[name]],
                "column": name,
                "rule": f"is a {contract.columns[name].kind}",
                "value": "(unreadable)",
            }
        )
        for name in unread.columns
        if unread[name].any()
    ]
    try:
        contract.checks.select_columns(list(typed.columns)).validate(typed, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.rename(columns={"index": "row", "failure_case": "value"})
        cases = cases[["row", "column", "check", "value"]].rename(columns={"check": "rule"})
        cases["rule"] = cases["rule"].replace(
            {"not_nullable": "is not missing", "field_uniqueness": "is unique"}
        )
        seen = unread.stack()
        known = cases.set_index(["row", "column"]).index.isin(seen[seen].index)
        faults.append(cases[~known])
    if not faults:
        return pd.DataFrame(columns=["row", "column", "rule", "value"])
    return pd.concat(faults, ignore_index=True)


def check(contract: Contract, frame: pd.DataFrame) -> list[Finding]:
    """All broken rules of a training file, one finding a column and rule."""
    findings = structure(contract, frame)
    if findings:
        return findings
    if len(frame) < contract.min_rows:
        message = f"{amount(len(frame), 'row')}, at least {contract.min_rows} are needed"
        return [_finding("(file)", "min_rows", len(frame), message)]
    frame = frame.reset_index(drop=True)  # so that a row's label is its place
    read, unread = typed(contract, frame)
    faults = row_faults(contract, read, unread)
    for (name, rule), cases in faults.groupby(["column", "rule"], sort=False):
        first = cases.iloc[0]
        several = "1 row breaks" if len(cases) == 1 else f"{len(cases)} rows break"
        message = f"{several} `{rule}`, first the row {int(first['row']) + 1}"
        given = frame.loc[first["row"], name]
        if not (is_scalar(given) and pd.isna(given)):
            message += f" with '{str(given)[:60]}'"
        findings.append(_finding(str(name), str(rule), len(cases), message))
    for name, column in contract.columns.items():
        share = float(read[name].isna().mean())
        if column.missing and share > column.missing:
            message = f"{share:.1%} of the rows lack a value, at most {column.missing:.1%} may"
            findings.append(_finding(name, "missing", int(read[name].isna().sum()), message))
    return findings


def checks_of(column: Column) -> pa.Column:
    """The column's rules as pandera's checks, each with a message."""
    checks = []
    if column.min is not None:
        checks.append(pa.Check.ge(_bound(column.min), error=f"at least {column.min}"))
    if column.max is not None:
        checks.append(pa.Check.le(_bound(column.max), error=f"at most {column.max}"))
    if column.values is not None:
        checks.append(pa.Check.isin(column.values, error=f"one of {', '.join(column.values)}"))
    if column.kind == "integer":
        checks.append(pa.Check(lambda values: values % 1 == 0, error="is a whole number"))
    if column.kind == "text":
        checks.append(pa.Check.str_length(max_value=MAX_TEXT, error=f"at most {MAX_TEXT} letters"))
    return pa.Column(
        nullable=bool(column.missing), unique=column.role == "id", checks=checks, required=True
    )


def _bound(bound: float | date) -> Any:
    return pd.Timestamp(bound) if isinstance(bound, date) else bound


def _finding(column: str, rule: str, rows: int, message: str) -> Finding:
    return Finding(column=column, rule=rule, rows=rows, message=message)


def _as_text(value: Any, known: frozenset[str]) -> str:
    """A value as text; `1.0` means the known category `1`: integers with gaps are written so."""
    text = str(value)
    return text[:-2] if text not in known and text.endswith(".0") else text
