# Managed: belongs to the standard, `copier update` changes it.
"""Are the files of CI safe and whole? For GitHub zizmor answers, for Azure Pipelines our own rules.

Microsoft has no such checker that works without its service.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from ..errors import GateFailed, UsageError
from . import pipelines

GITHUB, AZURE = Path(".github"), Path(".azuredevops")
FOUND = range(10, 20)  # zizmor's exit codes for findings


def run(root: Path) -> str:
    """Audit what there is; returns what was looked at.

    Raises:
        GateFailed: with each fault.
        UsageError: there is nothing to audit, or zizmor cannot run.
    """
    if (root / GITHUB / "workflows").is_dir():
        _zizmor(root)
        return str(GITHUB)
    if (root / AZURE).is_dir():
        if found := pipelines.faults(root / AZURE):
            raise GateFailed("\n".join([f"faults in {AZURE}:", *found]))
        return str(AZURE)
    raise UsageError(f"there is neither {GITHUB}/workflows nor {AZURE}. Bring it back from git.")


def _zizmor(root: Path) -> None:
    command = ["zizmor", "--offline", "--quiet", "--strict-collection", str(GITHUB)]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError(f"zizmor cannot be started ({error}). Run `uv sync`.") from None
    if done.returncode in FOUND:
        raise GateFailed(f"zizmor found faults:\n{done.stdout.strip()}")
    if done.returncode != 0:
        raise UsageError(f"zizmor failed: {done.stderr.strip()}")
