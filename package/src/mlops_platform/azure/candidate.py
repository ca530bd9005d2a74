"""Finds the version of dev that is ready to be delivered."""

from __future__ import annotations

from mlops_platform.azure.target import Target
from mlops_platform.azure.versions import Versions
from mlops_platform.tracking.roles import Version


def find(target: Target) -> Version | None:
    """Return dev's challenger; None if the registry shows that it was already delivered.

    Raises:
        UsageError: a registry cannot be read; it is never treated as empty.
    """
    challenger = Versions(target, registry=False).holder("challenger")
    if challenger is None:
        return None
    delivered_version = Versions(target, registry=True).find(challenger.number)
    is_delivered = delivered_version is not None and delivered_version.role not in (
        "challenger",
        "unknown",
    )
    return None if is_delivered else challenger
