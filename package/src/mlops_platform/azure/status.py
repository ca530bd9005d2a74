"""Reads the state of the endpoints, deployments, versions and roles."""

from __future__ import annotations

from typing import Any

from mlops_platform.azure.endpoints import load_endpoints
from mlops_platform.azure.target import Target
from mlops_platform.azure.versions import Versions


def run(target: Target) -> dict[str, Any]:
    """Read the state of one environment."""
    versions = {version.number: version for version in Versions(target).all()}
    deployments: list[dict[str, Any]] = []
    for endpoint in load_endpoints(target):
        traffic, mirror = endpoint.traffic(), endpoint.mirror()
        for name, deployment in sorted(endpoint.deployments().items()):
            version = versions.get(deployment.version)
            deployments.append(
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
    version_rows = [
        {"version": version.number, "role": version.role, "since": version.since}
        for version in sorted(versions.values(), key=lambda version: version.number.zfill(9))
    ]
    return {"environment": target.environment, "deployments": deployments, "versions": version_rows}
