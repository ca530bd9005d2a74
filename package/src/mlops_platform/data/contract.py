"""The data contract: `conf/data.yml` becomes data checks, column roles and the request model."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandas.api.types import is_datetime64_any_dtype, is_scalar
from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.core.text import amount
from mlops_platform.data.columns import Column, Role, checks_of, request_type
from mlops_platform.evidence import Finding
from mlops_platform.settings import Settings, Task, parse


class Contract(Settings):
    """All columns of the data, by name, in the order of the file."""

    min_rows: int = Field(ge=10)
    columns: dict[str, Column]

    @model_validator(mode="after")
    def _roles(self) -> Contract:
        roles = Counter(column.role for column in self.columns.values())
        if roles["target"] != 1:
            raise ValueError(f"exactly one column has `role: target`, found {roles['target']}")
        if roles["feature"] < 1:
            raise ValueError("at least one column is a feature")
        for role in ("id", "time"):
            if roles[role] > 1:
                raise ValueError(f"at most one column has `role: {role}`, found {roles[role]}")
        return self

    def named(self, role: Role) -> list[str]:
        """Names of the columns that have this role."""
        return [name for name, column in self.columns.items() if column.role == role]

    @property
    def target(self) -> str:
        """Name of the column to predict."""
        return self.named("target")[0]

    @property
    def features(self) -> list[str]:
        """Names of the columns that the model sees."""
        return self.named("feature")

    @property
    def numeric_features(self) -> list[str]:
        """Features of kind number or integer."""
        return [name for name in self.features if self.columns[name].numeric]

    @property
    def categorical_features(self) -> list[str]:
        """Features of kind category."""
        return [name for name in self.features if self.columns[name].kind == "category"]

    @property
    def labels(self) -> list[str]:
        """Classes of a category target, the positive one last; empty for a numeric target."""
        column = self.columns[self.target]
        values = list(column.values or [])
        return sorted(values, key=lambda value: value == column.positive)

    def needed(self, *, scoring: bool) -> list[str]:
        """Columns that a file must have: all to train, the features to score."""
        return self.features if scoring else list(self.columns)

    def structure(self, frame: pd.DataFrame, *, scoring: bool = False) -> list[Finding]:
        """Missing, unknown and repeated columns."""
        only = str(frame.columns[0]) if len(frame.columns) == 1 else ""
        if only not in self.columns and (divided := re.search(r"[;|\t]", only)):
            message = (
                f"its columns are divided by {divided[0]!r}: write commas, or name `sep` where "
                "data.py reads the file"
            )
            return [_finding("(file)", "columns", len(frame), message)]
        findings = []
        for name in self.needed(scoring=scoring):
            if name not in frame.columns:
                findings.append(_finding(name, "present", len(frame), "the column is missing"))
        for name, count in Counter(frame.columns).items():
            if name not in self.columns:
                message = "not in conf/data.yml: add it there (`role: ignored`) or drop it"
                findings.append(_finding(str(name), "known", len(frame), message))
            elif count > 1:
                findings.append(_finding(name, "once", len(frame), f"stands {count} times"))
        return findings

    def typed(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The contract's columns in their own types, and a mask of the values that have none.

        Numbers become float64, dates datetime64 (in UTC, where they name a zone), all else str in
        an object column; what cannot be read is missing in the first frame and True in the
        second, of the same shape.
        """
        names = [name for name in self.columns if name in frame.columns]
        values: dict[str, pd.Series] = {}
        unread: dict[str, pd.Series] = {}
        for name in names:
            raw, column = frame[name], self.columns[name]
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

    @cached_property
    def _schema(self) -> pa.DataFrameSchema:
        return pa.DataFrameSchema(
            {name: checks_of(column) for name, column in self.columns.items()}
        )

    def row_faults(self, typed: pd.DataFrame, unread: pd.DataFrame) -> pd.DataFrame:
        """Values that break a rule: columns `row` (index label), `column`, `rule`, `value`."""
        faults = [
            pd.DataFrame(
                {
                    "row": unread.index[unread[name]],
                    "column": name,
                    "rule": f"is a {self.columns[name].kind}",
                    "value": "(unreadable)",
                }
            )
            for name in unread.columns
            if unread[name].any()
        ]
        try:
            self._schema.select_columns(list(typed.columns)).validate(typed, lazy=True)
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

    def check(self, frame: pd.DataFrame) -> list[Finding]:
        """All broken rules of a training file, one finding a column and rule."""
        findings = self.structure(frame)
        if findings:
            return findings
        if len(frame) < self.min_rows:
            message = f"{amount(len(frame), 'row')}, at least {self.min_rows} are needed"
            return [_finding("(file)", "min_rows", len(frame), message)]
        frame = frame.reset_index(drop=True)  # so that a row's label is its place
        typed, unread = self.typed(frame)
        faults = self.row_faults(typed, unread)
        for (name, rule), cases in faults.groupby(["column", "rule"], sort=False):
            first = cases.iloc[0]
            several = "1 row breaks" if len(cases) == 1 else f"{len(cases)} rows break"
            message = f"{several} `{rule}`, first the row {int(first['row']) + 1}"
            given = frame.loc[first["row"], name]
            if not (is_scalar(given) and pd.isna(given)):
                message += f" with '{str(given)[:60]}'"
            findings.append(_finding(str(name), str(rule), len(cases), message))
        for name, column in self.columns.items():
            share = float(typed[name].isna().mean())
            if column.missing and share > column.missing:
                message = f"{share:.1%} of the rows lack a value, at most {column.missing:.1%} may"
                findings.append(_finding(name, "missing", int(typed[name].isna().sum()), message))
        return findings

    def request_row(self) -> type[BaseModel]:
        """The model of one row in a request: the features, and optionally the id.

        Columns are aliases of its fields, so that a column may have any name.
        """
        fields: dict[str, Any] = {}
        for position, name in enumerate([*self.named("id"), *self.features]):
            column = self.columns[name]
            nullable = bool(column.missing) or column.role == "id"
            annotation = request_type(column)
            about = Field(alias=name, title=name, description=column.about or None)
            fields[f"column_{position}"] = (
                Annotated[annotation | None if nullable else annotation, about],
                None if nullable else ...,
            )
        config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
        return create_model("Row", __config__=config, **fields)


def load_contract(path: Path, task: Task) -> Contract:
    """Read a contract and hold it against the project's task.

    Raises:
        UsageError: a wrong field, or a target that does not fit the task.
    """
    contract = parse(Contract, read_yaml(path), path)
    target = contract.columns[contract.target]
    if task == "classification":
        if len(contract.labels) < 2:
            raise UsageError(
                f"{path}, field `columns.{contract.target}`: classification needs "
                "`kind: category` with at least two `values`."
            )
        if (len(contract.labels) == 2) != (target.positive is not None):
            raise UsageError(
                f"{path}, field `columns.{contract.target}.positive`: name the class that matters "
                "when there are two; leave it out when there are more."
            )
    elif not target.numeric:
        raise UsageError(
            f"{path}, field `columns.{contract.target}.kind`: regression needs a number, "
            f"got {target.kind!r}."
        )
    return contract


def _finding(column: str, rule: str, rows: int, message: str) -> Finding:
    return Finding(column=column, rule=rule, rows=rows, message=message)


def _as_text(value: Any, known: frozenset[str]) -> str:
    """A value as text; `1.0` means the known category `1`: integers with gaps are written so."""
    text = str(value)
    return text[:-2] if text not in known and text.endswith(".0") else text
