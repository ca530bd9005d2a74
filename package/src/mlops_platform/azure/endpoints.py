"""Which endpoints a project has."""

from __future__ import annotations

from mlops_platform.azure.batch_endpoint import Batch
from mlops_platform.azure.endpoint import Endpoint
from mlops_platform.azure.online_endpoint import Online
from mlops_platform.azure.target import ENDPOINTS, Target
from mlops_platform.core.errors import UsageError


def load_endpoints(target: Target) -> list[Endpoint]:
    """Load the project's endpoints; the online one is first, because roles follow it.

    Raises:
        UsageError: there are none.
    """
    kinds = [Online, Batch]
    endpoints = [
        kind(target) for kind in kinds if (ENDPOINTS / kind.kind / "endpoint.yml").is_file()
    ]
    if not endpoints:
        raise UsageError(f"{ENDPOINTS}: no endpoint is declared. `copier update` adds the files.")
    return endpoints
