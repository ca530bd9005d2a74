"""The template's changelog between two releases, for the people who review an update."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from packaging.version import InvalidVersion, Version

from mlops_platform.core import git

FILE = "CHANGELOG.md"
SHORTCUTS = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
SECTION = re.compile(r"^## (\d+\.\d+\.\d+)\b.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def read(source: str, before: str, after: str) -> str:
    """The sections of the releases after `before` up to `after`, newest first.

    `source` is the template as Copier records it. Where it has no changelog, or cannot be reached,
    the text says so: an update does not fail for that.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        options = ("--quiet", "--depth", "1", "--no-checkout", "--branch", after)
        try:
            git.run(folder, "clone", *options, "--", git_url(source), "template")
            changes = git.text(folder / "template", "cat-file", "blob", f"HEAD:{FILE}")
        except git.GitError as error:
            return f"The template's {FILE} cannot be read ({str(error).splitlines()[-1]})."
    return between(changes, before, after) or f"The template's {FILE} does not name {after}."


def between(changelog: str, before: str, after: str) -> str:
    """The sections of a changelog that are newer than `before` and not newer than `after`."""
    try:
        old, new = Version(before), Version(after)
    except InvalidVersion:
        return ""
    return "\n".join(
        section[0].strip() + "\n"
        for section in SECTION.finditer(changelog)
        if old < Version(section[1]) <= new
    )


def git_url(source: str) -> str:
    """The address for git, from one for Copier."""
    for short, host in SHORTCUTS.items():
        if source.startswith(short):
            return f"{host}{source.removeprefix(short).strip('/').removesuffix('.git')}.git"
    return source.removeprefix("git+")
