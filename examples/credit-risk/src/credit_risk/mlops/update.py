# Managed: belongs to the standard, `copier update` changes it.
"""Brings the standard's news, and says what Copier leaves unsaid.

Copier ends with exit code 0 when files hold conflicts, and deletes a file that an answer switched
off even where the team had edited it. Here conflicts are a failure, and edited files stay.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from .errors import GateFailed, UsageError
from .template import copier, pristine_of, reason, recorded_in


class Update(NamedTuple):
    """What an update did.

    `kept` are files that the standard no longer has and the team had edited. `answers` are those
    that changed without being asked for: Copier falls back to the default in silence.
    """

    before: str
    after: str
    changed: int
    deleted: list[str]
    kept: list[str]
    conflicts: list[str]
    answers: list[str]


def update(root: Path, data: list[str], to: str | None = None) -> Update:
    """Update the project in `root` to the release `to` (default: the newest), without questions.

    `data` are answers to change, each NAME=VALUE.

    Raises:
        UsageError: uncommitted work, or Copier cannot update; then the project is as it was.
    """
    if _git(root, "status", "--porcelain"):
        raise UsageError(
            "there is uncommitted work, and an update could not be told from it. "
            "Commit or stash it, then update."
        )
    recorded = recorded_in(root)
    with tempfile.TemporaryDirectory() as scratch:
        pristine = Path(scratch) / "pristine"
        pristine_of(recorded, pristine)
        answers = [part for given in data for part in ("--data", given)]
        version = ["--vcs-ref", to] if to else []
        done = copier("update", "--quiet", "--defaults", *answers, *version, cwd=root)
        if done.returncode != 0:
            _git(root, "reset", "--quiet", "--hard")
            _git(root, "clean", "--quiet", "--force", "-d")
            raise UsageError(f"Copier cannot update, all is as it was: {reason(done)}")
        gone = _names(root, "--diff-filter=D", "HEAD")
        kept = [path for path in gone if _edited(root, path, pristine)]
    if kept:
        _git(root, "restore", "--source=HEAD", "--", *kept)
    now = recorded_in(root)
    asked = {given.partition("=")[0] for given in data}
    return Update(
        before=str(recorded["_commit"]),
        after=str(now["_commit"]),
        changed=len(_git(root, "status", "--porcelain", "--untracked-files=all").splitlines()),
        deleted=[path for path in gone if path not in kept],
        kept=kept,
        conflicts=_names(root, "--diff-filter=U"),
        answers=[
            f"{name}: {value!r} became {now[name]!r}"
            for name, value in recorded.items()
            if not name.startswith("_") and now.get(name, value) != value and name not in asked
        ],
    )


def conflicts_fail(done: Update) -> None:
    """Raises GateFailed where the update left conflicts, and says how to end it."""
    if done.conflicts:
        raise GateFailed(
            f"{len(done.conflicts)} files hold conflicts: {', '.join(done.conflicts)}. Choose "
            "between the lines above and below `=======` in each, `git add` it, then commit."
        )


def _edited(root: Path, path: str, pristine: Path) -> bool:
    """Whether the project's file was not as the standard had rendered it."""
    rendered = pristine / path
    if not rendered.is_file():
        return True
    committed = subprocess.run(
        ["git", "show", f"HEAD:./{path}"], cwd=root, capture_output=True, check=True
    )
    unix = (text.replace(b"\r\n", b"\n") for text in (committed.stdout, rendered.read_bytes()))
    return next(unix) != next(unix)


def _names(root: Path, *options: str) -> list[str]:
    listed = _git(root, "diff", "--name-only", "--relative", "-z", *options)
    return sorted(set(listed.split("\0")) - {""})


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env={**os.environ, "LC_ALL": "C"},  # its words are looked at
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if "not a git repository" in done.stderr:
        raise UsageError(
            f"{root}: git does not know this folder, and an update is merged with what it knows. "
            "Run `git init`, commit the project as it is, then update."
        )
    if done.returncode != 0:
        raise UsageError(f"`git {' '.join(arguments[:2])}` failed: {reason(done)}")
    return done.stdout
