"""The extension `ml` of `az`: in CI always the one version that this release was tested with.

`az` would install the newest one by itself, which then runs with the identity of production.
"""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache

from mlops_platform.core.errors import UsageError

VERSION = "2.44.1"  # of 2.45.0 a fault in `az ml job create --stream` is reported
ADD = f"az extension add --name ml --version {VERSION}"
NO_OTHER = {"AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no"}
CI_SIGNS = ("CI", "TF_BUILD")


def require(az: str) -> None:
    """In CI, install the version; a person's machine stays as it is.

    Raises:
        UsageError: it cannot be installed.
    """
    if any(os.environ.get(name) for name in CI_SIGNS):
        _install(az)


@cache
def _install(az: str) -> None:
    process = _run(az, "show", "--name", "ml", "--output", "json")
    found = json.loads(process.stdout).get("version") if process.returncode == 0 else None
    if found == VERSION:
        return
    steps = [["remove", "--name", "ml"]] if found else []
    steps += [["add", "--name", "ml", "--version", VERSION, "--yes", "--only-show-errors"]]
    for arguments in steps:
        process = _run(az, *arguments)
        if process.returncode != 0:
            raise UsageError(
                f"`az extension {arguments[0]} --name ml` failed: {process.stderr.strip()}\n"
                f"Install version {VERSION} on the machine of this job: `{ADD}`."
            )


def _run(az: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [az, "extension", *arguments],
        stdin=subprocess.DEVNULL,
        env=os.environ | NO_OTHER,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
