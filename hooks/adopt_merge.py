"""Leaves an ordinary git merge of the rendered template open in a repository, or nothing."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hooks.adopt_plan import Comparison
from hooks.projects import HookError
from hooks.repository import GitError, git, identity


class Interrupted(Exception):  # noqa: N818  not an error of anybody
    """Somebody pressed Ctrl+C, or the process was asked to end."""


def check_branch(root: Path, branch: str) -> None:
    """Raise HookError where `branch` is no name for a branch, or exists."""
    try:
        git(root, "check-ref-format", "--branch", branch)
    except GitError as error:
        raise HookError(f"--branch {branch}: git takes no such name for a branch.") from error
    if git(root, "for-each-ref", f"refs/heads/{branch}"):
        raise HookError(
            f"{root} has a branch {branch}, perhaps with an adoption that is not merged yet: "
            f"git merge {branch}\nTo begin anew, name another with --branch, or delete it: "
            f"git branch -d {branch} (git refuses where commits would be lost)."
        )


def commit_render(render: Path, root: Path, kept: list[str], message: str) -> str:
    """Bring the render into `root` as a commit without parent and without branch; its id.

    A merge of two histories that share nothing starts from an empty tree: a file of one side is
    added, and one that both have is a conflict where they differ. Seeds in whose place theirs stay
    are left out, so that the merge does not see them.
    """
    who = identity(root)
    git(render, "update-index", "-z", "--force-remove", "--stdin", given="\0".join([*kept, ""]))
    tree = git(render, "write-tree").strip()
    commit = git(render, "commit-tree", tree, "-m", message, environment=who).strip()
    git(render, "update-ref", "refs/heads/render", commit)
    local = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet")
    git(
        root,
        "-c",
        "protocol.file.allow=always",
        "fetch",
        *local,
        "--",
        str(render),
        "refs/heads/render",
    )
    return commit


def merge(
    root: Path, old: str, new: str, commit: str, *, plan: Comparison, message: str
) -> list[str]:
    """Merge `commit` on the new branch `new`, and leave the merge open.

    Returns:
        The files in conflict.

    Raises:
        GitError: It failed, and the repository is as it was.
        Interrupted: The same, because somebody wished so.
        HookError: It failed, and so did the way back; the message says what to type.
    """
    try:
        with signals_held():
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
            return checked(root, commit, plan)
    except (GitError, Interrupted) as error:
        with signals_held(ignore=True):
            go_back(root, old, new, plan, error)
        raise


def checked(root: Path, commit: str, plan: Comparison) -> list[str]:
    """The files in conflict, when the open merge is the one that was planned; else GitError."""
    if git(root, "rev-parse", "--quiet", "--verify", "MERGE_HEAD", expect=(0, 1)).strip() != commit:
        raise GitError("git merge stopped before the merge began")
    conflicts = listing(root, "--diff-filter=U")
    changed = set(listing(root, "--cached", "HEAD"))
    unplanned = (set(conflicts) - set(plan.both)) | (changed - set(plan.both) - set(plan.added))
    if unplanned:
        raise GitError(f"git merged what was not planned: {', '.join(sorted(unplanned))}")
    return conflicts


def listing(root: Path, *what: str) -> list[str]:
    """Paths from `git diff`."""
    return sorted(git(root, "diff", "--name-only", "--no-renames", "-z", *what).split("\0")[:-1])


def go_back(root: Path, old: str, new: str, plan: Comparison, cause: Exception) -> None:
    """Put the repository back; its tree was clean, so nothing of theirs can be lost by it."""
    try:
        if current(root) == new:
            git(root, "reset", "--quiet", "--hard", "HEAD")
            for path in plan.added:  # was not there before: `compare` looked
                (root / path).unlink(missing_ok=True)
                remove_empty(root, (root / path).parent)
            git(root, "switch", "--quiet", old)
        git(root, "branch", "--quiet", "-D", new, expect=(0, 1))
        left = git(root, "status", "--porcelain")
        if left or current(root) != old:
            raise GitError(f"git status says {left.strip() or 'another branch'}")
    except (GitError, OSError) as error:
        raise HookError(
            f"{cause}\nThe way back failed too: {error}\n"
            f"Nothing of yours is lost. In {root}, type:\n"
            f"  git reset --hard && git switch {old} && git branch -D {new}"
        ) from error


def current(root: Path) -> str:
    """The branch that is checked out."""
    return git(root, "symbolic-ref", "--short", "HEAD").strip()


def remove_empty(root: Path, folder: Path) -> None:
    """Remove a folder and those above it, as long as they are empty."""
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


@contextlib.contextmanager
def signals_held(ignore: bool = False) -> Iterator[None]:
    """Let what is within finish; then raise Interrupted if Ctrl+C or a request to end came."""
    caught: list[int] = []
    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, lambda received, _frame: caught.append(received))
    try:
        yield
    finally:
        for held, handler in before.items():
            signal.signal(held, handler)
    if caught and not ignore:
        raise Interrupted("Interrupted.")
