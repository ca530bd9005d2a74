"""Whether the cluster, when it is as large as it may be, fits the cores of the subscription."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.text import pluralize
from mlops_platform.settings import Environment, load_cloud, load_prices


@dataclass(frozen=True)
class Need:
    """The cores that an environment's cluster may take, and those that there are, if it says so."""

    environment: Environment
    nodes: int
    size: str
    cores: int
    quota: int | None

    @property
    def share(self) -> float | None:
        """The share of the quota that the largest cluster takes; None without a quota."""
        return None if self.quota is None else self.nodes * self.cores / self.quota


def read(conf: Path, environment: Environment) -> Need:
    """What the cluster of an environment may take.

    Raises:
        UsageError: there is a quota, but nobody has written how many cores a machine has.
    """
    cluster = load_cloud(conf, environment).cluster
    source = conf / f"{environment}.yml"
    cores = prices.machine(cluster.size).cores if (prices := load_prices(conf)) else None
    if cluster.quota is None:
        return Need(environment, cluster.max_nodes, cluster.size, cores or 0, None)
    if cores is None:
        raise UsageError(
            f"{conf / 'cost.yml'}, field `machines.{cluster.size}.cores`: is missing, so "
            f"`cluster.quota` in {source} cannot be checked. Write how many cores a machine has."
        )
    return Need(environment, cluster.max_nodes, cluster.size, cores, cluster.quota)


def require_enough(conf: Path, environment: Environment) -> None:
    """Check that the quota is enough for the largest cluster; nothing without a quota.

    Raises:
        UsageError: it is not.
    """
    need = read(conf, environment)
    if need.quota is not None and need.nodes * need.cores > need.quota:
        raise UsageError(
            f"{conf / environment}.yml, field `cluster.max_nodes`: {too_much(need)}. "
            f"Write at most {need.quota // need.cores}, or ask Azure for more and write them there."
        )


def too_much(need: Need) -> str:
    """The numbers of a cluster that is too large."""
    return (
        f"{pluralize(need.nodes, 'node')} of {need.size} with {pluralize(need.cores, 'core')} "
        f"are {need.nodes * need.cores} cores, but `cluster.quota` is {need.quota}"
    )
