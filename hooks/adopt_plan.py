"""What adopting a repository would do: the template rendered beside it, and the two compared."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2
import yaml

from hooks.ownership import ownership
from hooks.projects import ANSWERS, HookError, is_url, without_secrets
from hooks.repository import Entry, git, shown, staged

KNOWN = ("git+", "git@", "git://", "gh:", "gl:")  # what Copier itself takes for a repository


@dataclass
class Comparison:
    """Paths of both sides, each in one list."""

    added: list[str] = field(default_factory=list)  # only the template has it
    both: dict[str, str] = field(default_factory=dict)  # both have it and differ -> whose it is
    same: list[str] = field(default_factory=list)  # both have it, byte for byte
    kept: list[str] = field(default_factory=list)  # a seed in whose place theirs stays
    untouched: list[str] = field(default_factory=list)  # only they have it


def source_of(template: str) -> str:
    """The template's address as every later update needs it: an absolute path, or a URL.

    It is recorded in the project, so the user's name and password in a web address are left out.
    Copier takes a URL that does not end in `.git` only where it begins with `git+`.
    """
    if not is_url(template):
        return str(Path(template).expanduser().resolve())
    if template.removeprefix("git+").startswith(("http://", "https://")):
        template = without_secrets(template)
    return (
        template if template.endswith(".git") or template.startswith(KNOWN) else f"git+{template}"
    )


def render(
    source: str, version: str, data: Mapping[str, tuple[str, str]], folder: Path
) -> dict[str, Any]:
    """Render a release into the new `folder` with answers, each beside its origin.

    Copier checks every answer; nothing is trusted, so nothing of the template is run.

    Returns:
        All recorded answers.

    Raises:
        HookError: Copier or a validator of the template refuses.
    """
    import copier  # noqa: PLC0415  takes a second; what is refused before need not wait for it
    from copier.errors import CopierError  # noqa: PLC0415

    folder.mkdir()
    answers = {key: value for key, (value, _) in data.items()}
    try:
        with contextlib.chdir(folder):  # git within Copier reads no settings of the repository
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
        raise HookError(refusal(str(error), data, f"{source} at {version}")) from error
    recorded = folder / ANSWERS
    if not recorded.is_file():
        raise HookError(f"{source} at {version} writes no {ANSWERS}: it cannot be updated later.")
    found: dict[str, Any] = yaml.safe_load(recorded.read_text(encoding="utf-8"))
    for key, (_, origin) in data.items():
        if key not in found and origin == "--data":
            questions = ", ".join(name for name in found if not name.startswith("_"))
            raise HookError(
                f"--data {key}: the template asks no such question. It asks: {questions}."
            )
    return found


def refusal(said: str, data: Mapping[str, tuple[str, str]], template: str) -> str:
    """Copier's message, with the origin of the refused answer and how to give another."""
    match = re.match(
        r"(?:Validation error for question|Invalid choice for) '(\w+)': (.*)", said, re.S
    )
    if not match or match.group(1) not in data:
        return f"Copier cannot render {template}: {said}"
    key, reason = match.groups()
    value, origin = data[key]
    if not reason.startswith(key):  # a validator names its field itself
        reason = f"{key} {value!r} is refused: {reason}."
    return f"{reason}\nIt came from {origin}. Give another with --data {key}=VALUE"


def index(folder: Path, like: Path) -> dict[str, Entry]:
    """Make the render a git repository with the object format of `like`, all files staged."""
    form = git(like, "rev-parse", "--show-object-format").strip()
    git(folder, "init", "--quiet", "--template=", f"--object-format={form}")
    git(folder, "-c", "core.autocrlf=false", "add", "--all", "--force")
    return staged(folder)


def compare(
    root: Path, ours: Mapping[str, Entry], theirs: Mapping[str, Entry], listed: Path
) -> Comparison:
    """Sort all paths by what the merge does with them; `listed` is the release's ownership.toml.

    Raises:
        HookError: A file of the template has no place: something of theirs stands in its way.
    """
    if not listed.is_file():
        raise HookError(
            "This release has no ownership.toml, which says whose file is whose. "
            "Adopt a newer one with --version."
        )
    owned = ownership()
    rules = owned.rules(listed)
    known = set(theirs) | {str(parent) for file in theirs for parent in parents(file)}
    spelled = {path.casefold(): path for path in known}
    result = Comparison()
    blocked = []
    for path, entry in ours.items():
        owner = owned.owner_of(path, rules)
        twin = clash(path, known, spelled)
        in_the_way = obstacle(root, path, theirs, known)
        if twin:
            blocked.append(
                f"{path}: your {shown(twin)} differs only in case, which Windows cannot keep"
            )
        elif owner == "seed" and (path in theirs or in_the_way):
            result.kept.append(path)
        elif in_the_way:
            blocked.append(f"{path}: {in_the_way}")
        elif path not in theirs:
            result.added.append(path)
        elif theirs[path] == entry:
            result.same.append(path)
        else:
            result.both[path] = str(owner)
    if blocked:
        raise HookError(
            "The template's files have no place beside yours. Rename yours, commit, then retry:\n  "
            + "\n  ".join(blocked)
        )
    result.untouched = sorted(set(theirs) - set(ours))
    return result


def parents(path: str) -> list[PurePosixPath]:
    """The folders above a path, without the root."""
    return list(PurePosixPath(path).parents)[:-1]


def clash(path: str, known: set[str], spelled: Mapping[str, str]) -> str | None:
    """A path of theirs which is the same as this, or as a folder above it, but for its case."""
    for step in (path, *map(str, parents(path))):
        twin = spelled.get(step.casefold())
        if twin and step not in known:
            return twin
    return None


def obstacle(root: Path, path: str, theirs: Mapping[str, Entry], known: set[str]) -> str | None:
    """What of theirs keeps a file of the template from being at this path, if anything does."""
    for folder in map(str, reversed(parents(path))):
        on_disk = root / folder
        if folder in theirs or on_disk.is_symlink() or (on_disk.exists() and not on_disk.is_dir()):
            return f"your {folder} stands where the template needs a folder"
    if path in theirs:
        return None if theirs[path].is_file else "yours is a link or another repository"
    if path in known:
        return "yours is a folder"
    if (root / path).is_symlink() or (root / path).exists():
        return "yours is there, but git ignores it: commit it (git add --force), or move it away"
    return None


def rewritten(root: Path, render: Path, theirs: Mapping[str, Entry]) -> list[str]:
    """Files of theirs with CRLF line ends that the template's .gitattributes would make LF.

    Git does so at the next `git add`, without a word in the plan: a data set gets another hash.
    """
    crlf = []
    for line in git(root, "ls-files", "--eol", "-z").split("\0")[:-1]:
        about, path = line.split("\t", 1)
        if about.split()[0] in ("i/crlf", "i/mixed"):
            crlf.append(path)
    if not crlf or ".gitattributes" in theirs:  # theirs speaks already, and the merge asks
        return []
    asked = "\0".join([*crlf, ""])
    said = git(render, "check-attr", "-z", "--stdin", "text", given=asked).split("\0")
    return [path for path, value in zip(said[0::3], said[2::3], strict=False) if value == "set"]
