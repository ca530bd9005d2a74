"""What an adoption would do: renders the template beside the repository and compares the two."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2
import yaml
from mlops_platform.template.ownership import Rule, owner_of
from mlops_platform.template.rendering import is_url

from hooks.adopt.repository import Entry, git, printable, staged_files
from hooks.copier_runs import git_held_off
from hooks.projects import ANSWERS, HookError, without_secrets

GIT_PREFIXES = ("git+", "git@", "git://", "gh:", "gl:")  # Copier takes these for a repository


@dataclass
class Comparison:
    """All paths of the template and the repository, each in one list."""

    added: list[str] = field(default_factory=list)  # only the template has it
    both: dict[str, str] = field(default_factory=dict)  # both have it and differ -> owner
    same: list[str] = field(default_factory=list)  # both have the same bytes
    kept: list[str] = field(default_factory=list)  # a seed that the repository has already
    untouched: list[str] = field(default_factory=list)  # only the repository has it


def recordable_source(template: str) -> str:
    """The template's address as later updates need it: an absolute path, or a URL.

    The project records it, so the user name and password in a web address are left out. Copier
    takes a URL that does not end in `.git` only if it begins with `git+`.
    """
    if not is_url(template):
        return str(Path(template).expanduser().resolve())
    if template.removeprefix("git+").startswith(("http://", "https://")):
        template = without_secrets(template)
    return (
        template
        if template.endswith(".git") or template.startswith(GIT_PREFIXES)
        else f"git+{template}"
    )


def render(
    source: str, version: str, data: Mapping[str, tuple[str, str]], folder: Path
) -> dict[str, Any]:
    """Render a release into the new `folder`; `data` holds answers, each with its origin.

    Copier checks every answer. The template is not trusted, so none of its code runs.

    Returns:
        All recorded answers.

    Raises:
        HookError: Copier or a validator of the template refuses an answer.
    """
    import copier  # noqa: PLC0415  takes a second; earlier refusals need not wait
    from copier.errors import CopierError  # noqa: PLC0415

    folder.mkdir()
    answers = {key: value for key, (value, _) in data.items()}
    try:
        # Copier's git must not read the repository's settings
        with git_held_off(), contextlib.chdir(folder):
            copier.run_copy(
                source,
                folder,
                data=answers,
                vcs_ref=version,
                defaults=True,
                unsafe=False,
                quiet=True,
            )
    except (CopierError, ValueError, TypeError, OSError, jinja2.TemplateError) as error:
        raise HookError(refusal_text(str(error), data, f"{source} at {version}")) from error
    recorded = folder / ANSWERS
    if not recorded.is_file():
        raise HookError(
            f"{source} at {version} writes no {ANSWERS}, so the project could not be updated later."
        )
    found: dict[str, Any] = yaml.safe_load(recorded.read_text(encoding="utf-8"))
    for key, (_, origin) in data.items():
        if key not in found and origin == "--data":
            questions = ", ".join(name for name in found if not name.startswith("_"))
            raise HookError(
                f"--data {key}: the template has no such question. It asks: {questions}."
            )
    return found


def refusal_text(message: str, data: Mapping[str, tuple[str, str]], template: str) -> str:
    """Copier's message, with the origin of the refused answer and how to replace it."""
    match = re.match(
        r"(?:Validation error for question|Invalid choice for) '(\w+)': (.*)", message, re.S
    )
    if not match or match.group(1) not in data:
        return f"Copier cannot render {template}: {message}"
    key, reason = match.groups()
    value, origin = data[key]
    if not reason.startswith(key):  # our validators name the field themselves
        reason = f"{key} {value!r} is refused: {reason}."
    return f"{reason}\nIt came from {origin}. Give another with --data {key}=VALUE"


def stage_files(folder: Path, like: Path) -> dict[str, Entry]:
    """Make the render a git repository with the object format of `like`; stage all files."""
    object_format = git(like, "rev-parse", "--show-object-format").strip()
    git(folder, "init", "--quiet", "--template=", f"--object-format={object_format}")
    settings = {"core.autocrlf": "false"}
    git(folder, "add", "--all", "--force", settings=settings)
    return staged_files(folder)


def compare(
    root: Path, ours: Mapping[str, Entry], theirs: Mapping[str, Entry], rules: list[Rule] | None
) -> Comparison:
    """Sort all paths by what the merge does with them.

    `ours` are the template's files, `theirs` the repository's, `rules` the release's file owners.

    Raises:
        HookError: A file of the repository is where the template needs another, or the release
            has no rules.
    """
    if rules is None:
        raise HookError(
            "This release has no ownership.toml, the list of file owners. "
            "Adopt a newer one with --version."
        )
    known = set(theirs) | {str(parent) for file in theirs for parent in parents(file)}
    by_lower_case = {path.casefold(): path for path in known}
    result = Comparison()
    blocked = []
    for path, entry in ours.items():
        owner = owner_of(path, rules)
        twin = differs_in_case(path, known, by_lower_case)
        problem = obstacle(root, path, theirs, known)
        if twin:
            blocked.append(
                f"{path}: your {printable(twin)} differs only in case, which fails on Windows"
            )
        elif owner == "seed" and (path in theirs or problem):
            result.kept.append(path)
        elif problem:
            blocked.append(f"{path}: {problem}")
        elif path not in theirs:
            result.added.append(path)
        elif theirs[path] == entry:
            result.same.append(path)
        else:
            result.both[path] = str(owner)
    if blocked:
        raise HookError(
            "The template needs the place of files of yours. Rename yours, commit, then retry:\n  "
            + "\n  ".join(blocked)
        )
    result.untouched = sorted(set(theirs) - set(ours))
    return result


def parents(path: str) -> list[PurePosixPath]:
    """The folders above a path, without the root."""
    return list(PurePosixPath(path).parents)[:-1]


def differs_in_case(path: str, known: set[str], by_lower_case: Mapping[str, str]) -> str | None:
    """A path of the repository that differs from this, or a folder above it, only in case."""
    for step in (path, *map(str, parents(path))):
        twin = by_lower_case.get(step.casefold())
        if twin and step not in known:
            return twin
    return None


def obstacle(root: Path, path: str, theirs: Mapping[str, Entry], known: set[str]) -> str | None:
    """What in the repository prevents the template's file at this path; None if nothing does."""
    for folder in map(str, reversed(parents(path))):
        on_disk = root / folder
        if folder in theirs or on_disk.is_symlink() or (on_disk.exists() and not on_disk.is_dir()):
            return f"your {folder} is where the template needs a folder"
    if path in theirs:
        return None if theirs[path].is_file else "yours is a link or another repository"
    if path in known:
        return "yours is a folder"
    if (root / path).is_symlink() or (root / path).exists():
        return "yours exists, but git ignores it: commit it (git add --force), or move it away"
    return None


def files_with_changed_line_endings(
    root: Path, render: Path, theirs: Mapping[str, Entry]
) -> list[str]:
    """The repository's files with CRLF line endings that the template's .gitattributes makes LF.

    Git changes them at the next `git add`. The plan would not show it, and a data set gets
    another hash.
    """
    crlf = []
    for line in git(root, "ls-files", "--eol", "-z").split("\0")[:-1]:
        about, path = line.split("\t", 1)
        if about.split()[0] in ("i/crlf", "i/mixed"):
            crlf.append(path)
    if (
        not crlf or ".gitattributes" in theirs
    ):  # the repository's own rules are a conflict in the merge
        return []
    paths = "\0".join([*crlf, ""])
    fields = git(render, "check-attr", "-z", "--stdin", "text", stdin=paths).split("\0")
    return [path for path, value in zip(fields[0::3], fields[2::3], strict=False) if value == "set"]
