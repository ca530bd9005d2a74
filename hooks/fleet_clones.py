"""A project's repository on this machine: found, cloned, and read without a trace."""

import hashlib
import re
import shutil
from pathlib import Path

import yaml

from hooks.projects import (
    ANSWERS,
    HookError,
    Recorded,
    git,
    git_url,
    is_url,
    recorded,
    without_secrets,
)


def name_of(place: str) -> str:
    """What a project is called before its answers are known."""
    last = re.split(r"[/:\\]", without_secrets(place).rstrip("/"))[-1]
    return last.removesuffix(".git") or place


def repository(place: str, clones: Path) -> Path:
    """The work tree of a project; one behind a URL is cloned, or brought up to date, in `clones`.

    Raises:
        HookError: there is none, or git cannot reach it.
    """
    if is_url(place):
        return _clone_of(git_url(place), clones)
    folder = Path(place)
    if not folder.is_dir():
        raise HookError(f"{folder}: there is no such folder.")
    try:
        top = Path(git(folder, "rev-parse", "--show-toplevel").strip())
    except HookError as error:
        raise HookError(f"{folder}: not a git work tree. {error}") from None
    if top.resolve() != folder.resolve():
        raise HookError(f"{folder}: is only a folder of the repository {top}. Update it by hand.")
    return folder


def _clone_of(url: str, clones: Path) -> Path:
    folder = clones / f"{name_of(url)}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
    if not folder.exists():
        unfinished = folder.with_name(f".{folder.name}")
        shutil.rmtree(unfinished, ignore_errors=True)
        shallow = ("--quiet", "--depth", "1", "--no-single-branch")
        git(clones, "clone", *shallow, "--", url, str(unfinished))
        unfinished.rename(folder)  # whole or not at all
        return folder
    if dirty(folder):
        raise HookError(f"{folder}: somebody changed this clone. Save the work and remove it.")
    branches = "+refs/heads/*:refs/remotes/origin/*"
    git(folder, "fetch", "--quiet", "--depth", "1", "--prune", "origin", "HEAD", branches)
    git(folder, "reset", "--quiet", "--hard", "FETCH_HEAD")
    return folder


def head(folder: Path) -> str:
    """The commit that is checked out.

    Raises:
        HookError: there is none yet.
    """
    try:
        return git(folder, "rev-parse", "--verify", "HEAD^{commit}").strip()
    except HookError:
        raise HookError(f"{folder}: has no commit yet.") from None


def answers(folder: Path, commit: str) -> Recorded:
    """The answers file of a commit.

    Raises:
        HookError: there is none, or it lacks what an update needs.
    """
    try:
        text = git(folder, "show", f"{commit}:{ANSWERS}")
    except HookError:
        raise HookError(
            f"{folder}: not a Copier project, its last commit has no {ANSWERS}. "
            "hooks/adopt.py brings it under the template."
        ) from None
    return recorded(text, f"{folder}/{ANSWERS}")


def stage(folder: Path, commit: str) -> str:
    """How strict the project's gates are, from its conf/project.yml."""
    try:
        return str(yaml.safe_load(git(folder, "show", f"{commit}:conf/project.yml"))["stage"])
    except (HookError, KeyError, TypeError, yaml.YAMLError):
        return "unknown"


def dirty(folder: Path) -> bool:
    """Whether anything is not committed, new files too."""
    return bool(git(folder, "status", "--porcelain").strip())


def finished(folder: Path, branch: str, release: str) -> str:
    """The branch that holds the update already, here or at origin; empty where there is none.

    Raises:
        HookError: a branch has that name and something else in it.
    """
    asked = (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}")
    for reference in git(folder, "for-each-ref", "--format=%(refname)", *asked).split():
        shown = reference.split("/", 2)[2]
        try:
            if answers(folder, reference).commit == release:
                return shown
        except HookError:  # no answers, or none that can be read: it is something else
            pass
        raise HookError(f"{folder}: the branch {shown} is not this update. Rename or delete it.")
    return ""
