"""What an hour of machine costs, on this machine and in each environment of Azure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops_platform.settings import ENVIRONMENTS, LOCAL, Prices, load_cloud, load_prices

HOUR = 3600  # seconds


@dataclass(frozen=True)
class Price:
    """An hour on a machine; None where nobody has written it, and then where to write it."""

    where: str
    hour: float | None
    missing: str = ""

    def of(self, seconds: float) -> float | None:
        """What seconds cost."""
        return None if self.hour is None else self.hour * seconds / HOUR


def read(conf: Path) -> tuple[Prices | None, list[Price]]:
    """conf/cost.yml, and the price of this machine and of a node of each environment's cluster."""
    prices = load_prices(conf)
    source = conf / "cost.yml"
    if prices is None:
        example = "{currency: EUR, machines: {local: {hour: 0.2}}}"
        return None, [Price(LOCAL, None, f"{source}: is not there. Write {example}, for example.")]
    found = [_price(source, prices, LOCAL, LOCAL, "hour")]
    for environment in ENVIRONMENTS:
        if (conf / f"{environment}.yml").exists():
            cluster = load_cloud(conf, environment).cluster
            field = "low_priority" if cluster.tier == "low_priority" else "hour"
            found.append(_price(source, prices, environment, cluster.size, field))
    return prices, found


def _price(source: Path, prices: Prices, where: str, size: str, field: str) -> Price:
    hour: float | None = getattr(prices.machine(size), field)
    if hour is not None:
        return Price(where, hour)
    name = f"`machines.{size}.{field}`"
    words = f"{source}, field {name}: is missing. Write what an hour costs, in {prices.currency}."
    return Price(where, None, words)
