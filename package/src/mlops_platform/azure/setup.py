"""Creates what a project needs in its workspace: data asset, endpoints, deletion.

The cluster, too, where another than infra/ made the workspace. It can run any number of times:
existing resources that are as declared stay.
"""

from __future__ import annotations

from typing import Any

from mlops_platform.azure import infra, network, retention
from mlops_platform.azure.az import set_options
from mlops_platform.azure.endpoint import Endpoint
from mlops_platform.azure.endpoints import load_endpoints
from mlops_platform.azure.online_endpoint import Online
from mlops_platform.azure.target import COMPUTE, DATA, Target
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError


def run(target: Target) -> None:
    """Create the missing resources.

    Raises:
        UsageError: the workspace or the registry is missing, or an existing resource conflicts.
    """
    _require_workspace(target)
    if target.cloud.network is None:
        terminal.log(f"{target.settings} has no `network`: addresses are public (docs/azure.md)")
    _cluster(target)
    _data(target)
    for endpoint in load_endpoints(target):
        _endpoint(target, endpoint)
        if isinstance(endpoint, Online):
            retention.apply(target, endpoint.name)


def _require_workspace(target: Target) -> None:
    cloud, az = target.cloud, target.az
    if az.read("workspace", "show", *az.group, "--name", cloud.workspace) is None:
        raise UsageError(
            f"{target.settings}, field `workspace`: there is no workspace {cloud.workspace} in "
            f"{cloud.resource_group}. Ask your Azure administrator for it, or correct the name."
        )
    # `az ml registry` needs the resource group of the registry, which may be another team's.
    az.read("model", "list", "--max-results", "1", *az.registry)


def _cluster(target: Target) -> None:
    cluster = target.cloud.cluster
    settings = {
        "size": cluster.size,
        "tier": cluster.tier,
        "max_instances": str(cluster.max_nodes),
        "idle_time_before_scale_down": str(cluster.idle_seconds),
    }
    options = ("--name", "cpu", *target.az.workspace)

    def is_current() -> bool:
        compute = target.az.read("compute", "show", *options)
        network.require_cluster(target, compute)
        if target.cloud.infra is not None:
            infra.require_cluster(target, exists=compute is not None)
            return True
        return compute is not None and all(
            _is_same(compute.get(key), settings[key]) for key in settings
        )

    pairs = [f"{key}={value}" for key, value in settings.items()]
    pairs += network.cluster_overrides(target)
    target.az.ensure(
        "cluster cpu",
        is_current,
        *(
            "compute",
            "create",
            "--file",
            str(COMPUTE),
            *options,
            *set_options(*pairs, *target.tags()),
        ),
    )


def _data(target: Target) -> None:
    data = target.cloud.data
    options = ("--name", f"{target.name}-raw", "--version", data.version, *target.az.workspace)

    def exists() -> bool:
        asset = target.az.read("data", "show", *options)
        if asset is None:
            return False
        if not str(asset.get("path")).rstrip("/").endswith(_path_suffix(data.path)):
            raise UsageError(
                f"{target.settings}, field `data.path`: version {data.version} of "
                f"{target.name}-raw is {asset.get('path')} in Azure. A version cannot change: "
                "increase `data.version`."
            )
        return True

    pairs = [f"path={data.path}", *target.tags()]
    target.az.ensure(
        f"data {target.name}-raw {data.version}",
        exists,
        *("data", "create", "--file", str(DATA), *options, *set_options(*pairs)),
    )


def _endpoint(target: Target, endpoint: Endpoint) -> None:
    file = str(endpoint.folder / "endpoint.yml")
    options = ("--name", endpoint.name, *target.az.workspace)
    is_online = isinstance(endpoint, Online)
    access = [f"public_network_access={network.access(target)}"] if is_online else []
    target.az.ensure(
        f"{endpoint.kind} endpoint {endpoint.name}",
        lambda: endpoint.find() is not None,
        *(
            f"{endpoint.kind}-endpoint",
            "create",
            "--file",
            file,
            *options,
            *set_options(*access, *target.tags()),
        ),
    )
    if is_online and not (target.az.dry_run and endpoint.find() is None):
        network.ensure_endpoint(target, endpoint.name)


def _is_same(actual: Any, expected: str) -> bool:
    """Compare without case and `_`: Azure returns `STANDARD_DS3_V2` and `LowPriority`."""
    return str(actual).lower().replace("_", "") == expected.lower().replace("_", "")


def _path_suffix(path: str) -> str:
    """The part of a path that stays when Azure adds subscription and workspace before it."""
    return path.rstrip("/").partition("://")[2]
