"""The data contract in `conf/data.yml`: column roles, data checks and the request model."""

# ruff: noqa: PLC0415  pandas takes a second to import, and reading settings does not need it

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.data.columns import Column, Role
from mlops_platform.data.request_types import request_type
from mlops_platform.data.source import PLAIN, Source
from mlops_platform.settings import Settings, Split, Task, parse

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pandera.pandas as pa

    from mlops_platform.evidence import Finding


class Contract(Settings):
    """The columns of the data by name, in the order of the file.

    `raw` are those that files have, `columns` in conf/data.yml; `derived` are those that
    `derive` of the team's data.py makes of features and inputs, row by row.
    """

    min_rows: int = Field(ge=10)
    source: Source = PLAIN
    rows_without_target: Literal["refuse", "drop"] = "refuse"
    raw: dict[str, Column] = Field(alias="columns")
    derived: dict[str, Column] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_derived(self) -> Contract:
        for name, column in self.derived.items():
            if name in self.raw:
                raise ValueError(f"`{name}` is in `columns` and in `derived`; give it two names")
            if column.role in ("input", "target", "id"):
                raise ValueError(
                    f"`derived`, column `{name}`: `role: {column.role}` is for columns that a "
                    "file has; a derived one is a feature, time, group, sensitive or ignored"
                )
        if not self.derived and (inputs := self.named("input")):
            raise ValueError(
                f"`{inputs[0]}` has `role: input`, and nothing is derived from it; add the columns "
                "that derive() of data.py returns under `derived`"
            )
        return self

    @model_validator(mode="after")
    def _check_roles(self) -> Contract:
        roles = Counter(column.role for column in self.columns.values())
        if roles["target"] != 1:
            raise ValueError(
                f"exactly one column must have `role: target`, found {roles['target']}"
            )
        if roles["feature"] < 1:
            raise ValueError("at least one column must be a feature")
        for role in ("id", "time", "group"):
            if roles[role] > 1:
                raise ValueError(f"at most one column can have `role: {role}`, found {roles[role]}")
        return self

    @property
    def columns(self) -> dict[str, Column]:
        """All columns, those of files first."""
        return {**self.raw, **self.derived}

    def __getstate__(self) -> dict[Any, Any]:
        """Without the checks, whose functions no other process can read: it makes its own."""
        state = super().__getstate__()
        fields = {name: value for name, value in state["__dict__"].items() if name != "checks"}
        return {**state, "__dict__": fields}

    def named(self, role: Role) -> list[str]:
        """Names of the columns with this role."""
        return [name for name, column in self.columns.items() if column.role == role]

    @property
    def target(self) -> str:
        """Name of the target column."""
        return self.named("target")[0]

    @property
    def features(self) -> list[str]:
        """Names of the columns that the model uses."""
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
    def text_features(self) -> list[str]:
        """Features of kind text."""
        return [name for name in self.features if self.columns[name].kind == "text"]

    def group_codes(self, rows: pd.DataFrame) -> np.ndarray | None:
        """Codes of the rows' groups, (rows,); None if no column has `role: group`."""
        names = self.named("group")
        return rows[names[0]].factorize()[0] if names else None

    @property
    def requested(self) -> list[str]:
        """What a row to score must have: features that files have, and inputs."""
        return [name for name, col in self.raw.items() if col.role in ("feature", "input")]

    @property
    def labels(self) -> list[str]:
        """Classes of the target, the positive class last; empty for regression."""
        column = self.columns[self.target]
        values = list(column.values or [])
        return sorted(values, key=lambda value: value == column.positive)

    def required_columns(self, *, scoring: bool) -> list[str]:
        """Columns that a file must have: what is requested for scoring, else all."""
        return self.requested if scoring else list(self.raw)

    def check_columns(self, frame: pd.DataFrame, *, scoring: bool = False) -> list[Finding]:
        """Find missing, unknown and duplicate columns."""
        from mlops_platform.data import rows

        return rows.check_columns(self, list(frame.columns), len(frame), scoring=scoring)

    def typed(
        self, frame: pd.DataFrame, source: Source | None = None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Convert the contract's columns to their types; with a mask of unreadable values.

        Numbers become float64, dates datetime64 (in UTC if they have a time zone), others str in
        an object column. An unreadable value is missing in the first frame and True in the mask.
        Text is read as `source` says, or else as the contract's own.
        """
        from mlops_platform.data import rows

        return rows.typed(self, frame, self.source if source is None else source)

    @cached_property
    def checks(self) -> pa.DataFrameSchema:
        """The rules of all columns as a pandera schema."""
        from mlops_platform.data import rows

        return rows.schema(self)

    def failure_cases(self, typed: pd.DataFrame, unread: pd.DataFrame) -> pd.DataFrame:
        """Values that violate a rule: columns `row` (index label), `column`, `rule`, `value`."""
        from mlops_platform.data import rows

        return rows.failure_cases(self, typed, unread)

    def check(self, frame: pd.DataFrame) -> list[Finding]:
        """Validate a training file; one finding for each violated rule of a column."""
        from mlops_platform.data import check

        return check.check(self, frame)

    def request_row(self) -> type[BaseModel]:
        """The pydantic model of one row in a request: what is requested, and optionally the id.

        Column names are aliases of its fields, so that a column can have any name.
        """
        fields: dict[str, Any] = {}
        for position, name in enumerate([*self.named("id"), *self.requested]):
            column = self.columns[name]
            nullable = bool(column.missing) or column.role == "id"
            info = Field(alias=name, title=name, description=column.about or None)
            fields[f"column_{position}"] = (
                Annotated[request_type(column), info],
                None if nullable else ...,
            )
        config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
        return create_model("Row", __config__=config, **fields)


def load_contract(path: Path, task: Task) -> Contract:
    """Read a contract and check that its target matches the task.

    Raises:
        UsageError: a wrong field, or a target that does not match the task.
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
                f"{path}, field `columns.{contract.target}.positive`: set it if there are two "
                "classes; remove it if there are more."
            )
    elif not target.numeric:
        raise UsageError(
            f"{path}, field `columns.{contract.target}.kind`: regression needs a number, "
            f"got {target.kind!r}."
        )
    return contract


def require_split(split: Split, contract: Contract, source: Path) -> None:
    """Check that the contract has the column that rows are split by, and that no other is split.

    Raises:
        UsageError: there is none, or a split by other values puts one group into several parts.
    """
    if split.by != "random" and not contract.named(split.by):
        raise UsageError(
            f"{source}, field `split.by`: '{split.by}' needs a column with "
            f"`role: {split.by}` in conf/data.yml."
        )
    groups = contract.named("group")
    if groups and split.by in ("id", "random"):
        raise UsageError(
            f"{source}, field `split.by`: '{split.by}' puts rows of one `{groups[0]}`, which has "
            "`role: group` in conf/data.yml, into several parts. Write `by: group`, or give the "
            "column `role: ignored`."
        )
