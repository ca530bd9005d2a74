"""The version of dev that is to be delivered, if there is one."""

from __future__ import annotations

from mlops_platform.azure.place import Place
from mlops_platform.azure.versions import Versions
from mlops_platform.tracking.roles import Version


def find(place: Place) -> Version | None:
    """Dev's challenger, unless the registry says that it was delivered before.

    Raises:
        UsageError: a registry cannot be read; that is never taken for "nothing to deliver".
    """
    challenger = Versions(place, registry=False).holder("challenger")
    if challenger is None:
        return None
    shared = Versions(place, registry=True).find(challenger.number)
    delivered = shared is not None and shared.role not in ("challenger", "unknown")
    return None if delivered else challenger
