"""The batch endpoint: its default deployment."""

from __future__ import annotations

from mlops_platform.azure.endpoint import Endpoint, TrafficSplit


class Batch(Endpoint):
    """A batch endpoint: it scores whole files."""

    kind = "batch"
    splits_traffic = False

    def scale(self, colour: str) -> None:
        """Nothing: each job starts the machines that it needs."""

    def traffic(self) -> TrafficSplit:
        """100 % for the default deployment."""
        defaults = self.get().get("defaults") or {}
        default = defaults.get("deployment_name") or defaults.get("deploymentName")
        return {default: 100} if default else {}

    def set_traffic(self, traffic: TrafficSplit, mirror: TrafficSplit | None = None) -> None:
        """Make another deployment the default."""
        (default,) = traffic
        self.az.ensure(
            f"default deployment {default}",
            lambda: self.traffic() == traffic,
            *("batch-endpoint", "update", *self._options),
            *("--defaults", f"deployment_name={default}"),
        )

    def _overrides(self, version: str) -> list[str]:
        return [f"environment_variables.MLOPS_MODEL_VERSION={version}"]
