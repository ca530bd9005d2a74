"""The last commit of a project: the names of its files, and the text of some, in two calls of git.

A project behind a URL is a bare repository in the folder for clones, fetched only if its last
commit is a new one, and without large files.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from mlops_platform.core import git as runner
from mlops_platform.core.files import delete_folder, move
from mlops_platform.core.strict_yaml import explain
from mlops_platform.template.changelog import git_url
from mlops_platform.template.rendering import is_url

from hooks.fleet.clones import head, name_from_address
from hooks.projects import HookError, error_lines, git

LARGEST = 1_000_000  # bytes: no file that is read here is as long; the package's wheel is longer
FILTER = f"--filter=blob:limit={LARGEST}"
ABSENT = {"GIT_NO_LAZY_FETCH": "1"}  # what the filter left out is absent, and not fetched
# The same in Python takes ten times as long; both build plain values only.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Snapshot:
    """The files of a commit: their hashes by path, and the texts that were loaded.

    `problems` collects, in words, what could not be read.
    """

    folder: Path
    commit: str
    hashes: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    _contents: dict[str, bytes] = field(default_factory=dict)
    _mappings: dict[str, dict[str, Any] | None] = field(default_factory=dict)

    def load(self, paths: Iterable[str]) -> None:
        """Read those of these files that exist, in one call."""
        wanted = sorted({self.hashes[path] for path in paths if path in self.hashes})
        self._contents.update(_contents(self.folder, wanted))

    def text(self, path: str) -> str | None:
        """The text of a loaded file; None if there is none, or it cannot be read."""
        if path not in self.hashes:
            return None
        content = self._contents.get(self.hashes[path])
        if content is None or len(content) > LARGEST:
            self.problems.append(f"{path}: is no file of at most {LARGEST:,} bytes")
            return None
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            self.problems.append(f"{path}: is not UTF-8 text")
            return None

    def mapping(self, path: str) -> dict[str, Any] | None:
        """The `key: value` lines of a loaded YAML file; None as for `text`, and if it has none."""
        if path not in self._mappings:
            self._mappings[path] = self._mapping(path)
        return self._mappings[path]

    def _mapping(self, path: str) -> dict[str, Any] | None:
        text = self.text(path)
        if text is None:
            return None
        try:
            content = parse(text)
        except yaml.YAMLError as error:
            self.problems.append(f"{path}{explain(error)}")
        except (RecursionError, ValueError) as error:
            self.problems.append(f"{path}: not valid YAML: {error}")
        else:
            if isinstance(content, dict):
                return content
            if content is not None:
                self.problems.append(f"{path}: expected `key: value` lines")
        return None

    def toml(self, path: str) -> dict[str, Any] | None:
        """A loaded TOML file; None as for `text`, and if it has none."""
        if path not in self._mappings:
            text, content = self.text(path), None
            try:
                content = None if text is None else parse_toml(text)
            except (RecursionError, tomllib.TOMLDecodeError) as error:
                self.problems.append(f"{path}: not valid TOML: {error}")
            self._mappings[path] = content
        return self._mappings[path]

    def fail(self, path: str, name: str, expected: str) -> None:
        """Note that a field of a file is not what it should be."""
        self.problems.append(f"{path}, field `{name}`: expected {expected}")


@lru_cache(maxsize=4096)
def parse(text: str) -> Any:
    """YAML as plain values, which nobody changes: many projects have the same text."""
    return yaml.load(text, Loader=LOADER)  # noqa: S506  a SafeLoader


@lru_cache(maxsize=4096)
def parse_toml(text: str) -> dict[str, Any]:
    """TOML as plain values, which nobody changes."""
    return tomllib.loads(text)


def take(place: str, clones: Path) -> Snapshot:
    """The last commit of a project: a folder with a repository, work tree or bare, or a URL.

    Raises:
        HookError: it does not exist, has no commit, or git cannot reach it.
    """
    if is_url(place):
        return _of_url(git_url(place), clones)
    folder = Path(place)
    if not folder.is_dir():
        raise HookError(f"{folder}: there is no such folder.")
    if not ((folder / ".git").exists() or (folder / "HEAD").is_file()):
        raise HookError(f"{folder}: not a git repository.")
    commit = head(folder)
    return Snapshot(folder, commit, _hashes(folder, commit))


def _of_url(url: str, clones: Path) -> Snapshot:
    name = f"{name_from_address(url)}-{hashlib.sha256(url.encode()).hexdigest()[:8]}.git"
    folder = clones / "overview" / name
    only_last = ("--quiet", "--depth", "1", "--no-tags")
    if not folder.exists():
        unfinished = folder.with_name(f".{folder.name}")
        delete_folder(unfinished)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        bare = ("--bare", "--single-branch", FILTER)
        git(clones, "clone", *only_last, *bare, "--", url, str(unfinished))
        move(unfinished, folder)  # complete or not at all
        commit = head(folder)
        return Snapshot(folder, commit, _hashes(folder, commit))
    commit = git(folder, "ls-remote", "--quiet", "origin", "HEAD").split("\t")[0]
    if not commit:
        raise HookError(f"{url}: has no commit yet.")
    try:
        hashes = _hashes(folder, commit)
    except HookError:  # a new commit
        git(folder, "fetch", *only_last, "origin", "HEAD")
        commit = git(folder, "rev-parse", "--verify", "FETCH_HEAD^{commit}").strip()
        hashes = _hashes(folder, commit)
    return Snapshot(folder, commit, hashes)


def _hashes(folder: Path, commit: str) -> dict[str, str]:
    """The hash of each file by its path; folders of other repositories and links have none."""
    listed = runner.decode(_read(folder, "ls-tree", "-r", "-z", "--full-tree", commit))
    found = {}
    for entry in filter(None, listed.split("\0")):
        about, _, path = entry.partition("\t")
        mode, _, hashed = about.split(" ")
        if mode.startswith("100"):
            found[path] = hashed
    return found


def _contents(folder: Path, hashes: list[str]) -> dict[str, bytes]:
    """The contents of these blobs; one that the filter left out is absent.

    Raises:
        HookError: the repository is damaged.
    """
    if not hashes:
        return {}
    wanted = "".join(f"{each}\n" for each in hashes).encode()
    output = _read(folder, "cat-file", "--batch", stdin=wanted)
    found, at = {}, 0
    while at < len(output):
        end = output.index(b"\n", at)
        words = output[at:end].split()
        at = end + 1
        if words[1] != b"missing":
            size = int(words[2])
            found[words[0].decode()] = output[at : at + size]
            at += size + 1
    return found


def _read(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """What git prints of the objects that are there."""
    try:
        return runner.run(folder, *arguments, stdin=stdin, variables=ABSENT)
    except runner.GitError as error:
        said = error_lines(error.reason or str(error))
        raise HookError(f"`git {arguments[0]}` in {folder}: {said}") from None
