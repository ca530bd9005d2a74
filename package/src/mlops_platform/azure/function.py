"""Puts the function of infra/function/ into Azure, where conf/ says whom it tells.

Its package is the file there, the host's settings and the platform package, which needs no library
for events; the host brings `azure.functions`. A deployment may be repeated.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path

from mlops_platform.azure.target import Target
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_file
from mlops_platform.delivery import platform_wheel

FOLDER = Path("infra/function")
APP = "function_app.py"
PACKAGE = Path(".mlops/terraform/function.zip")
LIBRARIES = ".python_packages/lib/site-packages"  # where Azure looks
HOST = {
    "version": "2.0",
    "extensionBundle": {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.*, 5.0.0)",
    },
    # The function itself reads Base64, and what is none; one message at a time.
    "extensions": {"queues": {"messageEncoding": "none", "batchSize": 1, "maxDequeueCount": 5}},
}
# With identities the provider azurerm leaves it empty, and the host then takes no identity:
# https://github.com/hashicorp/terraform-provider-azurerm/issues/29693
EMPTY = "AzureWebJobsStorage"


def deploy(target: Target) -> None:
    """Deploy the function that Terraform has made; nothing without `infra.events` in conf/.

    Raises:
        UsageError: there is no platform package to deploy, or Azure refuses.
    """
    if target.cloud.infra is None or target.cloud.infra.events is None:
        return
    package = build(Path())
    apps = target.az.read("functionapp", "list", *target.az.group) or []
    names = [str(app.get("name")) for app in apps if str(app.get("name")).startswith("func-")]
    if len(names) != 1:
        raise UsageError(
            f"{target.settings}, field `infra.events`: {target.cloud.resource_group} has "
            f"{len(names)} functions `func-...`, not the one that infra/events.tf makes."
        )
    options = (*target.az.group, "--name", names[0])
    deletion = ("functionapp", "config", "appsettings", "delete", *options)
    target.az.repeat(*deletion, "--setting-names", EMPTY)
    deployment = ("functionapp", "deployment", "source", "config-zip", *options)
    target.az.repeat(*deployment, "--src", package.as_posix())
    terminal.log(f"function {names[0]}: {PACKAGE.as_posix()} is deployed")


def build(root: Path) -> Path:
    """Write the package of the function; returns its path.

    Raises:
        UsageError: the platform package comes from a feed, which the package would need.
    """
    with tempfile.TemporaryDirectory() as scratch, atomic_file(root / PACKAGE) as path:
        wheels = platform_wheel.copy(root, Path(scratch))
        if not wheels:
            raise UsageError(
                "vendor/: has no wheel of the platform package, so the function cannot be built. "
                "`uv run poe template-update --data package_source=vendor` adds it."
            )
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            _add(package, "host.json", json.dumps(HOST, indent=2).encode())
            _add(package, APP, (root / FOLDER / APP).read_bytes())
            with zipfile.ZipFile(wheels[-1]) as wheel:
                for name in sorted(wheel.namelist()):
                    _add(package, f"{LIBRARIES}/{name}", wheel.read(name))
    return root / PACKAGE


def _add(package: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file without its time, so that the same files give the same package."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    package.writestr(info, content)
