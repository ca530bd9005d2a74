"""Copies a version of dev into the registry, from which staging and production serve."""

from __future__ import annotations

from mlops_platform.azure.place import Place
from mlops_platform.azure.versions import Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.tracking.roles import Version, stamp

ALLOWED = {"challenger", "champion"}
# A version is what these say; the same number in the registry must be the same version.
IDENTITY = ("code_hash", "data_hash", "predictions_hash")
OWN = {"role", "role_why", "role_by", "role_since", "previous_champion"}


def run(place: Place, asked: str) -> str:
    """Share a version, by its number or as `challenger` or `champion`; return its number.

    In the registry it begins as challenger: what production serves is decided by its rollout.

    Raises:
        GateError: it is neither challenger nor champion, or its number is taken by another.
        UsageError: not from dev, or Azure cannot do it.
    """
    if place.environment != "dev":
        raise UsageError(
            f"versions are shared from dev, where training registers them, not {place.environment}."
        )
    version = Versions(place, registry=False).get(asked)
    if version.role not in ALLOWED:
        raise GateError(
            f"version {version.number} is {version.role}. Only a challenger or a champion is "
            f"shared. It became so because: {version.tags.get('role_why', 'nobody said why')}"
        )
    shared = Versions(place, registry=True)
    _require_the_same(shared.find(version.number), version, shared.where)
    number, name = version.number, place.name
    place.az.ensure(
        f"version {number} in the {shared.where}",
        lambda: shared.find(number) is not None,
        *("model", "share", "--name", name, "--version", number, *place.az.workspace),
        *("--share-with-name", name, "--share-with-version", number, *place.az.registry),
    )
    there = shared.find(number)
    tags = {
        key: value
        for key, value in version.tags.items()
        if key not in OWN and "." not in key  # a dot would be read as a path
    }
    if there is None or there.role == "unknown":
        tags |= stamp("challenger", version.tags.get("role_why", "shared"))
    shared.write(number, tags)
    terminal.say(f"version {number} is in the {shared.where}")
    return number


def _require_the_same(there: Version | None, version: Version, where: str) -> None:
    if there is None:
        return
    for key in IDENTITY:
        if key in there.tags and there.tags[key] != version.tags.get(key):
            raise GateError(
                f"the {where} has another version {version.number} already: its `{key}` is "
                f"{there.tags[key]}, here it is {version.tags.get(key)}. Train once more, for a "
                "number that is free."
            )
