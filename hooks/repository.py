"""Git in repositories of other people: facts about them, and no code of theirs is run."""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from hooks.projects import HookError

# A repository can name programs that git starts by itself: hooks and file watchers.
QUIET = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "gc.auto=0")
# Where this process was itself started by a git hook, these would point to that repository.
LEAKS = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_WORK_TREE")
UNFINISHED = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}


class GitError(Exception):
    """Git ended with an exit code that was not expected; the message is git's own."""


class Entry(NamedTuple):
    """What git keeps of a file: two are equal where mode and bytes are."""

    mode: str
    hash: str

    @property
    def is_file(self) -> bool:
        """Whether this is a plain file, not a link or another repository."""
        return self.mode.startswith("100")


def git(
    root: Path,
    *arguments: str,
    given: str = "",
    expect: tuple[int, ...] = (0,),
    environment: dict[str, str] | None = None,
) -> str:
    """Run git in `root` with `given` as its input; returns what it printed.

    Git gets a session of its own, so that a Ctrl+C in the terminal does not stop it half-way: the
    caller decides when an interruption counts.

    Raises:
        GitError: It ended with an exit code that is not in `expect`.
    """
    inherited = {key: value for key, value in os.environ.items() if key not in LEAKS}
    done = subprocess.run(
        ["git", *QUIET, *arguments],
        cwd=root,
        input=os.fsencode(given),
        env=inherited | {"GIT_TERMINAL_PROMPT": "0"} | (environment or {}),
        capture_output=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode not in expect:
        said = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace")
        raise GitError(f"git {arguments[0]} ended with {done.returncode}: {said or 'no message'}")
    return os.fsdecode(done.stdout)


def clean_branch(root: Path) -> str:
    """The branch that `root` is on.

    Raises:
        HookError: It is not the top of a git repository with a commit, on a branch, with nothing
            under way and nothing that is not committed.
    """
    if not root.is_dir():
        raise HookError(f"{root}: there is no such folder. Name the folder of a git repository.")
    try:
        top = git(root, "rev-parse", "--show-toplevel").rstrip("\n")
        folder = Path(git(root, "rev-parse", "--absolute-git-dir").rstrip("\n"))
    except GitError as error:
        raise HookError(
            f"{root} is not the work tree of a git repository ({error}). "
            f'Make it one: git init -b main && git add . && git commit -m "Start"'
        ) from error
    if Path(top).resolve() != root.resolve():
        raise HookError(f"{root} is a folder within a repository. Name its top folder: {top}")
    for file, what in UNFINISHED.items():
        if (folder / file).exists():
            raise HookError(f"{root}: a {what} is in progress. Finish it or abort it, then retry.")
    branch = git(root, "symbolic-ref", "--quiet", "--short", "HEAD", expect=(0, 1)).strip()
    if not branch:
        raise HookError(f"{root}: HEAD is detached. Go to a branch first: git switch main")
    if not git(root, "rev-parse", "--quiet", "--verify", "HEAD", expect=(0, 1)):
        raise HookError(f"{root} has no commit. Commit its files first, then retry.")
    changed = git(root, "status", "--porcelain", "-z", "--untracked-files=all").split("\0")[:-1]
    if changed:
        raise HookError(
            f"{root} has changes that are not committed ({shown(changed[0][3:])}"
            f"{f' and {len(changed) - 1} more' if len(changed) > 1 else ''}). "
            "Commit or stash them first: git stash --include-untracked"
        )
    return branch


def tracked(root: Path) -> dict[str, Entry]:
    """All files of the last commit, by path with forward slashes."""
    files = {}
    for line in git(root, "ls-tree", "-r", "-z", "HEAD").split("\0")[:-1]:
        about, path = line.split("\t", 1)
        mode, _, value = about.split()
        files[path] = Entry(mode, value)
    return files


def staged(root: Path) -> dict[str, Entry]:
    """All files of the index, by path with forward slashes."""
    files = {}
    for line in git(root, "ls-files", "--stage", "-z").split("\0")[:-1]:
        about, path = line.split("\t", 1)
        mode, value, _ = about.split()
        files[path] = Entry(mode, value)
    return files


def identity(root: Path) -> dict[str, str]:
    """Who commits in `root`, as environment for git elsewhere.

    Raises:
        HookError: Git knows nobody.
    """
    try:
        who = git(root, "var", "GIT_COMMITTER_IDENT")
    except GitError as error:
        raise HookError(
            f"{root}: git does not know who commits. Tell it: "
            "git config user.name NAME && git config user.email ADDRESS"
        ) from error
    name, address = re.fullmatch(r"(.*) <(.*)> .*", who.strip()).groups()  # type: ignore[union-attr]
    roles = {"NAME": name, "EMAIL": address}
    return {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in roles.items()}


def shown(path: str) -> str:
    """A path as it can be printed: names of files may hold line ends and control signs."""
    return path if path.isprintable() else ascii(path)
