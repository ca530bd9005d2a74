"""What serves: endpoints, deployments, versions, roles."""

from __future__ import annotations

from typing import Any

from mlops_platform.azure.endpoints import of
from mlops_platform.azure.place import Place
from mlops_platform.azure.versions import Versions


def run(place: Place) -> dict[str, Any]:
    """The state of one environment, for people and machines."""
    versions = {version.number: version for version in Versions(place).all()}
    behind: list[dict[str, Any]] = []
    for endpoint in of(place):
        traffic, mirror = endpoint.traffic(), endpoint.mirror()
        for name, deployment in sorted(endpoint.deployments().items()):
            version = versions.get(deployment.version)
            behind.append(
                {
                    "endpoint": endpoint.name,
                    "deployment": name,
                    "version": deployment.version,
                    "role": version.role if version else "unknown",
                    "state": deployment.state,
                    "traffic": traffic.get(name, 0),
                    "mirror": mirror.get(name, 0),
                }
            )
    listed = [
        {"version": version.number, "role": version.role, "since": version.since}
        for version in sorted(versions.values(), key=lambda version: version.number.zfill(9))
    ]
    return {"environment": place.environment, "deployments": behind, "versions": listed}
