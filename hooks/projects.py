"""Projects and templates seen from outside: git, recorded answers, the template's releases."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mlops_platform.core import git as runner
from mlops_platform.template.changelog import git_url
from mlops_platform.template.ownership import Rule
from mlops_platform.template.rendering import is_url
from packaging.version import InvalidVersion, Version

# Where releases have the list of file owners: since 1.0.0, and before.
OWNERSHIP = (
    "package/src/mlops_platform/template/ownership.toml",
    "template/src/[[package_name]]/mlops/ownership.toml",
)
ANSWERS = ".copier-answers.yml"
COPIER = "uvx --from 'copier==9.19.*' copier"  # how messages tell people to call it
# No person answers these commands, and reading must not even refresh a project's index.
UNATTENDED = {
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


class HookError(Exception):
    """Something outside this code is wrong: says where, what, and what to do next."""


def set_unattended() -> None:
    """Set the environment so that git, here and in child processes, asks nobody."""
    os.environ.update(UNATTENDED)
    os.environ.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=20")


def git(
    folder: Path,
    *arguments: str,
    accept: tuple[int, ...] = (0,),
    settings: Mapping[str, str] | None = None,
) -> str:
    """The output of a git command in `folder`; some commands report "none" by exit code 1.

    Raises:
        HookError: git failed; the message is git's own.
    """
    try:
        return runner.decode(
            runner.run(folder, *arguments, accept=accept, settings=settings), "replace"
        )
    except runner.GitError as error:
        said = error.reason or str(error)
        raise HookError(f"`git {arguments[0]}` in {folder}: {error_lines(said)}") from None


def error_lines(text: str) -> str:
    """The lines in which git reports an error; the last line if there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return " ".join(errors or lines[-1:])


def without_secrets(text: str) -> str:
    """The text without the user name and password that a URL may contain."""
    return re.sub(r"://[^/@\s]+@", "://", text)


@dataclass(frozen=True)
class RecordedAnswers:
    """A project's answers file: all answers, the template's source and its commit."""

    answers: Mapping[str, Any]
    source: str
    commit: str

    def text(self, key: str) -> str:
        """An answer as text; empty if there is none."""
        value = self.answers.get(key)
        return "" if value is None else str(value)


def read_answers(text: str, where: str) -> RecordedAnswers:
    """Read an answers file.

    Raises:
        HookError: it is not YAML, or lacks what an update needs.
    """
    try:
        answers = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise HookError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(answers, dict):
        raise HookError(f"{where}: expected `key: value` lines. Restore it from git.")
    source, commit = (str(answers.get(key) or "") for key in ("_src_path", "_commit"))
    if not commit:
        raise HookError(
            f"{where}: records no `_commit`, so it was made from a template outside git. "
            "Adopt the project again: `python -m hooks adopt`."
        )
    if not is_url(source) and not Path(source).expanduser().is_absolute():
        raise HookError(
            f"{where}, field `_src_path`: {source!r} is neither a URL nor an absolute path. "
            "Write the template's URL there and commit."
        )
    return RecordedAnswers(answers, source, commit)


@dataclass(frozen=True)
class Template:
    """A template's repository on this machine, and the tags that are releases, oldest first."""

    source: str
    repository: Path
    tags: tuple[str, ...]

    def release(self, wanted: str | None) -> str:
        """The tag `wanted`, or the newest.

        Raises:
            HookError: there is no such tag, or no tag at all.
        """
        if not self.tags:
            raise HookError(f"{without_secrets(self.source)}: the template has no release tag.")
        if wanted is not None and wanted not in self.tags:
            newest = ", ".join(self.tags[-3:])
            raise HookError(
                f"{without_secrets(self.source)}: the template has no tag {wanted}; "
                f"the newest are {newest}."
            )
        return wanted or self.tags[-1]

    def commit(self, revision: str) -> str:
        """The full hash of a tag, or of the commit that a project recorded.

        Raises:
            HookError: the template does not have it.
        """
        try:
            asked = ("rev-parse", "--verify", "--quiet", "--end-of-options")
            return git(self.repository, *asked, f"{revision}^{{commit}}").strip()
        except HookError:
            raise HookError(
                f"{without_secrets(self.source)}: no longer has {revision}, from which the "
                "project was made. Ask the template's owner to restore the tag or commit."
            ) from None

    def contains(self, revision: str, release: str) -> bool:
        """Whether `revision` is `release` or a later commit."""
        older, newer = self.commit(release), self.commit(revision)
        return not git(self.repository, "rev-list", "--max-count=1", older, f"^{newer}").strip()

    def owner_rules(self, revision: str) -> list[Rule] | None:
        """The file owners in a release; None if it has no list of them."""
        for path in OWNERSHIP:
            try:
                text = git(self.repository, "cat-file", "blob", f"{revision}:{path}")
            except HookError:
                continue
            return [Rule(**rule) for rule in tomllib.loads(text)["rules"]]
        return None


def open_template(source: str, mirrors: Path) -> Template:
    """Open a template; one behind a URL is mirrored below `mirrors`.

    Raises:
        HookError: git cannot read it.
    """
    if is_url(source):
        repository = mirrors / str(len(list(mirrors.iterdir())))
        try:
            git(mirrors, "clone", "--quiet", "--mirror", "--", git_url(source), str(repository))
        except HookError as error:
            raise HookError(f"{source}: the template cannot be read. {error}") from None
    else:
        repository = Path(source).expanduser()
        if not repository.is_dir():
            raise HookError(f"{source}: this template folder does not exist. Is its disk mounted?")
    return Template(source, repository, release_tags(git(repository, "tag", "--list").split()))


def release_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Those of the tags that are releases, oldest first."""
    versions = {}
    for tag in tags:
        try:
            version = Version(tag)
        except InvalidVersion:
            continue
        versions[tag] = version
    releases = [tag for tag, version in versions.items() if not version.is_prerelease]
    return tuple(sorted(releases, key=versions.__getitem__))
