"""The provenance of a run: commit, code, settings, packages.

A job in Azure ML has neither the repository nor the lock. There, `mlops azure submit`
passes the provenance to the job, in environment variables.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from mlops_platform.core import git
from mlops_platform.core.files import hash_path

UNKNOWN = "unknown"
VARIABLES = {
    "git_commit": "MLOPS_GIT_COMMIT",
    "git_dirty": "MLOPS_GIT_DIRTY",
    "lock_hash": "MLOPS_LOCK_HASH",
    "job": "AZUREML_ROOT_RUN_ID",  # set by Azure ML: the job of the pipeline
}


def collect(conf: Path, code: Path) -> dict[str, str]:
    """Collect the tags of a run: of the settings in `conf`, the code in `code` and this package.

    A value that is not known is `unknown`. Only a run in Azure ML has `job`.
    """
    given = {tag: os.environ.get(name) for tag, name in VARIABLES.items()}
    return {
        **git_state(conf.resolve().parent),
        "code_hash": _digest(hash_path(code), platform_hash()),
        "conf_hash": hash_path(conf),
        **{tag: value for tag, value in given.items() if value},
    }


@cache
def platform_hash() -> str:
    """SHA-256 of this package as it is installed: editing it changes results."""
    return hash_path(Path(__file__).resolve().parents[1])


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def git_state(root: Path) -> dict[str, str]:
    """The commit and the lock in `root`."""
    lock = root / "uv.lock"
    dirty = _git(root, "status", "--porcelain")
    return {
        "git_commit": _git(root, "rev-parse", "HEAD"),
        "git_dirty": UNKNOWN if dirty == UNKNOWN else str(bool(dirty)).lower(),
        "lock_hash": hash_path(lock) if lock.is_file() else UNKNOWN,
    }


def is_committed(root: Path) -> bool:
    """Whether every file in `root` is committed; False without git."""
    return _git(root, "status", "--porcelain") == ""


def environment_variables(root: Path) -> dict[str, str]:
    """The environment variables that a job needs."""
    return {VARIABLES[tag]: value for tag, value in git_state(root).items() if value != UNKNOWN}


def _git(folder: Path, *arguments: str) -> str:
    try:
        return git.text(folder, *arguments)
    except git.GitError:
        return UNKNOWN
