"""Brings the standard's news, and says what Copier leaves unsaid.

Copier ends with exit code 0 when files hold conflicts, and deletes a file that an answer switched
off even where the team had edited it. Here conflicts are a failure, and edited files stay.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.text import amount
from mlops_platform.template.ownership import owner_of, rules
from mlops_platform.template.rendering import copier, pristine_of, reason, recorded_in

SOLVE = "Choose between the lines above and below `=======` in each, `git add` it, then commit."
# Rendered into the team's own files, which no update touches.
FIRST_VALUES = {
    "project_name": "it stands in files of your own",
    "project_slug": "it stands in files of your own",
    "package_name": "your own modules import it",
    "task": "your data, model and tests are made for it",
    "regulated": "it is only the first value of `regulated` in conf/project.yml: change it there",
}


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
        UsageError: uncommitted work, an answer that cannot be changed, or Copier cannot update;
            then the project is as it was.
    """
    _require_clean(root)
    recorded = recorded_in(root)
    asked = _asked(data, recorded)
    with tempfile.TemporaryDirectory() as scratch:
        pristine = Path(scratch) / "pristine"
        pristine_of(recorded, pristine)
        answers = [part for given in data for part in ("--data", given)]
        version = ["--vcs-ref", to] if to else []
        done = copier("update", "--quiet", "--defaults", *answers, *version, cwd=root)
        if done.returncode != 0:
            take_back(root)
            raise UsageError(f"Copier cannot update, all is as it was: {reason(done)}")
        now = recorded_in(root)
        if unknown := sorted(asked - now.keys()):
            take_back(root)
            known = ", ".join(sorted(name for name in now if not name.startswith("_")))
            raise UsageError(
                f"--data {unknown[0]}: {now['_commit']} asks no such question, all is as it was. "
                f"It asks: {known}."
            )
        gone = _names(root, "--diff-filter=D", "HEAD")
        kept = [path for path in gone if _edited(root, path, pristine)]
    if kept:
        _git(root, "restore", "--source=HEAD", "--", *kept)
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


def told(done: Update) -> list[str]:
    """A line for each thing that nobody would see in the changed files."""
    gone = "with your answers the standard does not have it"
    return [
        *(f"deleted: {path}; {gone}" for path in done.deleted),
        *(f"kept: {path}; {gone}, but you edited it" for path in done.kept),
        *(f"answer {changed}; set it back with --data" for changed in done.answers),
    ]


def conflicts_fail(done: Update) -> None:
    """Raises GateError where the update left conflicts, and says how to end it."""
    if done.conflicts:
        files = amount(len(done.conflicts), "file")
        raise GateError(f"{files} with conflicts: {', '.join(done.conflicts)}. {SOLVE}")


def take_back(root: Path) -> None:
    """Undo an update that is not committed; there was nothing else, or it had not begun."""
    _git(root, "reset", "--quiet", "--hard")
    _git(root, "clean", "--quiet", "--force", "-d")


def _require_clean(root: Path) -> None:
    """Nothing that git does not know of may be here: neither an update nor `take_back` spares it.

    Whether a user's git shows new files, and looks at all others, is a setting.
    """
    uncommitted = _git(root, "status", "--porcelain", "--untracked-files=all")
    if open_conflicts := _names(root, "--diff-filter=U"):
        raise UsageError(
            f"conflicts of the last update are open in {', '.join(open_conflicts)}. {SOLVE}"
        )
    if uncommitted:
        raise UsageError(
            "there is uncommitted work, and an update could not be told from it. "
            "Commit or stash it, then update."
        )
    marks = _git(root, "ls-files", "-v", "-z").split("\0")
    if unseen := [mark[2:] for mark in marks if mark[:1].islower() or mark[:1] == "S"]:
        raise UsageError(
            f"{unseen[0]}: git is told not to look at it, so an edit of yours could be lost. "
            f"`git update-index --no-assume-unchanged --no-skip-worktree {unseen[0]}`, then update."
        )


def _asked(data: list[str], recorded: dict[str, Any]) -> set[str]:
    """The names of the answers to change."""
    for given in data:
        name, equals, value = given.partition("=")
        if not equals:
            raise UsageError(f"--data {given}: write NAME=VALUE.")
        if name in FIRST_VALUES and value.lower() != str(recorded.get(name)).lower():
            raise UsageError(f"--data {name}: cannot be changed, {FIRST_VALUES[name]}.")
    return {given.partition("=")[0] for given in data}


def _edited(root: Path, path: str, pristine: Path) -> bool:
    """Whether the project's file was not as the standard, or a command of it, had written it."""
    if owner_of(path, rules()) == "generated":
        return False
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
