"""What both kinds of endpoint share: each has two deployments, blue and green.

An online endpoint splits its traffic. A batch endpoint has one default deployment, which counts as
traffic of 100 %, so that the same rules apply to both.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_platform.azure.az import CommandError, is_changing, normalize_state, set_options
from mlops_platform.azure.target import ENDPOINTS, Target
from mlops_platform.azure.versions import Versions
from mlops_platform.core.errors import UsageError
from mlops_platform.serving import store
from mlops_platform.tracking.roles import Version

COLOURS = ("blue", "green")
TrafficSplit = dict[str, int]  # deployment -> percent; without those that have 0


@dataclass(frozen=True)
class Deployment:
    """A deployment behind an endpoint."""

    name: str
    version: str  # of the model
    state: str
    id: str  # the resource id in Azure

    @property
    def healthy(self) -> bool:
        """Whether it is built and started."""
        return normalize_state(self.state) == "succeeded"


class Endpoint(ABC):
    """Base class of both kinds; `kind` is also the prefix of their commands in `az ml`."""

    kind: str
    splits_traffic: bool

    def __init__(self, target: Target) -> None:
        self.target = target
        self.az = target.az
        self.name = getattr(target.cloud.endpoints, self.kind)
        self._options = ("--name", self.name, *self.az.workspace)

    @property
    def folder(self) -> Path:
        """The folder with its files."""
        return ENDPOINTS / self.kind

    def find(self) -> dict[str, Any] | None:
        """Return Azure's description; None if it does not exist."""
        endpoint: dict[str, Any] | None = self.az.wait_until_settled(
            lambda: self.az.read(f"{self.kind}-endpoint", "show", *self._options),
            lambda endpoint: _state_of(endpoint or {}),
        )
        return endpoint

    def get(self) -> dict[str, Any]:
        """Return Azure's description.

        Raises:
            UsageError: it does not exist, or it is unhealthy.
        """
        endpoint = self.find()
        if endpoint is None:
            raise UsageError(
                f"{self.kind} endpoint {self.name} does not exist. Run "
                f"{self.target.command('setup')}."
            )
        if normalize_state(_state_of(endpoint)) != "succeeded":
            raise UsageError(
                f"{self.kind} endpoint {self.name} is {_state_of(endpoint)}. Look at it in Azure."
            )
        return endpoint

    def deployments(self) -> dict[str, Deployment]:
        """The deployments, read when no change is in progress.

        Raises:
            UsageError: there is no such endpoint, or the state cannot be read.
        """
        try:
            deployments = self.az.wait_until_settled(
                lambda: self.az.read(f"{self.kind}-deployment", "list", *self._endpoint_options()),
                lambda deployments: next(
                    filter(is_changing, (_state_of(deployment) for deployment in deployments)), ""
                ),
            )
        except CommandError:
            self.get()  # a missing endpoint has a message of its own
            raise
        return {
            deployment["name"]: Deployment(
                deployment["name"],
                self._version(deployment),
                _state_of(deployment),
                str(deployment.get("id")),
            )
            for deployment in deployments
        }

    def create(self, colour: str, version: Version) -> None:
        """Create a deployment of a version, without traffic."""
        versions, number = Versions(self.target), version.number
        model = f"azureml:{self.target.name}:{number}"
        if versions.in_registry:
            registry = f"azureml://registries/{self.target.cloud.registry}"
            model = f"{registry}/models/{self.target.name}/versions/{number}"

        def is_deployed() -> bool:
            deployment = self.deployments().get(colour)
            return deployment is not None and deployment.version == number and deployment.healthy

        file = self.folder / "deployment.yml"
        overrides = [f"model={model}", *self.target.packages(file), *self._overrides(number)]
        overrides += [*self._model_variables(version), *self.target.tags()]
        options = (
            "--name",
            colour,
            "--file",
            str(file),
            *self._endpoint_options(),
            *set_options(*overrides),
        )
        self.az.ensure(
            f"{self.kind} deployment {colour} of version {number}",
            is_deployed,
            *(f"{self.kind}-deployment", "create", *options),
        )

    def delete(self, colour: str) -> None:
        """Delete a deployment; Azure refuses this while it has traffic."""
        self.az.ensure(
            f"no {self.kind} deployment {colour}",
            lambda: colour not in self.deployments(),
            *(
                f"{self.kind}-deployment",
                "delete",
                "--name",
                colour,
                *self._endpoint_options(),
                "--yes",
            ),
        )

    @abstractmethod
    def scale(self, colour: str) -> None:
        """Turn on autoscaling of a deployment, if this kind supports it."""

    @abstractmethod
    def traffic(self) -> TrafficSplit:
        """The traffic split: empty, or 100 in total.

        Raises:
            UsageError: Azure shows another total.
        """

    def mirror(self) -> TrafficSplit:
        """The mirrored traffic: copies of requests whose responses are discarded."""
        return {}

    @abstractmethod
    def set_traffic(self, traffic: TrafficSplit, mirror: TrafficSplit | None = None) -> None:
        """Set the traffic split, in one change."""

    def _endpoint_options(self) -> tuple[str, ...]:
        return ("--endpoint-name", self.name, *self.az.workspace)

    @abstractmethod
    def _overrides(self, version: str) -> list[str]:
        """Fields of the deployment's file that conf/ or the version decides, as `name=value`."""

    def _model_variables(self, version: Version) -> list[str]:
        """Variables with which the deployment checks its model when it starts."""
        variables = {
            store.HASH: version.model_hash,
            store.TRUSTED: ",".join(self.target.project.trusted),
        }
        return [f"environment_variables.{name}={text}" for name, text in variables.items() if text]

    def _version(self, deployment: dict[str, Any]) -> str:
        """The version in a model's id; `?` for another model."""
        name = re.escape(self.target.name)
        match = re.search(rf"[/:]{name}(?::|/versions/)(\d+)$", str(deployment.get("model") or ""))
        return match[1] if match else "?"


def _state_of(resource: dict[str, Any]) -> str:
    return str(resource.get("provisioning_state") or "unknown")
