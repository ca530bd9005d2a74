"""The releases of this template, and a clone with a tag for each of them.

A clone may lack the git tags, so `tests/update/releases.toml` lists versions and commits.
"""

import tomllib
from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

from hooks.projects import HookError, git

ROOT = Path(__file__).resolve().parents[2]
LIST = Path("tests") / "update" / "releases.toml"
COMMIT_LENGTH = 40
IDENTITY = {"user.name": "Release", "user.email": "release@example.com"}


class Release(NamedTuple):
    """A version and its commit."""

    version: str
    commit: str

    @property
    def tag(self) -> str:
        """The git tag, as Copier and Renovate read it."""
        return f"v{self.version}"


def releases(root: Path = ROOT) -> list[Release]:
    """All releases, oldest first.

    Raises:
        HookError: an entry lacks a field, or the versions are not in order.
    """
    listed = tomllib.loads((root / LIST).read_text(encoding="utf-8")).get("releases", [])
    found: list[Release] = []
    for entry in listed:
        version, commit = entry.get("version", ""), entry.get("commit", "")
        if set(entry) != {"version", "commit"} or len(commit) != COMMIT_LENGTH:
            raise HookError(f"{LIST}: {entry} needs a `version` and a `commit` of 40 digits.")
        if found and Version(version) <= Version(found[-1].version):
            raise HookError(
                f"{LIST}: {version} comes after {found[-1].version}. Write the oldest first."
            )
        found.append(Release(version, commit))
    return found


def next_version(root: Path = ROOT) -> str:
    """The version of the work tree: pyproject.toml's, or the next patch version."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = releases(root)
    if not listed or Version(project["version"]) > Version(listed[-1].version):
        return str(project["version"])
    last = Version(listed[-1].version)
    return f"{last.major}.{last.minor}.{last.micro + 1}"


def tagged_clone(folder: Path, root: Path = ROOT) -> list[Release]:
    """Clone `root` into `folder`; tag every release, and the current work tree as the last.

    Uncommitted changes are committed in the clone only; `root` is only read.

    Raises:
        HookError: a listed commit is not in the history.
    """
    listed = releases(root)
    for release in listed:
        try:
            git(root, "cat-file", "-e", f"{release.commit}^{{commit}}")
        except HookError:
            raise HookError(
                f"{LIST}: release {release.version} is commit {release.commit}, which is not in "
                f"the history of {root}. In a shallow clone: git fetch --unshallow."
            ) from None
    git(root.parent, "clone", "--quiet", "--no-tags", "--", str(root), str(folder))
    for release in listed:
        git(folder, "tag", release.tag, release.commit)
    commit_work_tree(folder, root)
    current = Release(next_version(root), git(folder, "rev-parse", "HEAD").strip())
    git(folder, "tag", current.tag)
    return [*listed, current]


def commit_work_tree(clone: Path, root: Path) -> None:
    """Commit the current files of `root` in `clone`, without ignored files."""
    folders = (f"--git-dir={clone / '.git'}", f"--work-tree={root}")
    git(root, *folders, "add", "--all")
    options = ("--quiet", "--no-verify", "--allow-empty", "--message", "Now")
    git(clone, "commit", *options, settings=IDENTITY)
    git(clone, "reset", "--quiet", "--hard")
