"""What a draft says about one column, and the fields of it in conf/data.yml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlops_platform.data.columns import EXACT, Kind, Role


@dataclass
class Guess:
    """What the draft says about one column.

    `typed`: (rows,) values in their type. `reason` is why; `doubtful` puts it into conf/data.yml.
    """

    name: str
    kind: Kind
    typed: pd.Series
    role: Role = "feature"
    reason: str = ""
    doubtful: bool = False
    positive: str | None = None
    disguised: bool = False

    @property
    def present(self) -> pd.Series:
        """The values that are there."""
        return self.typed.dropna()

    @property
    def gaps(self) -> float:
        """The share of missing values."""
        return float(self.typed.isna().mean())

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return int(self.present.nunique())

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.kind in ("number", "integer")

    def say(self, role: Role, reason: str, *, doubtful: bool = False) -> None:
        """Give the column a role, and the reason for it."""
        self.role, self.reason, self.doubtful = role, reason, doubtful

    def fields(self) -> dict[str, Any]:
        """The fields of the column in conf/data.yml."""
        kind = "text" if self.kind == "category" and self.role == "ignored" else self.kind
        fields: dict[str, Any] = {"kind": kind}
        if self.numeric and self.role not in ("ignored", "group") and self.distinct:
            fields |= dict(zip(("min", "max"), self.bounds(), strict=True))
        if kind == "category":
            fields["values"] = sorted(self.present.unique())
        if self.positive is not None:
            fields["positive"] = self.positive
        if self.gaps and self.role not in ("target", "id", "time", "group"):
            fields["missing"] = allowed_gaps(self.gaps)
        if self.role != "feature":
            fields["role"] = self.role
        return fields

    def bounds(self) -> tuple[float, float]:
        """The range seen, half as wide again at each side; not below 0 if nothing is."""
        low, high = float(self.present.min()), float(self.present.max())
        if self.role == "time":
            return _whole(low - 100), _whole(high + 100)
        if self.kind == "number" and low >= 0 and high <= 1:
            return 0, 1
        slack = (high - low or abs(high) or 1) / 2
        bottom = 0.0 if low >= 0 and low - slack < 0 else _outward(low - slack)
        top = 0.0 if high <= 0 and high + slack > 0 else -_outward(-high - slack)
        if self.kind == "integer":
            bottom, top = max(bottom // 1, -EXACT), min(-(-top // 1), EXACT)
        return _whole(min(bottom, low)), _whole(max(top, high))


def allowed_gaps(share: float) -> float:
    """The share of missing values to allow where so many are: half as many again, and 5 %."""
    return round(min(0.99, float(np.ceil((1.5 * share + 0.05) * 100) / 100)), 2)


def _outward(value: float) -> float:
    """The next lower number with two digits that count."""
    if not value:
        return 0.0
    unit = 10.0 ** (np.ceil(np.log10(abs(value))) - 2)
    return float(f"{value // unit * unit:.12g}")


def _whole(value: float) -> float:
    """An int where it is one, as people write it."""
    return int(value) if value == int(value) else float(value)
