"""Copies a version from dev into the registry, which staging and production use."""

from __future__ import annotations

from pathlib import Path

from mlops_platform.azure import signatures
from mlops_platform.azure.target import Target
from mlops_platform.azure.versions import Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.tracking.roles import MODEL_HASH, Version, stamp

SHAREABLE_ROLES = {"challenger", "champion"}
# These tags identify a version: the same number in the registry must have the same tags.
IDENTITY_TAGS = ("code_hash", "data_hash", "predictions_hash", MODEL_HASH)
NOT_COPIED = {
    "role",
    "role_why",
    "role_by",
    "role_since",
    "previous_champion",
    "truth",
    "truth_as_of",
    "truth_new",
    "truth_why",
}


def run(target: Target, number_or_role: str) -> str:
    """Share a version, by its number or as `challenger` or `champion`; return its number.

    In the registry it starts as challenger: the rollout decides what production serves.

    Raises:
        GateError: it is neither challenger nor champion, or the registry has another version of
            its number, or its model is not the one that was registered, or its signature does not
            fit.
        UsageError: the environment is not dev, there is no key to sign with, or Azure refuses.
    """
    if target.environment != "dev":
        raise UsageError(
            "versions are shared from dev, where training registers them, not "
            f"{target.environment}."
        )
    versions = Versions(target, registry=False)
    version = versions.get(number_or_role)
    if version.role not in SHAREABLE_ROLES:
        raise GateError(
            f"version {version.number} is {version.role}. Only a challenger or a champion can "
            f"be shared. The reason for its role: {version.tags.get('role_why', 'none given')}"
        )
    number, name = version.number, target.name
    signed = signatures.load(target)
    made: list[str] = []

    def sign(folder: Path) -> None:
        if signed is not None:
            made.append(signed.make(number, folder))

    versions.require_unchanged(version, sign if signed else None)
    registry = Versions(target, registry=True)
    _require_same_version(registry.find(number), version, registry.location)
    target.az.ensure(
        f"version {number} in the {registry.location}",
        lambda: registry.find(number) is not None,
        *("model", "share", "--name", name, "--version", number, *target.az.workspace),
        *("--share-with-name", name, "--share-with-version", number, *target.az.registry),
    )
    if signed is not None:
        signed.put(number, *made)
    copy = registry.find(number)
    tags = {
        key: value
        for key, value in version.tags.items()
        if key not in NOT_COPIED and "." not in key  # `az` reads a dot as a path
    }
    if copy is None or copy.role == "unknown":
        tags |= stamp("challenger", version.tags.get("role_why", "shared"))
    registry.set_tags(number, tags)
    terminal.log(f"version {number} is in the {registry.location}")
    return number


def _require_same_version(existing: Version | None, version: Version, location: str) -> None:
    if existing is None:
        return
    for key in IDENTITY_TAGS:
        if key in existing.tags and existing.tags[key] != version.tags.get(key):
            raise GateError(
                f"the {location} already has another version {version.number}: its `{key}` is "
                f"{existing.tags[key]}, here it is {version.tags.get(key)}. Train again to get a "
                "new number."
            )
