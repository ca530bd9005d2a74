"""Runs git: the one place that does, so that users' settings change no result.

Held off is what changes what git does or prints: the repository of a git hook that started this
process, pagers, colors, external programs, signatures. What git needs to reach other repositories
stays, also where a CI service passes it in the environment: credentials, proxies, `safe.directory`,
`url.*.insteadOf`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mlops_platform.core.errors import UsageError

# https://git-scm.com/docs/git#_environment_variables and `git rev-parse --local-env-vars`.
HELD_OFF = frozenset(
    {
        # of the repository whose hook started this process
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REFLOG_ACTION",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
        # of the user: what is read, and how it is printed
        "GIT_ATTR_SOURCE",
        "GIT_DEFAULT_HASH",
        "GIT_DEFAULT_REF_FORMAT",
        "GIT_DIFF_OPTS",
        "GIT_EXTERNAL_DIFF",
        "GIT_GLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
        "GIT_INDEX_VERSION",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_PAGER_IN_USE",
        "LANGUAGE",
    }
)
VARIABLES = {
    "GIT_EDITOR": "true",
    "GIT_PAGER": "cat",
    "GIT_TEMPLATE_DIR": "",
    "LC_ALL": "C",  # its messages are parsed
}
SETTINGS = {
    "apply.ignoreWhitespace": "no",
    "apply.whitespace": "nowarn",
    "color.branch": "false",
    "color.diff": "false",
    "color.grep": "false",
    "color.status": "false",
    "color.ui": "false",
    "column.ui": "never",
    "commit.gpgSign": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "true",
    "core.safecrlf": "false",
    "diff.ignoreSubmodules": "none",
    "diff.mnemonicPrefix": "false",
    "diff.noprefix": "false",
    "diff.orderFile": os.devnull,
    "diff.relative": "false",
    "gc.auto": "0",
    "init.defaultBranch": "main",
    "log.showSignature": "false",
    "maintenance.auto": "false",
    "safe.bareRepository": "all",
    "status.showUntrackedFiles": "all",
    "submodule.recurse": "false",
    "tag.gpgSign": "false",
}
NO_USER = {
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_PARAMETERS": "",
}


class GitError(UsageError):
    """Git is missing, or ended with an unexpected exit code; `reason` is git's own message."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class Done(NamedTuple):
    """How a git command ended."""

    code: int
    output: bytes


def environment(
    base: Mapping[str, str] | None = None,
    *,
    settings: Mapping[str, str] | None = None,
    users: Collection[str] = (),
) -> dict[str, str]:
    """The environment for git, and for programs that call it.

    Args:
        base: the environment to start from; this process's if None.
        settings: git settings to add, which override the user's.
        users: names in SETTINGS that the user's own settings decide.

    Raises:
        UsageError: `GIT_CONFIG_COUNT` is not a number.
    """
    kept = {
        name: value
        for name, value in (os.environ if base is None else base).items()
        if name not in HELD_OFF
    }
    ours = {name: value for name, value in SETTINGS.items() if name not in users}
    return _with_settings(kept | VARIABLES, ours | dict(settings or {}))


def call(
    folder: Path,
    *arguments: str,
    stdin: bytes = b"",
    accept: Collection[int] = (0,),
    settings: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    users: Collection[str] = (),
    own_session: bool = False,
) -> Done:
    """Run git in `folder`; returns its exit code and output.

    Args:
        folder: where git starts.
        arguments: the command and its options.
        stdin: its input.
        accept: expected exit codes; some commands report "none" by 1.
        settings: as for `environment`.
        variables: environment variables to add.
        users: as for `environment`.
        own_session: whether Ctrl+C in the terminal does not reach git.

    Raises:
        GitError: git is not installed, or ended with another exit code.
    """
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            input=stdin,
            env=environment(settings=settings, users=users) | dict(variables or {}),
            capture_output=True,
            check=False,
            start_new_session=own_session,
        )
    except OSError as error:
        raise GitError(f"git cannot be started in {folder}: {error}.") from None
    if done.returncode not in accept:
        said = done.stderr.strip() or done.stdout.strip() or b"git gave no reason"
        reason = decode(said, "replace")
        message = f"`git {_command(arguments)}` failed with {done.returncode}: {reason}"
        raise GitError(message, reason)
    return Done(done.returncode, done.stdout)


def run(folder: Path, *arguments: str, **options: Any) -> bytes:
    """The output of git; everything else is as for `call`."""
    return call(folder, *arguments, **options).output


def text(folder: Path, *arguments: str, accept: Collection[int] = (0,)) -> str:
    """The output of git, without the last line's end."""
    return decode(run(folder, *arguments, accept=accept)).rstrip("\r\n")


def names(folder: Path, *arguments: str) -> list[str]:
    """The file names that a git command prints with `-z`, sorted, each once."""
    return sorted(set(decode(run(folder, *arguments)).split("\0")) - {""})


def compare(folder: Path, before: str, after: str) -> bytes:
    """The patch for `git apply` from one subfolder of `folder` to another, with all their bytes.

    Neither the user's settings nor a repository around `folder` have a part in it.
    """
    return run(
        folder,
        *("diff", "--no-index", "--no-ext-diff", "--no-textconv", "--no-renames", "--binary"),
        *("--no-color", "--no-prefix", "--unified=3", "--", before, after),
        accept=(0, 1),
        variables=_with_settings(NO_USER, {"core.attributesFile": os.devnull})
        | {"GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)},
    )


def decode(output: bytes, errors: str = "surrogateescape") -> str:
    """Text that git printed; any bytes of a file's name survive `encode`."""
    return output.decode("utf-8", errors)


def encode(text: str) -> bytes:
    """Text for git, the reverse of `decode`."""
    return text.encode("utf-8", "surrogateescape")


def shown(name: str) -> str:
    """A file's name that any terminal can print."""
    return name if name.isprintable() else ascii(name)


def _command(arguments: Collection[str]) -> str:
    """The words of a command that its message needs; an option's value may be a secret."""
    return " ".join([word for word in arguments if not word.startswith("-")][:2])


def _with_settings(variables: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The variables with git settings after those that are there already: the last one counts."""
    text = variables.get("GIT_CONFIG_COUNT") or "0"
    if not text.isdecimal():
        raise UsageError(f"GIT_CONFIG_COUNT: {text!r} is not a number. Correct or unset it.")
    added = dict(variables)
    for number, (name, value) in enumerate(settings.items(), int(text)):
        added[f"GIT_CONFIG_KEY_{number}"] = name
        added[f"GIT_CONFIG_VALUE_{number}"] = value
    added["GIT_CONFIG_COUNT"] = str(int(text) + len(settings))
    if given := variables.get("GIT_CONFIG_PARAMETERS"):  # of `git -c`, stronger than the others
        ours = " ".join(f"'{name}={value}'" for name, value in settings.items())
        added["GIT_CONFIG_PARAMETERS"] = f"{given} {ours}"
    return added
