"""What the online endpoint keeps of its requests, and the rule that deletes it.

conf/<env>.yml, `collect`, decides. The data collector writes to the workspace's own storage, in a
folder for each endpoint. A storage account has one policy for all its rules, and each write
replaces it: so the rules of others are read first and written again.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mlops_platform.azure.target import Target
from mlops_platform.core.errors import UsageError

STORE = "workspaceblobstore"
FOLDER = "modelDataCollector"  # azure-ai-ml: constants/_endpoint.py, DEFAULT_MDC_PATH
ACCOUNT = re.compile(r"/resourceGroups/([^/]+)/.+/storageAccounts/([^/]+)$", re.IGNORECASE)
POLICY = ("storage", "account", "management-policy")


def collected_share(target: Target) -> float | None:
    """The share of requests to keep, from 0 to 1; None if nobody decided, so the file's counts.

    A regulated project keeps none unless `decided_by` names who decided.
    """
    collect = target.cloud.collect
    if target.project.regulated and (collect is None or collect.decided_by is None):
        return 0.0
    return collect.share if collect is not None else None


def collected_path(target: Target) -> str:
    """Where the data collector keeps what the online endpoint of the environment answered."""
    return f"azureml://datastores/{STORE}/paths/{FOLDER}/{target.cloud.endpoints.online}"


def overrides(target: Target, deployment: dict[str, Any]) -> list[str]:
    """Values for `--set` in a deployment's file, as KEY=VALUE; none if it collects nothing."""
    share = collected_share(target)
    collector = deployment.get("data_collector")
    if share is None or not isinstance(collector, dict):
        return []
    if share > 0:
        return [f"data_collector.sampling_rate={share}"]
    names = collector.get("collections") or {}
    return [f"data_collector.collections.{name}.enabled=false" for name in names]


def apply(target: Target, endpoint: str) -> None:
    """Create or update the rule that deletes what `endpoint` kept for `days`.

    Raises:
        UsageError: the storage of the workspace is not known, or Azure refuses the rule.
    """
    if target.cloud.collect is None:
        return
    options = _account(target)
    rule = _rule(f"{_container(target)}/{FOLDER}/{endpoint}/", endpoint, target.cloud.collect.days)

    def rules() -> list[dict[str, Any]]:
        policy = target.az.read(*POLICY, "show", *options)
        found: list[dict[str, Any]] = _without_nulls(policy)["policy"]["rules"] if policy else []
        return found

    others = [other for other in rules() if other.get("name") != rule["name"]]
    target.az.ensure(
        f"rule {rule['name']} that deletes collected requests",
        lambda: rule in rules(),
        *(*POLICY, "create", *options),
        *("--policy", json.dumps({"rules": [*others, rule]}, separators=(",", ":"))),
    )


def _rule(prefix: str, endpoint: str, days: int) -> dict[str, Any]:
    """https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-policy-structure."""
    return {
        "name": f"collected-{endpoint}",
        "enabled": True,
        "type": "Lifecycle",
        "definition": {
            "filters": {"blobTypes": ["blockBlob", "appendBlob"], "prefixMatch": [prefix]},
            "actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": days}}},
        },
    }


def _account(target: Target) -> tuple[str, ...]:
    """The options that name the workspace's storage account, perhaps in another group."""
    cloud = target.cloud
    workspace = target.az.read("workspace", "show", *target.az.group, "--name", cloud.workspace)
    match = ACCOUNT.search(str((workspace or {}).get("storage_account")))
    if match is None:
        raise UsageError(
            f"{target.settings}, field `workspace`: `az` does not show the storage account of "
            f"{cloud.workspace}. Ask your Azure administrator whether it has one."
        )
    return ("--resource-group", match[1], "--account-name", match[2])


def _container(target: Target) -> str:
    store = target.az.read("datastore", "show", "--name", STORE, *target.az.workspace)
    container = (store or {}).get("container_name")
    if not container:
        raise UsageError(
            f"{target.settings}, field `workspace`: {target.cloud.workspace} has no datastore "
            f"{STORE} with a container. Ask your Azure administrator to restore it."
        )
    return str(container)


def _without_nulls(content: Any) -> Any:
    """Without the fields that `az` shows as null: it would refuse some of them as input."""
    if isinstance(content, dict):
        return {key: _without_nulls(value) for key, value in content.items() if value is not None}
    return [_without_nulls(item) for item in content] if isinstance(content, list) else content
