"""From what a run is made: commit, code, settings, packages.

A job in Azure ML has neither the repository nor the lock. There, what `mlops azure submit` saw
comes with the job, in variables of its environment.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path

from mlops_platform.core.files import hash_path

UNKNOWN = "unknown"
CARRIED = {
    "git_commit": "MLOPS_GIT_COMMIT",
    "git_dirty": "MLOPS_GIT_DIRTY",
    "lock_hash": "MLOPS_LOCK_HASH",
    "job": "AZUREML_ROOT_RUN_ID",  # Azure ML's own: the pipeline's job
}


def of(conf: Path, code: Path) -> dict[str, str]:
    """Tags for a run of the settings in `conf` and the code in `code`, with this package.

    What nobody says is `unknown`.
    `job` is there only where Azure ML runs it.
    """
    carried = {tag: os.environ.get(name) for tag, name in CARRIED.items()}
    return {
        **repository(conf.resolve().parent),
        "code_hash": _digest(hash_path(code), platform_hash()),
        "conf_hash": hash_path(conf),
        **{tag: value for tag, value in carried.items() if value},
    }


@cache
def platform_hash() -> str:
    """SHA-256 of this package as it is installed: an edit of it makes other results."""
    return hash_path(Path(__file__).resolve().parents[1])


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def repository(root: Path) -> dict[str, str]:
    """What git and the lock in `root` say."""
    lock = root / "uv.lock"
    dirty = _git(root, "status", "--porcelain")
    return {
        "git_commit": _git(root, "rev-parse", "HEAD"),
        "git_dirty": UNKNOWN if dirty == UNKNOWN else str(bool(dirty)).lower(),
        "lock_hash": hash_path(lock) if lock.is_file() else UNKNOWN,
    }


def is_committed(root: Path) -> bool:
    """Whether git knows every file in `root` as it is; False where nobody can say."""
    return _git(root, "status", "--porcelain") == ""


def variables(root: Path) -> dict[str, str]:
    """What a job must be given, as variables of its environment."""
    return {CARRIED[tag]: value for tag, value in repository(root).items() if value != UNKNOWN}


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return done.stdout.strip()
