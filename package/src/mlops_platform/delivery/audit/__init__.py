"""Are the files of CI safe and whole? For GitHub zizmor answers, for Azure Pipelines our own rules.

Microsoft has no such checker that works without its service.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.delivery.audit import pipelines

GITHUB, AZURE = Path(".github"), Path(".azuredevops")
FOUND = range(10, 20)  # zizmor's exit codes for findings


def run(root: Path) -> list[str]:
    """Audit the files of each service that the project has; returns what was looked at, in lines.

    Raises:
        GateError: with each fault.
        UsageError: there is nothing to audit, or zizmor cannot run.
    """
    found: list[str] = []
    told: list[str] = []
    if (root / AZURE).is_dir():
        faults, unseen = pipelines.look(root / AZURE)
        if faults:
            found.append("\n".join([f"faults in {AZURE}:", *faults]))
        told.append(f"{AZURE} is in order")
        told += [f"not looked at: {each}" for each in unseen]
    if (root / GITHUB / "workflows").is_dir():
        found += _zizmor(root)
        told.insert(0, f"{GITHUB} is in order")
    if found:
        raise GateError("\n\n".join(found))
    if not told:
        raise UsageError(
            f"there is neither {GITHUB}/workflows nor {AZURE}. Bring it back from git."
        )
    return told


def _zizmor(root: Path) -> list[str]:
    command = ["zizmor", "--offline", "--quiet", "--strict-collection", str(GITHUB)]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError(f"zizmor cannot be started ({error}). Run `uv sync`.") from None
    if done.returncode in FOUND:
        return [f"zizmor found faults:\n{done.stdout.strip()}"]
    if done.returncode != 0:
        raise UsageError(f"zizmor failed: {done.stderr.strip()}")
    return []
