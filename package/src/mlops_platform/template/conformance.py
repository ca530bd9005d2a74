"""Compares the managed files of a project with its template.

`copier update` only applies changes of the template, so an edited managed file stays edited, and
causes conflicts later. Here the recorded version is rendered again with the recorded answers, and
compared with the project.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from mlops_platform.core import git
from mlops_platform.core.errors import GateError
from mlops_platform.core.files import LITTER, atomic_file, hash_path, read_yaml
from mlops_platform.core.hashes import SHA256, Sha256
from mlops_platform.delivery.platform_wheel import EJECTED, VENDOR
from mlops_platform.settings import Settings, parse
from mlops_platform.template import eject
from mlops_platform.template.ownership import Rule, owner_of, rules
from mlops_platform.template.rendering import read_answers, render_pristine

FORKS = Path("conf") / "forks.yml"
PATCH = Path("outputs") / "template-check.patch"


class Fork(Settings):
    """A managed file that the team changed on purpose. `sha256` is of the approved content."""

    path: str
    reason: str = Field(min_length=10)
    approved_by: str = Field(min_length=2)
    until: date
    sha256: Sha256


class Forks(Settings):
    """conf/forks.yml. `at_most` is the number of forks: adding one must change it, too."""

    at_most: int = Field(ge=0)
    forks: list[Fork]


class Difference(NamedTuple):
    """A managed file that differs from the template."""

    path: str
    kind: str  # changed, deleted, added, or ejected with the date


class Comparison(NamedTuple):
    """The number of managed files, the differences that are no forks, and problems of the forks."""

    managed: int
    differences: list[Difference]
    fork_problems: list[str]


def check(root: Path, template: str | None = None) -> int:
    """Compare the project with its template; return the number of managed files.

    `template` is the location of the template, instead of that in `.copier-answers.yml`.

    Raises:
        GateError: managed files differ and are not in conf/forks.yml; the message names each, and
            a patch that restores them is written.
        UsageError: the project was not made by Copier, or its template cannot be reached.
    """
    answers = read_answers(root)
    load_forks(root / FORKS.parent)  # a problem in it is reported before the render
    with tempfile.TemporaryDirectory() as scratch:
        pristine = Path(scratch) / "pristine"
        render_pristine(answers, pristine, template)
        managed, differences, fork_problems = compare(root, pristine, rules())
        fixable = [each for each in differences if each.path != EJECTED.as_posix()]
        if fixable:
            with atomic_file(root / PATCH) as file:
                file.write_bytes(_patch(fixable, root, pristine, Path(scratch)))
    if differences or fork_problems:
        lines = [f"  {each.kind}: {each.path}" for each in differences]
        lines += [f"  {FORKS.as_posix()}: {fault}" for fault in fork_problems]
        hint = f"To restore them: `git apply {PATCH.as_posix()}`. " if fixable else ""
        raise GateError(
            f"these files differ from version {answers['_commit']} of the template:\n"
            + "\n".join(lines)
            + f"\n{hint}To keep one on purpose, enter it in {FORKS.as_posix()} "
            "(docs/updating.md shows how)."
        )
    return managed


def compare(root: Path, pristine: Path, rules: list[Rule]) -> Comparison:
    """Compare a project with its pristine render.

    Raises:
        UsageError: conf/forks.yml cannot be read.
    """
    managed = [path for path in _files(pristine) if owner_of(path, rules) == "managed"]
    differences = _differences(root, pristine, managed, rules)
    forks = load_forks(root / FORKS.parent)
    return Comparison(len(managed), *_without_forks(differences, forks, root))


def load_forks(conf: Path) -> Forks:
    """Read conf/forks.yml; a project without forks has none."""
    path = conf / FORKS.name
    return parse(Forks, read_yaml(path), path) if path.is_file() else Forks(at_most=0, forks=[])


def _files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not LITTER & set(path.relative_to(folder).parts)
    )


def _content(path: Path) -> bytes:
    """A file's bytes, with normalized line endings: a checkout on Windows has others."""
    content = path.read_bytes()
    return content if b"\0" in content else content.replace(b"\r\n", b"\n")


def _differences(
    root: Path, pristine: Path, managed: list[str], owned: list[Rule]
) -> list[Difference]:
    differences = []
    for path in managed:
        if not (root / path).is_file():
            differences.append(Difference(path, "deleted"))
        elif _content(root / path) != _content(pristine / path):
            differences.append(Difference(path, "changed"))
    for wheel in sorted((root / VENDOR).glob("*.whl")):
        path = wheel.relative_to(root).as_posix()
        if path not in managed and owner_of(path, owned) == "managed":
            differences.append(Difference(path, "added"))
    if date := eject.date_of(root):
        differences.append(Difference(EJECTED.as_posix(), f"ejected on {date}"))
    return differences


def _without_forks(
    differences: list[Difference], forks: Forks, root: Path
) -> tuple[list[Difference], list[str]]:
    """The differences that are no forks, and the problems of the list of forks."""
    today = datetime.now(UTC).date()
    differing = {each.path for each in differences}
    accepted, problems = set(), []
    for fork in forks.forks:
        if fork.path not in differing:
            problems.append(f"{fork.path} is the same as in the template again; remove its entry")
        elif fork.until < today:
            problems.append(
                f"{fork.path}: the approval ended on {fork.until}; restore the file or approve it "
                "again"
            )
        elif _sha256(root / fork.path) != fork.sha256:
            problems.append(
                f"{fork.path}: changed since it was approved; review it again, then set `sha256` "
                f"to {SHA256}{_sha256(root / fork.path)}"
            )
        else:
            accepted.add(fork.path)
    if len(forks.forks) != forks.at_most:
        problems.append(
            f"`at_most` is {forks.at_most}, the number of entries is {len(forks.forks)}; the list "
            "may shrink; to add an entry, increase this number, too"
        )
    return [each for each in differences if each.path not in accepted], problems


def _sha256(path: Path) -> str:
    if path.is_dir():
        return hash_path(path)
    return hashlib.sha256(_content(path) if path.is_file() else b"").hexdigest()


def _patch(differences: list[Difference], root: Path, pristine: Path, scratch: Path) -> bytes:
    """The patch for `git apply` that restores the project's files.

    `git apply` reads names from the top of the repository, of which the project may be a folder.
    """
    prefix = _prefix(root)
    for source, side in ((root, "a"), (pristine, "b")):
        for each in differences:
            target = scratch / side / prefix / each.path
            if (source / each.path).is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / each.path, target)
        (scratch / side).mkdir(exist_ok=True)
    return git.compare(scratch, "a", "b")


def _prefix(root: Path) -> str:
    """The project's folder in its repository; empty at the top, and outside of git."""
    try:
        return git.text(root, "rev-parse", "--show-prefix")
    except git.GitError:
        return ""
