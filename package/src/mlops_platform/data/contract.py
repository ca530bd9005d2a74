"""The data contract: `conf/data.yml` becomes data checks, column roles and the request model."""

# ruff: noqa: PLC0415  pandas takes a second to import, and settings do not need it

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.data.columns import Column, Role, request_type
from mlops_platform.settings import Settings, Task, parse

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

    from mlops_platform.evidence import Finding


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
        from mlops_platform.data import rows

        return rows.structure(self, frame, scoring=scoring)

    def typed(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The contract's columns in their own types, and a mask of the values that have none.

        Numbers become float64, dates datetime64 (in UTC, where they name a zone), all else str in
        an object column; what cannot be read is missing in the first frame and True in the
        second, of the same shape.
        """
        from mlops_platform.data import rows

        return rows.typed(self, frame)

    @cached_property
    def checks(self) -> pa.DataFrameSchema:
        """The rules of all columns, as pandera checks them."""
        from mlops_platform.data import rows

        return rows.schema(self)

    def row_faults(self, typed: pd.DataFrame, unread: pd.DataFrame) -> pd.DataFrame:
        """Values that break a rule: columns `row` (index label), `column`, `rule`, `value`."""
        from mlops_platform.data import rows

        return rows.row_faults(self, typed, unread)

    def check(self, frame: pd.DataFrame) -> list[Finding]:
        """All broken rules of a training file, one finding a column and rule."""
        from mlops_platform.data import rows

        return rows.check(self, frame)

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
