"""Public or private: the addresses of the cluster and of the online endpoint.

The files in azureml/ are private. conf/<env>.yml, `network`, opens them for an environment; a
project without it has public addresses.
"""

from __future__ import annotations

from typing import Any

from mlops_platform.azure.target import Target
from mlops_platform.core.errors import UsageError


def is_public(target: Target) -> bool:
    """Whether cluster and endpoint get public addresses."""
    return target.cloud.network is None or target.cloud.network.public


def access(target: Target) -> str:
    """The value of `public_network_access` and `egress_public_network_access`."""
    return "enabled" if is_public(target) else "disabled"


def cluster_overrides(target: Target) -> list[str]:
    """Values for `--set` of the cluster, as KEY=VALUE."""
    network = target.cloud.network
    pairs = [f"enable_node_public_ip={str(is_public(target)).lower()}"]
    if network is not None and network.subnet:
        pairs.append(f"network_settings.subnet={network.subnet}")
    return pairs


def require_cluster(target: Target, cluster: dict[str, Any] | None) -> None:
    """Require that an existing cluster has a public address or none, as decided.

    Azure sets this at creation only.

    Raises:
        UsageError: it differs.
    """
    network = target.cloud.network
    if network is None or cluster is None:
        return
    if bool(cluster.get("enable_node_public_ip", True)) != network.public:
        has, wanted = ("no", "has one") if network.public else ("a", "has none")
        raise UsageError(
            f"{target.settings}, field `network.public`: the machines of cluster cpu have {has} "
            f"public address, and only a new cluster {wanted}. When no job runs, delete it with "
            f"`az ml compute delete --name cpu --resource-group {target.cloud.resource_group} "
            f"--workspace-name {target.cloud.workspace}`, then run {target.command('setup')} again."
        )


def ensure_endpoint(target: Target, name: str) -> None:
    """Open or close an existing online endpoint, if conf/<env>.yml decides it."""
    if target.cloud.network is None:
        return
    options = ("--name", name, *target.az.workspace)

    def is_current() -> bool:
        endpoint = target.az.read("online-endpoint", "show", *options)
        shown = str((endpoint or {}).get("public_network_access") or "enabled")
        return endpoint is not None and shown.lower() == access(target)

    target.az.ensure(
        f"public access of {name} {access(target)}",
        is_current,
        *("online-endpoint", "update", *options),
        *("--set", f"public_network_access={access(target)}"),
    )
