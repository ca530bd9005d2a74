"""The endpoints and the two deployments, blue and green, that take turns behind each.

An online endpoint divides its traffic. A batch endpoint has one default deployment: here that is
traffic of 100 %, so that both are led by the same rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_platform.azure import scaling
from mlops_platform.azure.az import Failed, changing, sets, word
from mlops_platform.azure.place import ENDPOINTS, Place
from mlops_platform.azure.versions import Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError

COLOURS = ("blue", "green")
Shares = dict[str, int]  # deployment -> percent; those with 0 are left out


@dataclass(frozen=True)
class Deployment:
    """What stands behind an endpoint."""

    name: str
    version: str  # of the model
    state: str
    id: str  # Azure's, of the whole path

    @property
    def healthy(self) -> bool:
        """Has it been built and started?"""
        return word(self.state) == "succeeded"


class Endpoint:
    """What both kinds have in common. `kind` is also the first half of their commands' names."""

    kind: str
    splits: bool

    def __init__(self, place: Place) -> None:
        self.place = place
        self.az = place.az
        self.name = getattr(place.cloud.endpoints, self.kind)
        self._named = ("--name", self.name, *self.az.workspace)

    @property
    def folder(self) -> Path:
        """Its files."""
        return ENDPOINTS / self.kind

    def find(self) -> dict[str, Any] | None:
        """Azure's description of it, or None."""
        return self.az.settled(
            lambda: self.az.read(f"{self.kind}-endpoint", "show", *self._named),
            lambda found: _state(found or {}),
        )

    def get(self) -> dict[str, Any]:
        """Azure's description of it.

        Raises:
            UsageError: there is none, or it is not well.
        """
        found = self.find()
        if found is None:
            raise UsageError(
                f"{self.kind} endpoint {self.name} does not exist. Run "
                f"{self.place.command('setup')}."
            )
        if word(_state(found)) != "succeeded":
            raise UsageError(
                f"{self.kind} endpoint {self.name} is {_state(found)}. Look at it in Azure."
            )
        return found

    def deployments(self) -> dict[str, Deployment]:
        """The deployments behind it, once none is being changed.

        Raises:
            UsageError: there is no such endpoint, or Azure cannot tell.
        """
        try:
            listed = self.az.settled(
                lambda: self.az.read(f"{self.kind}-deployment", "list", *self._behind()),
                lambda listed: next(filter(changing, (_state(found) for found in listed)), ""),
            )
        except Failed:
            self.get()  # where the endpoint is missing, this says what to do
            raise
        return {
            found["name"]: Deployment(
                found["name"], self._version(found), _state(found), str(found.get("id"))
            )
            for found in listed
        }

    def create(self, colour: str, version: str) -> None:
        """Put a deployment of a version behind it, without traffic."""
        versions = Versions(self.place)
        model = f"azureml:{self.place.name}:{version}"
        if versions.in_registry:
            registry = f"azureml://registries/{self.place.cloud.registry}"
            model = f"{registry}/models/{self.place.name}/versions/{version}"

        def stands() -> bool:
            made = self.deployments().get(colour)
            return made is not None and made.version == version and made.healthy

        file = self.folder / "deployment.yml"
        given = [f"model={model}", *self.place.packages(file), *self._given(version)]
        given += self.place.tags()
        named = ("--name", colour, "--file", str(file), *self._behind(), *sets(*given))
        self.az.ensure(
            f"{self.kind} deployment {colour} of version {version}",
            stands,
            *(f"{self.kind}-deployment", "create", *named),
        )

    def delete(self, colour: str) -> None:
        """Take a deployment away; Azure itself refuses while it has traffic."""
        self.az.ensure(
            f"no {self.kind} deployment {colour}",
            lambda: colour not in self.deployments(),
            *(f"{self.kind}-deployment", "delete", "--name", colour, *self._behind(), "--yes"),
        )

    def scale(self, colour: str) -> None:
        """Let a deployment have more and fewer machines, where its kind can."""

    def traffic(self) -> Shares:
        """How the requests are divided: empty, or 100 in all.

        Raises:
            UsageError: Azure shows something else.
        """
        raise NotImplementedError

    def mirror(self) -> Shares:
        """Copies of requests that go to a deployment whose answers nobody sees."""
        return {}

    def move(self, traffic: Shares, mirror: Shares | None = None) -> None:
        """Divide the requests anew, in one change."""
        raise NotImplementedError

    def _behind(self) -> tuple[str, ...]:
        return ("--endpoint-name", self.name, *self.az.workspace)

    def _given(self, version: str) -> list[str]:
        raise NotImplementedError

    def _version(self, found: dict[str, Any]) -> str:
        """The version in a model's id, of a workspace or a registry; `?` where it is another's."""
        name = re.escape(self.place.name)
        match = re.search(rf"[/:]{name}(?::|/versions/)(\d+)$", str(found.get("model") or ""))
        return match[1] if match else "?"


class Online(Endpoint):
    """Answers at once."""

    kind = "online"
    splits = True

    def delete(self, colour: str) -> None:
        """The setting first: without its deployment nobody would find it again."""
        scaling.remove(self.az, self._setting(colour))
        super().delete(colour)

    def scale(self, colour: str) -> None:
        """As conf/<env>.yml and autoscale.yml say."""
        standing = self.deployments().get(colour)
        if standing is not None:
            scaling.apply(self.place, self._setting(colour), standing.id)
        elif self.az.dry_run:
            terminal.say(f"would let {colour} have more and fewer machines")
        else:
            raise UsageError(f"{self.name}: deployment {colour} is gone. Somebody deleted it.")

    def traffic(self) -> Shares:
        """Shares of the live requests."""
        shares = _shares(self.get().get("traffic"))
        if shares and sum(shares.values()) != 100:
            raise UsageError(f"endpoint {self.name} divides its traffic oddly: {shares}.")
        return shares

    def mirror(self) -> Shares:
        """Shares of the copied requests."""
        return _shares(self.get().get("mirror_traffic"))

    def move(self, traffic: Shares, mirror: Shares | None = None) -> None:
        """Live and copied requests at once: a deployment never has both."""
        mirror = mirror or {}

        def holds() -> bool:
            found = self.get()
            return (
                _shares(found.get("traffic")) == traffic
                and _shares(found.get("mirror_traffic")) == mirror
            )

        self.az.ensure(
            f"traffic {_text(traffic)}",
            holds,
            *("online-endpoint", "update", *self._named, "--traffic", self._all(traffic)),
            *("--mirror-traffic", self._all(mirror)),
        )

    def _all(self, shares: Shares) -> str:
        """Each deployment with its share, 0 included: what is left out might stay as it was."""
        names = [name for name in COLOURS if name in shares or name in self._known]
        return " ".join(f"{name}={shares.get(name, 0)}" for name in names)

    def _setting(self, colour: str) -> str:
        return f"{self.name}-{colour}"

    @property
    def _known(self) -> set[str]:
        return set(self.deployments())

    def _given(self, version: str) -> list[str]:
        machines = self.place.cloud.machines
        return [f"instance_type={machines.size}", f"instance_count={machines.min}"]


class Batch(Endpoint):
    """Scores whole files."""

    kind = "batch"
    splits = False

    def traffic(self) -> Shares:
        """All to the default deployment."""
        defaults = self.get().get("defaults") or {}
        default = defaults.get("deployment_name") or defaults.get("deploymentName")
        return {default: 100} if default else {}

    def move(self, traffic: Shares, mirror: Shares | None = None) -> None:
        """Make another one default."""
        (default,) = traffic
        self.az.ensure(
            f"default deployment {default}",
            lambda: self.traffic() == traffic,
            *("batch-endpoint", "update", *self._named),
            *("--defaults", f"deployment_name={default}"),
        )

    def _given(self, version: str) -> list[str]:
        return [f"environment_variables.MLOPS_MODEL_VERSION={version}"]


def of(place: Place) -> list[Endpoint]:
    """The project's endpoints; the online one first, as roles follow it.

    Raises:
        UsageError: it has none.
    """
    kinds = [Online, Batch]
    found = [kind(place) for kind in kinds if (ENDPOINTS / kind.kind / "endpoint.yml").is_file()]
    if not found:
        raise UsageError(f"{ENDPOINTS}: no endpoint is declared. `copier update` brings the files.")
    return found


def _state(found: dict[str, Any]) -> str:
    return str(found.get("provisioning_state") or "unknown")


def _shares(found: Any) -> Shares:
    shares = {str(name): int(share) for name, share in (found or {}).items()}
    return {name: share for name, share in shares.items() if share}


def _text(shares: Shares) -> str:
    return ", ".join(f"{name} {share} %" for name, share in sorted(shares.items())) or "none"
