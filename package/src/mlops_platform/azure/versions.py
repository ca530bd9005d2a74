"""Versions of the model in Azure ML, and their roles.

Training registers versions in the workspace of dev, with dev's roles as tags. Staging and
production serve shared versions from the registry. The roles there say what production serves;
staging only reads them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops_platform.azure.az import set_options
from mlops_platform.azure.target import Target, command_hint
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.tracking import binding
from mlops_platform.tracking.roles import Role, Version, stamp

NEVER_DEPLOYED = {"rejected", "rolled_back"}


class Versions:
    """The versions that an environment can serve."""

    def __init__(self, target: Target, *, registry: bool | None = None) -> None:
        self.target = target
        self.az = target.az
        self.in_registry = target.environment != "dev" if registry is None else registry
        self.can_write = target.environment != "staging"
        self._location_options = self.az.registry if self.in_registry else self.az.workspace
        cloud = target.cloud
        self.location = (
            f"registry {cloud.registry}" if self.in_registry else f"workspace {cloud.workspace}"
        )

    def find(self, number: str) -> Version | None:
        """Return a version; None if it does not exist."""
        options = ("--name", self.target.name, "--version", number)
        model = self.az.read("model", "show", *options, *self._location_options)
        return None if model is None else _parse_version(model)

    def get(self, number_or_role: str) -> Version:
        """Return a version by its number, or the latest `challenger` or `champion`."""
        if number_or_role in ("challenger", "champion"):
            holder = self.holder(number_or_role)
            if holder is None:
                raise UsageError(
                    f"{self.target.name} has no {number_or_role} in the {self.location}."
                )
            return holder
        version = self.find(number_or_role)
        if version is None:
            share = f" Share it first: {command_hint(f'share {number_or_role}', 'dev')}."
            hint = share if self.in_registry else ""
            raise UsageError(
                f"version {number_or_role} of {self.target.name} is not in the "
                f"{self.location}.{hint}"
            )
        return version

    def require_unchanged(
        self, version: Version, also: Callable[[Path], None] | None = None
    ) -> None:
        """Download a version's model, and check that it is the one that was registered.

        `also` is called with its folder afterwards.

        Raises:
            GateError: it is another one.
            UsageError: Azure has no model of this version.
        """
        if version.model_hash is None and also is None:
            binding.say_unbound(version.number)
            return
        options = ("--name", self.target.name, "--version", version.number)
        with tempfile.TemporaryDirectory() as scratch:
            self.az.download(
                *("model", "download", *options, "--download-path", scratch),
                *self._location_options,
            )
            cards = sorted(Path(scratch).rglob("model.json"))
            if len(cards) != 1:
                raise UsageError(
                    f"version {version.number} in the {self.location} has {len(cards)} files "
                    "model.json, expected one. Look at it in Azure."
                )
            binding.require_unchanged(
                version.number,
                version.model_hash,
                cards[0].parent,
                f"Somebody changed it in the {self.location}: find out who, and train again.",
            )
            if also is not None:
                also(cards[0].parent)

    def all(self) -> list[Version]:
        """Return all versions."""
        models = self.az.read("model", "list", "--name", self.target.name, *self._location_options)
        return [_parse_version(model) for model in models]

    def holder(self, role: str) -> Version | None:
        """Return the version with a role; the latest if several have it."""
        holders = [version for version in self.all() if version.role == role]
        return max(holders, key=lambda version: version.since, default=None)

    def set_tags(self, number: str, tags: dict[str, str]) -> None:
        """Set tags of a version, all in one change."""
        tags = {
            key: " ".join(value.split()) for key, value in tags.items()
        }  # an argument is one line

        def is_set() -> bool:
            version = self.find(number)
            return version is not None and tags.items() <= version.tags.items()

        options = ("--name", self.target.name, "--version", number)
        location_options = (
            [*self.az.group, *self._location_options]
            if self.in_registry
            else self._location_options
        )
        overrides = [f"tags.{key}={value}" for key, value in tags.items()]
        command = (
            "model",
            "update",
            *options,
            *location_options,
            "--force-string",
            *set_options(*overrides),
        )
        self.az.ensure(f"tags of version {number}", is_set, *command)

    def promote(self, number: str, why: str) -> None:
        """Make a version champion, then archive the former one: there is always a champion."""
        if not self.can_write:
            return
        new = self.get(number)
        champions = [v for v in self.all() if v.role == "champion" and v.number != number]
        if new.role != "champion" or any(other.since > new.since for other in champions):
            latest = max(champions, key=lambda version: version.since, default=None)
            previous = {"previous_champion": latest.number} if latest else {}
            self.set_tags(number, previous | stamp("champion", why))
        for other in champions:
            self.set_tags(other.number, stamp("archived", f"version {number} took its place"))

    def restore(self, number: str, failed: str, role: Role, why: str) -> None:
        """Make `number` champion again, then give `failed` its new role."""
        if not self.can_write:
            return
        restored = self.get(number)
        failed_version = self.get(failed)
        if restored.role != "champion" or (
            failed_version.role == "champion" and failed_version.since > restored.since
        ):
            tags = stamp("champion", f"instead of version {failed}: {why}")
            self.set_tags(number, tags)
        if failed_version.role != role:
            self.set_tags(failed, stamp(role, why))


def require_deployable(target: Target, versions: Versions, version: Version) -> None:
    """Check that a version may be deployed.

    Raises:
        GateError: a version that is rejected or rolled back; in production any but the challenger,
            the champion, and the previous champion, which a rollback needs.
    """
    reason = version.tags.get("role_why", "none given")
    if version.role in NEVER_DEPLOYED:
        raise GateError(
            f"version {version.number} is {version.role} and is never deployed: {reason}"
        )
    if target.environment != "prod" or version.role in ("challenger", "champion"):
        return
    champion = versions.holder("champion")
    if champion is None or champion.tags.get("previous_champion") != version.number:
        raise GateError(
            f"version {version.number} is {version.role}. In production only the challenger, the "
            f"champion and the previous champion are deployed. The reason for its role: {reason}"
        )


def _parse_version(model: dict[str, Any]) -> Version:
    tags = {str(key): str(value) for key, value in (model.get("tags") or {}).items()}
    return Version(str(model["version"]), "", tags)
