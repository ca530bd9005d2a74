"""Certification of a version in the registry: its stage, which is a right of its own in Azure.

Who may deploy may not set it (infra/roles.yml), so what runs in production passed two people. It
counts where infra/ makes the roles: where nobody has that right, nobody could certify.
"""

from __future__ import annotations

from mlops_platform.azure.az import set_options
from mlops_platform.azure.target import Target
from mlops_platform.azure.versions import Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError

CERTIFIED, WITHDRAWN = "Production", "Archived"


def run(target: Target, number_or_role: str, *, withdraw: bool = False) -> str:
    """Certify a version of the registry, or withdraw that; returns its number.

    Raises:
        GateError: the version was rejected or rolled back.
        UsageError: there is no such version, or Azure refuses.
    """
    if target.environment == "dev":
        raise UsageError("dev deploys from its workspace, uncertified. Use `--env prod`.")
    versions = Versions(target)
    version = versions.get(number_or_role)
    if not withdraw and version.role in ("rejected", "rolled_back"):
        raise GateError(
            f"version {version.number} is {version.role}: "
            f"{version.tags.get('role_why', 'none given')}. Certify another one."
        )
    stage = WITHDRAWN if withdraw else CERTIFIED
    options = ("--name", target.name, "--version", version.number)
    target.az.ensure(
        f"stage {stage} of version {version.number}",
        lambda: _stage(target, version.number) == stage,
        *("model", "update", *options, *target.az.group, *target.az.registry),
        *set_options(f"stage={stage}"),
    )
    terminal.log(f"version {version.number} in registry {target.cloud.registry}: {stage}")
    return version.number


def require_certified(target: Target, number: str) -> None:
    """Check before a deployment that the validator has certified a version.

    Staging takes versions that wait for it: what it shows is what the validator judges by.

    Raises:
        GateError: production, and it is not certified; or its certificate was withdrawn.
    """
    if target.cloud.infra is None or target.environment == "dev":
        return
    stage = _stage(target, number)
    if stage == WITHDRAWN or (target.environment == "prod" and stage != CERTIFIED):
        raise GateError(
            f"version {number} is not certified: its stage in registry {target.cloud.registry} is "
            f"{stage or 'not set'}. Once the model validator agrees, they run "
            f"{target.command(f'certify {number}')}; who deploys cannot."
        )


def _stage(target: Target, number: str) -> str:
    options = ("--name", target.name, "--version", number)
    model = target.az.read("model", "show", *options, *target.az.registry)
    return str((model or {}).get("stage") or "")
