"""Leaves an ordinary git merge of the rendered template open, or changes nothing."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_platform.core.git import GitError

from hooks.adopt.plan import Comparison
from hooks.adopt.repository import git, identity
from hooks.projects import HookError


class InterruptedMergeError(Exception):
    """The user pressed Ctrl+C, or the process got a request to end."""


def check_branch(root: Path, branch: str) -> None:
    """Raise HookError if `branch` is not a valid name, or exists."""
    try:
        git(root, "check-ref-format", "--branch", branch)
    except GitError as error:
        raise HookError(f"--branch {branch}: git does not accept this branch name.") from error
    if git(root, "for-each-ref", f"refs/heads/{branch}"):
        raise HookError(
            f"{root} has a branch {branch}, perhaps from an adoption that is not merged yet: "
            f"git merge {branch}\nTo start over, give another name with --branch, or delete it: "
            f"git branch -d {branch} (git refuses if commits would be lost)."
        )


def commit_render(render: Path, root: Path, kept: list[str], message: str) -> str:
    """Bring the render into `root` as a commit without parent and without branch; returns its id.

    A merge of two unrelated histories starts from an empty tree: a file that only one has is
    added, and a file that both have is a conflict if they differ. Seeds that the project has
    already (`kept`) are left out, so that the merge does not touch them.
    """
    author = identity(root)
    git(render, "update-index", "-z", "--force-remove", "--stdin", stdin="\0".join([*kept, ""]))
    tree = git(render, "write-tree").strip()
    commit = git(render, "commit-tree", tree, "-m", message, environment=author).strip()
    git(render, "update-ref", "refs/heads/render", commit)
    local = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet")
    git(
        root,
        *("fetch", *local, "--", str(render), "refs/heads/render"),
        settings={"protocol.file.allow": "always"},
    )
    return commit


def merge(
    root: Path, old: str, new: str, commit: str, *, plan: Comparison, message: str
) -> list[str]:
    """Merge `commit` on the new branch `new`, and leave the merge open.

    Returns:
        The files in conflict.

    Raises:
        GitError: It failed, and the repository is unchanged.
        InterruptedMergeError: The user stopped it, and the repository is unchanged.
        HookError: It failed, and so did undoing it; the message says what to type.
    """
    try:
        with hold_signals():
            git(root, "switch", "--quiet", "--no-track", "--create", new)
            options = (
                "--no-commit",
                "--no-ff",
                "--no-squash",
                "--no-verify-signatures",
                "--no-stat",
            )
            command = ("merge", "--quiet", *options, "--allow-unrelated-histories", "-m", message)
            git(root, *command, commit, expect=(0, 1))
            return check_merge(root, commit, plan)
    except (GitError, InterruptedMergeError) as error:
        with hold_signals(ignore=True):
            undo(root, old, new, plan, error)
        raise


def check_merge(root: Path, commit: str, plan: Comparison) -> list[str]:
    """The files in conflict, if the open merge is the planned one; else raise GitError."""
    if git(root, "rev-parse", "--quiet", "--verify", "MERGE_HEAD", expect=(0, 1)).strip() != commit:
        raise GitError("git merge stopped before it started")
    conflicts = changed_paths(root, "--diff-filter=U")
    changed = set(changed_paths(root, "--cached", "HEAD"))
    unplanned = (set(conflicts) - set(plan.both)) | (changed - set(plan.both) - set(plan.added))
    if unplanned:
        raise GitError(f"git merged files that were not planned: {', '.join(sorted(unplanned))}")
    return conflicts


def changed_paths(root: Path, *options: str) -> list[str]:
    """The paths that differ from the index, or with `--cached` those of the index from a commit."""
    command = "diff-index" if "--cached" in options else "diff-files"
    return sorted(
        git(root, command, "--name-only", "--no-renames", "-z", *options).split("\0")[:-1]
    )


def undo(root: Path, old: str, new: str, plan: Comparison, cause: Exception) -> None:
    """Restore the repository. Its work tree was clean, so this cannot lose anything."""
    try:
        if current_branch(root) == new:
            git(root, "reset", "--quiet", "--hard", "HEAD")
            for path in plan.added:  # `compare` checked that it was not there before
                (root / path).unlink(missing_ok=True)
                remove_empty(root, (root / path).parent)
            git(root, "switch", "--quiet", old)
        git(root, "branch", "--quiet", "-D", new, expect=(0, 1))
        changes = git(root, "status", "--porcelain")
        if changes or current_branch(root) != old:
            raise GitError(f"git status says {changes.strip() or 'another branch'}")
    except (GitError, OSError) as error:
        raise HookError(
            f"{cause}\nUndoing it failed too: {error}\n"
            f"None of your work is lost. In {root}, type:\n"
            f"  git reset --hard; git switch {old}; git branch -D {new}"
        ) from error


def current_branch(root: Path) -> str:
    """The branch that is checked out."""
    return git(root, "symbolic-ref", "--short", "HEAD").strip()


def remove_empty(root: Path, folder: Path) -> None:
    """Remove a folder and the folders above it, as long as they are empty."""
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


@contextlib.contextmanager
def hold_signals(ignore: bool = False) -> Iterator[None]:
    """Let the body finish, then raise InterruptedMergeError if Ctrl+C or SIGTERM came."""
    caught: list[int] = []
    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, lambda received, _frame: caught.append(received))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if caught and not ignore:
        raise InterruptedMergeError("Interrupted.")
