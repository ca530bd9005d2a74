"""Updates the project from its template, and reports what Copier does not report.

Copier ends with exit code 0 if files have conflicts, and deletes a file that an answer turns off,
even if the team edited it. Here conflicts are a failure, and edited files stay.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.text import pluralize
from mlops_platform.template.ownership import owner_of, rules
from mlops_platform.template.rendering import (
    COPIER,
    last_line,
    read_answers,
    render_pristine,
    run_copier,
)

WITH_TRUST = f"uvx --from '{COPIER}' copier update --trust --defaults"
RESOLVE_CONFLICTS = (
    "Choose between the lines above and below `=======` in each, `git add` it, then commit."
)
# Rendered into the team's own files, which no update touches.
FIXED_ANSWERS = {
    "project_name": "files of your own contain it",
    "project_slug": "files of your own contain it",
    "package_name": "your own modules import it",
    "task": "your data, model and tests depend on it",
    "regulated": "it only sets the first value of `regulated` in conf/project.yml: change it there",
}


class UpdateResult(NamedTuple):
    """The result of an update.

    `kept` are files that the template no longer has, but that the team edited. `answers` are those
    that changed without a request: Copier silently uses the default then.
    """

    before: str
    after: str
    changed: int
    deleted: list[str]
    kept: list[str]
    conflicts: list[str]
    answers: list[str]


def update(root: Path, data: list[str], to: str | None = None) -> UpdateResult:
    """Update the project in `root` to the release `to` (default: the newest), without questions.

    `data` are answers to change, each NAME=VALUE.

    Raises:
        UsageError: there is uncommitted work, an answer cannot be changed, or Copier fails; the
            project stays unchanged then.
    """
    _require_clean(root)
    answers = read_answers(root)
    changed = _parse_data(data, answers)
    with tempfile.TemporaryDirectory() as scratch:
        pristine = Path(scratch) / "pristine"
        render_pristine(answers, pristine)
        data_options = [part for given in data for part in ("--data", given)]
        version = ["--vcs-ref", to] if to else []
        process = run_copier("update", "--quiet", "--defaults", *data_options, *version, cwd=root)
        if process.returncode != 0:
            revert(root)
            reason = last_line(process)
            if "--trust" in reason:
                reason = (
                    "this release runs a script of the template, which needs your trust. Read its "
                    f"changelog, then run `{WITH_TRUST}`."
                )
            raise UsageError(f"Copier cannot update, nothing was changed: {reason}")
        new_answers = read_answers(root)
        if unknown := sorted(changed - new_answers.keys()):
            revert(root)
            known = ", ".join(sorted(name for name in new_answers if not name.startswith("_")))
            raise UsageError(
                f"--data {unknown[0]}: {new_answers['_commit']} has no such question, nothing was "
                f"changed. Its questions: {known}."
            )
        deleted = _list_names(root, "--diff-filter=D", "HEAD")
        kept = [path for path in deleted if _is_edited(root, path, pristine)]
    if kept:
        _git(root, "restore", "--source=HEAD", "--", *kept)
    return UpdateResult(
        before=str(answers["_commit"]),
        after=str(new_answers["_commit"]),
        changed=len(_git(root, "status", "--porcelain", "--untracked-files=all").splitlines()),
        deleted=[path for path in deleted if path not in kept],
        kept=kept,
        conflicts=_list_names(root, "--diff-filter=U"),
        answers=[
            f"{name}: {value!r} became {new_answers[name]!r}"
            for name, value in answers.items()
            if not name.startswith("_")
            and new_answers.get(name, value) != value
            and name not in changed
        ],
    )


def describe(result: UpdateResult) -> list[str]:
    """Describe each change that the changed files do not show, one per line."""
    reason = "the template does not have it with your answers"
    return [
        *(f"deleted: {path}; {reason}" for path in result.deleted),
        *(f"kept: {path}; {reason}, but you edited it" for path in result.kept),
        *(f"answer {changed}; set it back with --data" for changed in result.answers),
    ]


def raise_for_conflicts(result: UpdateResult) -> None:
    """Raise GateError if the update left conflicts; the message says how to resolve them."""
    if result.conflicts:
        files = pluralize(len(result.conflicts), "file")
        raise GateError(
            f"{files} with conflicts: {', '.join(result.conflicts)}. {RESOLVE_CONFLICTS}"
        )


def revert(root: Path) -> None:
    """Revert an update that is not committed; the folder was clean before."""
    _git(root, "reset", "--quiet", "--hard")
    _git(root, "clean", "--quiet", "--force", "-d")


def _require_clean(root: Path) -> None:
    """Check that everything is committed: an update or `revert` would overwrite the rest.

    Explicit options, because a user's git may hide new files or ignore changes.
    """
    uncommitted = _git(root, "status", "--porcelain", "--untracked-files=all")
    if open_conflicts := _list_names(root, "--diff-filter=U"):
        raise UsageError(
            f"conflicts of the last update are open in {', '.join(open_conflicts)}. "
            f"{RESOLVE_CONFLICTS}"
        )
    if uncommitted:
        raise UsageError(
            "there is uncommitted work, which an update would be mixed with. "
            "Commit or stash it, then update."
        )
    entries = _git(root, "ls-files", "-v", "-z").split("\0")
    if hidden := [entry[2:] for entry in entries if entry[:1].islower() or entry[:1] == "S"]:
        raise UsageError(
            f"{hidden[0]}: git ignores changes of it, so your edit could be lost. "
            f"`git update-index --no-assume-unchanged --no-skip-worktree {hidden[0]}`, then update."
        )


def _parse_data(data: list[str], answers: dict[str, Any]) -> set[str]:
    """Parse the answers to change; returns their names."""
    for pair in data:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--data {pair}: write NAME=VALUE.")
        if name in FIXED_ANSWERS and value.lower() != str(answers.get(name)).lower():
            raise UsageError(f"--data {name}: cannot be changed, {FIXED_ANSWERS[name]}.")
    return {pair.partition("=")[0] for pair in data}


def _is_edited(root: Path, path: str, pristine: Path) -> bool:
    """Whether the project's file differs from what the template, or a command of it, wrote."""
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


def _list_names(root: Path, *options: str) -> list[str]:
    listed = _git(root, "diff", "--name-only", "--relative", "-z", *options)
    return sorted(set(listed.split("\0")) - {""})


def _git(root: Path, *arguments: str) -> str:
    process = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env={**os.environ, "LC_ALL": "C"},  # its messages are parsed
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if "not a git repository" in process.stderr:
        raise UsageError(
            f"{root}: is not in a git repository, and an update is merged with git. "
            "Run `git init`, commit the project as it is, then update."
        )
    if process.returncode != 0:
        raise UsageError(f"`git {' '.join(arguments[:2])}` failed: {last_line(process)}")
    return process.stdout
