"""Makes an environment with Terraform: checks, plans and applies the files in infra/.

It calls the plain `terraform`, so that whoever knows it needs nothing of this. What the provider
azurerm lacks is done by `az` in the same command: the registry, and that the workspace reaches its
storage without a key.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import yaml

from mlops_platform.azure import access, function
from mlops_platform.azure.target import Target
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import write_text
from mlops_platform.settings import ENVIRONMENTS, Infra, load_cloud

FOLDER = Path("infra")
LOCK = FOLDER / ".terraform.lock.hcl"
WORK = Path(".mlops/terraform")  # a folder for each environment: providers, and where the state is
CI = ("GITHUB_ACTIONS", "TF_BUILD")  # GitHub and Azure Pipelines set one
INSTALL = "Install Terraform 1.11 or later: https://developer.hashicorp.com/terraform/install"


def is_used(conf: Path) -> bool:
    """Whether infra/ makes this project's environments: all of conf/*.yml say so, or none.

    Raises:
        UsageError: some do.
    """
    used = {env: load_cloud(conf, env).infra is not None for env in ENVIRONMENTS}
    if len(set(used.values())) > 1:
        some = ", ".join(f"{conf / env}.yml" for env, yes in used.items() if not yes)
        raise UsageError(f"{some}, field `infra`: is missing; add it, or remove the others.")
    return used["dev"]


def check(conf: Path) -> None:
    """Test infra/ without an account: format, types, roles, and the rules in each environment.

    Raises:
        GateError: a check failed; `terraform` has said which.
        UsageError: `terraform` cannot run.
    """
    if not is_used(conf):
        message = f"{conf}/dev.yml has no field `infra`: another makes the environments"
        terminal.out.print(message, markup=False)
        return
    count = access.require_sound(Path())
    _terraform("check", "init", "-backend=false", *_locked())
    _terraform("check", "fmt", "-check", "-diff")
    _terraform("check", "validate")
    _terraform("check", "test")
    terminal.out.print(f"infra/ keeps its rules; {count} roles are as narrow as they must be")


def plan(target: Target) -> None:
    """Check, then show what `apply` would change in an environment; changes nothing."""
    infra = _require_ready(target)
    check(target.conf)
    variables = _init(target, infra)
    _ensure_registry(target, infra)
    chosen = f"-var=environment={target.environment}"
    _terraform(target.environment, "plan", "-lock=false", chosen, **variables)


def apply(target: Target) -> None:
    """Check, then make an environment as infra/ and conf/ describe it.

    Raises:
        GateError: production, and this is not CI; or a check failed.
        UsageError: conf/ lacks something, or Terraform or Azure refuses.
    """
    if target.environment == "prod" and not any(os.environ.get(name) for name in CI):
        raise GateError(
            "production is applied by CI, from main, after an approval (docs/connect.md); from "
            f"here {target.command('infra-plan')} shows what it would do."
        )
    infra = _require_ready(target)
    check(target.conf)
    variables = _init(target, infra)
    _ensure_registry(target, infra)
    chosen = f"-var=environment={target.environment}"
    _terraform(target.environment, "apply", "-auto-approve", chosen, **variables)
    _ensure_keyless(target)
    function.deploy(target)


def require_cluster(target: Target, *, exists: bool) -> None:
    """Check, for `setup`, that the cluster of infra/ is there."""
    if not exists and not target.az.dry_run:
        raise UsageError(
            f"cluster cpu is not in {target.cloud.workspace}; infra/ makes it: run "
            f"{target.command('infra-apply')} first."
        )


def _require_ready(target: Target) -> Infra:
    infra, network = target.cloud.infra, target.cloud.network
    if infra is None:
        raise UsageError(
            f"{target.settings}, field `infra`: is missing; docs/azure.md explains it."
        )
    if network is not None and not network.public and infra.subnet is None:
        raise UsageError(
            f"{target.settings}, field `infra.subnet`: is missing. With `public: false` only a "
            "private endpoint reaches the workspace: write the id of the subnet that it is to be "
            "in, /subscriptions/.../subnets/NAME, or `network: {public: true}`."
        )
    return infra


def _init(target: Target, infra: Infra) -> dict[str, str]:
    """Prepare Terraform; returns the variables with which it finds the subscription."""
    backend = {
        "resource_group_name": infra.shared,
        "storage_account_name": infra.state,
        "container_name": target.environment,
        "key": f"{target.name}.tfstate",
        "use_azuread_auth": "true",
    }
    options = [f"-backend-config={key}={value}" for key, value in backend.items()]
    subscription = os.environ.get("ARM_SUBSCRIPTION_ID") or target.az.read("account", "show")["id"]
    variables = {"ARM_SUBSCRIPTION_ID": str(subscription)}
    _terraform(target.environment, "init", "-reconfigure", *options, *_locked(), **variables)
    return variables


def _locked() -> list[str]:
    """In CI the committed lock decides; on a laptop the first run writes it."""
    return ["-lockfile=readonly"] if LOCK.exists() and os.environ.get("CI") else []


def _terraform(work: str, *arguments: str, **variables: str) -> None:
    """Run `terraform` in infra/; its output is shown as it comes."""
    program = shutil.which("terraform")
    if program is None:
        raise UsageError(f"`terraform` is not installed. {INSTALL}")
    command = [*arguments[:1], "-no-color", *arguments[1:]]
    if arguments[0] in ("init", "plan", "apply"):
        command.insert(1, "-input=false")
    settings = {"TF_DATA_DIR": str((WORK / work).resolve()), "TF_IN_AUTOMATION": "1"}
    terminal.log(f"$ terraform -chdir={FOLDER} {' '.join(command)}")
    done = subprocess.run(
        [program, f"-chdir={FOLDER}", *command],
        env=os.environ | settings | variables,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        raise GateError(f"`terraform {arguments[0]}` failed in {FOLDER}; its output is above.")


def _ensure_registry(target: Target, infra: Infra) -> None:
    """The registry, which the provider azurerm does not know, in the shared group."""
    name = target.cloud.registry
    group = ("--resource-group", infra.shared)

    def exists() -> bool:
        found = target.az.read("registry", "list", *group)
        return any(each.get("name") == name for each in found)

    file = WORK / "registry.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, yaml.safe_dump(registry(target, infra), sort_keys=False))
    target.az.ensure(
        f"registry {name}", exists, *("registry", "create", "--file", str(file), *group)
    )


def registry(target: Target, infra: Infra) -> dict[str, object]:
    """The registry as Azure ML reads it; private if all environments are."""
    networks = [load_cloud(target.conf, env).network for env in ENVIRONMENTS]
    public = any(network is None or network.public for network in networks)
    return {
        "name": target.cloud.registry,
        "location": infra.location,
        "public_network_access": "enabled" if public else "disabled",
        "replication_locations": [{"location": infra.location}],
        "tags": target.cloud.tags,
    }


def _ensure_keyless(target: Target) -> None:
    """Let the workspace reach its own storage by its identity: the storage has no keys."""
    names = (*target.az.group, "--name", target.cloud.workspace)

    def is_keyless() -> bool:
        workspace = target.az.read("workspace", "show", *names) or {}
        return str(workspace.get("system_datastores_auth_mode")).lower() == "identity"

    target.az.ensure(
        f"{target.cloud.workspace} uses its storage without keys",
        is_keyless,
        *("workspace", "update", *names, "--system-datastores-auth-mode", "identity"),
    )
