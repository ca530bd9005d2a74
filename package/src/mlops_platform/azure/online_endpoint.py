"""The online endpoint: its traffic, autoscaling, network and what it collects."""

from __future__ import annotations

from typing import Any

from mlops_platform.azure import autoscale, network, retention
from mlops_platform.azure.endpoint import COLOURS, Endpoint, TrafficSplit
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml


class Online(Endpoint):
    """An online endpoint: it answers single requests."""

    kind = "online"
    splits_traffic = True

    def delete(self, colour: str) -> None:
        """Delete the autoscale setting first: without its deployment it would stay unnoticed."""
        autoscale.remove(self.az, self._setting_name(colour))
        super().delete(colour)

    def scale(self, colour: str) -> None:
        """Turn on autoscaling, as conf/<env>.yml and autoscale.yml define it."""
        deployment = self.deployments().get(colour)
        if deployment is not None:
            autoscale.apply(self.target, self._setting_name(colour), deployment.id)
        elif self.az.dry_run:
            terminal.log(f"would turn on autoscaling of {colour}")
        else:
            raise UsageError(f"{self.name}: deployment {colour} no longer exists. Deploy it again.")

    def traffic(self) -> TrafficSplit:
        """The split of the live traffic."""
        shares = _parse_split(self.get().get("traffic"))
        if shares and sum(shares.values()) != 100:
            raise UsageError(
                f"endpoint {self.name}: the traffic {shares} does not sum to 100. Correct it in "
                "Azure."
            )
        return shares

    def mirror(self) -> TrafficSplit:
        """The split of the mirrored traffic."""
        return _parse_split(self.get().get("mirror_traffic"))

    def set_traffic(self, traffic: TrafficSplit, mirror: TrafficSplit | None = None) -> None:
        """Set live and mirrored traffic together: a deployment never has both."""
        mirror = mirror or {}

        def is_set() -> bool:
            endpoint = self.get()
            return (
                _parse_split(endpoint.get("traffic")) == traffic
                and _parse_split(endpoint.get("mirror_traffic")) == mirror
            )

        self.az.ensure(
            f"traffic {_format_split(traffic)}",
            is_set,
            *(
                "online-endpoint",
                "update",
                *self._options,
                "--traffic",
                self._format_traffic_option(traffic),
            ),
            *("--mirror-traffic", self._format_traffic_option(mirror)),
        )

    def _format_traffic_option(self, shares: TrafficSplit) -> str:
        """Each deployment with its share, also 0: Azure may keep the share of an omitted one."""
        names = [name for name in COLOURS if name in shares or name in self._deployment_names]
        return " ".join(f"{name}={shares.get(name, 0)}" for name in names)

    def _setting_name(self, colour: str) -> str:
        return f"{self.name}-{colour}"

    @property
    def _deployment_names(self) -> set[str]:
        return set(self.deployments())

    def _overrides(self, version: str) -> list[str]:
        machines = self.target.cloud.machines
        return [
            f"instance_type={machines.size}",
            f"instance_count={machines.min}",
            f"egress_public_network_access={network.access(self.target)}",
            *retention.overrides(self.target, read_yaml(self.folder / "deployment.yml")),
        ]


def _parse_split(traffic: Any) -> TrafficSplit:
    shares = {str(name): int(share) for name, share in (traffic or {}).items()}
    return {name: share for name, share in shares.items() if share}


def _format_split(shares: TrafficSplit) -> str:
    return ", ".join(f"{name} {share} %" for name, share in sorted(shares.items())) or "none"
