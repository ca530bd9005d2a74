"""Schema of conf/cost.yml: what machines cost, and how many cores they have."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from mlops_platform.core.files import read_yaml
from mlops_platform.settings.parsing import Settings, parse

LOCAL = "local"  # this machine, among the sizes of Azure


class Machine(Settings):
    """A machine: its cores, and what an hour of it costs; as `low_priority`, if that is another."""

    cores: int | None = Field(default=None, ge=1)
    hour: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    low_priority: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Prices(Settings):
    """conf/cost.yml: machines by their size in Azure; `local` is the one where this runs.

    `budget` is what runs on this machine may cost in a month; those of Azure are in conf/<env>.yml.
    """

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    machines: dict[str, Machine] = Field(default_factory=dict)
    budget: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _budget_needs_a_price(self) -> Prices:
        if self.budget is not None and self.machine(LOCAL).hour is None:
            raise ValueError("`budget` needs `machines.local.hour`, the price of this machine")
        return self

    def machine(self, size: str) -> Machine:
        """What is known of a size."""
        return self.machines.get(size, Machine())


def load_prices(conf: Path) -> Prices | None:
    """Read conf/cost.yml; None in a project that has none."""
    source = conf / "cost.yml"
    return parse(Prices, read_yaml(source), source) if source.exists() else None
