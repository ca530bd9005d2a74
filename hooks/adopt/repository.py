"""Git in other people's repositories: reads facts about them and runs none of their code."""

import re
from pathlib import Path
from typing import NamedTuple

from mlops_platform.core import git as runner

from hooks.projects import HookError

UNFINISHED = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}


class Entry(NamedTuple):
    """A file as git stores it: two are equal if mode and content are."""

    mode: str
    hash: str

    @property
    def is_file(self) -> bool:
        """Whether this is a regular file, not a link or another repository."""
        return self.mode.startswith("100")


def git(
    root: Path,
    *arguments: str,
    stdin: str = "",
    expect: tuple[int, ...] = (0,),
    environment: dict[str, str] | None = None,
    settings: dict[str, str] | None = None,
) -> str:
    """Run git in `root` with `stdin` as its input; returns its output.

    Git gets a session of its own, so that Ctrl+C in the terminal does not stop it half-way: the
    caller decides when to handle an interruption.

    Raises:
        GitError: It ended with an exit code that is not in `expect`.
    """
    output = runner.run(
        root,
        *arguments,
        stdin=runner.encode(stdin),
        accept=expect,
        settings=settings,
        variables={"GIT_TERMINAL_PROMPT": "0"} | (environment or {}),
        own_session=True,
    )
    return runner.decode(output)


def clean_branch(root: Path) -> str:
    """The branch that `root` is on.

    Raises:
        HookError: It is not the top of a git repository with a commit, on a branch, with nothing
            in progress and nothing that is not committed.
    """
    if not root.is_dir():
        raise HookError(f"{root}: there is no such folder. Give the folder of a git repository.")
    try:
        top = git(root, "rev-parse", "--show-toplevel").rstrip("\n")
        folder = Path(git(root, "rev-parse", "--absolute-git-dir").rstrip("\n"))
    except runner.GitError as error:
        raise HookError(
            f"{root} is not the work tree of a git repository ({error}). "
            f'Make it one: git init -b main; git add .; git commit -m "Start"'
        ) from error
    if Path(top).resolve() != root.resolve():
        raise HookError(f"{root} is a folder within a repository. Give its top folder: {top}")
    for file, operation in UNFINISHED.items():
        if (folder / file).exists():
            raise HookError(
                f"{root}: a {operation} is in progress. Finish or abort it, then retry."
            )
    branch = git(root, "symbolic-ref", "--quiet", "--short", "HEAD", expect=(0, 1)).strip()
    if not branch:
        raise HookError(f"{root}: HEAD is detached. Switch to a branch first: git switch main")
    if not git(root, "rev-parse", "--quiet", "--verify", "HEAD", expect=(0, 1)):
        raise HookError(f"{root} has no commit. Commit its files first, then retry.")
    changed = git(root, "status", "--porcelain", "-z", "--untracked-files=all").split("\0")[:-1]
    if changed:
        raise HookError(
            f"{root} has changes that are not committed ({printable(changed[0][3:])}"
            f"{f' and {len(changed) - 1} more' if len(changed) > 1 else ''}). "
            "Commit or stash them first: git stash --include-untracked"
        )
    return branch


def tracked_files(root: Path) -> dict[str, Entry]:
    """All files of the last commit, by path with forward slashes."""
    files = {}
    for line in git(root, "ls-tree", "-r", "-z", "HEAD").split("\0")[:-1]:
        details, path = line.split("\t", 1)
        mode, _, value = details.split()
        files[path] = Entry(mode, value)
    return files


def staged_files(root: Path) -> dict[str, Entry]:
    """All files in the index, by path with forward slashes."""
    files = {}
    for line in git(root, "ls-files", "--stage", "-z").split("\0")[:-1]:
        details, path = line.split("\t", 1)
        mode, value, _ = details.split()
        files[path] = Entry(mode, value)
    return files


def identity(root: Path) -> dict[str, str]:
    """Who commits in `root`, as environment variables for git in another folder.

    Raises:
        HookError: Git has no name and address.
    """
    try:
        author = git(root, "var", "GIT_COMMITTER_IDENT")
    except runner.GitError as error:
        raise HookError(
            f"{root}: git does not know who commits. Set it: "
            "git config user.name NAME; git config user.email ADDRESS"
        ) from error
    name, address = re.fullmatch(r"(.*) <(.*)> .*", author.strip()).groups()  # type: ignore[union-attr]
    roles = {"NAME": name, "EMAIL": address}
    return {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in roles.items()}


def printable(path: str) -> str:
    """A path that is safe to print: file names may hold line breaks and control characters."""
    return path if path.isprintable() else ascii(path)
