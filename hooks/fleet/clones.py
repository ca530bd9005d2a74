"""A project's repository on this machine: finds, clones and reads it without changing it."""

import hashlib
import re
from pathlib import Path

import yaml
from mlops_platform.core.files import delete_folder, move
from mlops_platform.template.changelog import git_url
from mlops_platform.template.rendering import is_url

from hooks.projects import (
    ANSWERS,
    HookError,
    RecordedAnswers,
    git,
    read_answers,
    without_secrets,
)


def name_from_address(place: str) -> str:
    """A project's name before its answers are known."""
    last = re.split(r"[/:\\]", without_secrets(place).rstrip("/"))[-1]
    return last.removesuffix(".git") or place


def repository(place: str, clones: Path) -> Path:
    """The work tree of a project; one behind a URL is cloned or updated in `clones`.

    Raises:
        HookError: it does not exist, or git cannot reach it.
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
        raise HookError(f"{folder}: is only a folder in the repository {top}. Update it by hand.")
    return folder


def _clone_of(url: str, clones: Path) -> Path:
    folder = clones / f"{name_from_address(url)}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
    if not folder.exists():
        unfinished = folder.with_name(f".{folder.name}")
        delete_folder(unfinished)
        shallow = ("--quiet", "--depth", "1", "--no-single-branch")
        git(clones, "clone", *shallow, "--", url, str(unfinished))
        move(unfinished, folder)  # complete or not at all
        return folder
    if dirty(folder):
        raise HookError(
            f"{folder}: somebody changed this clone. Save the changes and remove the clone."
        )
    branches = "+refs/heads/*:refs/remotes/origin/*"
    git(folder, "fetch", "--quiet", "--depth", "1", "--prune", "origin", "HEAD", branches)
    git(folder, "reset", "--quiet", "--hard", "FETCH_HEAD")
    return folder


def head(folder: Path) -> str:
    """The commit that is checked out.

    Raises:
        HookError: there is no commit yet.
    """
    try:
        return git(folder, "rev-parse", "--verify", "HEAD^{commit}").strip()
    except HookError:
        raise HookError(f"{folder}: has no commit yet.") from None


def answers(folder: Path, commit: str) -> RecordedAnswers:
    """The answers file of a commit.

    Raises:
        HookError: it does not exist, or it lacks what an update needs.
    """
    try:
        text = git(folder, "show", f"{commit}:{ANSWERS}")
    except HookError:
        raise HookError(
            f"{folder}: not a Copier project, its last commit has no {ANSWERS}. "
            "`python -m hooks adopt` brings it under the template."
        ) from None
    return read_answers(text, f"{folder}/{ANSWERS}")


def stage(folder: Path, commit: str) -> str:
    """How strict the project's gates are, from its conf/project.yml."""
    try:
        return str(yaml.safe_load(git(folder, "show", f"{commit}:conf/project.yml"))["stage"])
    except (HookError, KeyError, TypeError, yaml.YAMLError):
        return "unknown"


def dirty(folder: Path) -> bool:
    """Whether anything is not committed, new files too."""
    return bool(git(folder, "status", "--porcelain").strip())


def existing_update(folder: Path, branch: str, release: str) -> str:
    """The branch that has the update already, here or at origin; empty if there is none.

    Raises:
        HookError: a branch has that name, but another content.
    """
    references = (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}")
    for reference in git(folder, "for-each-ref", "--format=%(refname)", *references).split():
        name = reference.split("/", 2)[2]
        try:
            if answers(folder, reference).commit == release:
                return name
        except HookError:  # no readable answers: another content
            pass
        raise HookError(f"{folder}: the branch {name} is not this update. Rename or delete it.")
    return ""
