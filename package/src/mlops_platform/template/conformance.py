"""Does this project still follow the standard? Managed files against a pristine render.

`copier update` replays only what changed in the template, so a managed file that was once edited
never heals by itself, and later conflicts. Here the recorded version is rendered again with the
recorded answers, and compared.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from mlops_platform.core.errors import GateError
from mlops_platform.core.files import IGNORED, hash_path, read_yaml, write_text
from mlops_platform.core.hashes import SHA256, Sha256
from mlops_platform.delivery.platform_wheel import EJECTED, VENDOR
from mlops_platform.settings import Settings, parse
from mlops_platform.template import eject
from mlops_platform.template.ownership import Rule, owner_of, rules
from mlops_platform.template.rendering import pristine_of, recorded_in

FORKS = Path("conf") / "forks.yml"
PATCH = Path("outputs") / "template-check.patch"


class Fork(Settings):
    """A managed file that the team changed on purpose. `sha256` is of the file as it was agreed."""

    path: str
    reason: str = Field(min_length=10)
    approved_by: str = Field(min_length=2)
    until: date
    sha256: Sha256


class Forks(Settings):
    """conf/forks.yml. `at_most` is the number of forks: whoever adds one must change it, too."""

    at_most: int = Field(ge=0)
    forks: list[Fork]


class Difference(NamedTuple):
    """A managed file that is not as the standard has it."""

    path: str
    kind: str  # changed, deleted, added, or ejected with the day


class Comparison(NamedTuple):
    """How many files are managed, the differences nobody agreed to, and faults of the forks."""

    managed: int
    differences: list[Difference]
    faults: list[str]


def check(root: Path, template: str | None = None) -> int:
    """Compare, and return how many managed files follow the standard.

    `template` is where the template lies, in place of what `.copier-answers.yml` says.

    Raises:
        GateError: managed files differ and are not in conf/forks.yml; names each and writes the
            patch that heals them.
        UsageError: the project was not made by Copier, or its template cannot be reached.
    """
    recorded = recorded_in(root)
    load_forks(root / FORKS.parent)  # a fault in it is told before the render
    with tempfile.TemporaryDirectory() as scratch:
        pristine = Path(scratch) / "pristine"
        pristine_of(recorded, pristine, template)
        managed, differences, faults = compare(root, pristine, rules())
        heals = [found for found in differences if found.path != EJECTED.as_posix()]
        if heals:
            write_text(root / PATCH, _patch(heals, root, pristine, Path(scratch)))
    if differences or faults:
        lines = [f"  {found.kind}: {found.path}" for found in differences]
        lines += [f"  {FORKS.as_posix()}: {fault}" for fault in faults]
        heal = f"To heal them: `git apply {PATCH.as_posix()}`. " if heals else ""
        raise GateError(
            f"these differ from version {recorded['_commit']} of the standard:\n"
            + "\n".join(lines)
            + f"\n{heal}To keep one on purpose, enter it in {FORKS.as_posix()} "
            "(docs/updating.md shows how)."
        )
    return managed


def compare(root: Path, pristine: Path, owned: list[Rule]) -> Comparison:
    """Hold a project against its pristine render.

    Raises:
        UsageError: conf/forks.yml cannot be read.
    """
    managed = [path for path in _files(pristine) if owner_of(path, owned) == "managed"]
    differences = _differences(root, pristine, managed, owned)
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
        if path.is_file() and not IGNORED & set(path.relative_to(folder).parts)
    )


def _content(path: Path) -> bytes:
    """A file's bytes; line ends of text are git's affair: a checkout on Windows has its own."""
    content = path.read_bytes()
    return content if b"\0" in content else content.replace(b"\r\n", b"\n")


def _differences(
    root: Path, pristine: Path, managed: list[str], owned: list[Rule]
) -> list[Difference]:
    found = []
    for path in managed:
        if not (root / path).is_file():
            found.append(Difference(path, "deleted"))
        elif _content(root / path) != _content(pristine / path):
            found.append(Difference(path, "changed"))
    for wheel in sorted((root / VENDOR).glob("*.whl")):
        path = wheel.relative_to(root).as_posix()
        if path not in managed and owner_of(path, owned) == "managed":
            found.append(Difference(path, "added"))
    if day := eject.date_of(root):
        found.append(Difference(EJECTED.as_posix(), f"ejected on {day}"))
    return found


def _without_forks(
    differences: list[Difference], forks: Forks, root: Path
) -> tuple[list[Difference], list[str]]:
    """The differences that nobody agreed to, and what is wrong with the list of forks."""
    today = datetime.now(UTC).date()
    differing = {found.path for found in differences}
    agreed, faults = set(), []
    for fork in forks.forks:
        if fork.path not in differing:
            faults.append(f"{fork.path} follows the standard again; remove its entry")
        elif fork.until < today:
            faults.append(f"{fork.path}: the agreement ended on {fork.until}; heal or agree anew")
        elif _sha256(root / fork.path) != fork.sha256:
            faults.append(
                f"{fork.path}: changed since it was agreed; look again, then set `sha256` to "
                f"{SHA256}{_sha256(root / fork.path)}"
            )
        else:
            agreed.add(fork.path)
    if len(forks.forks) != forks.at_most:
        faults.append(
            f"`at_most` is {forks.at_most}, the number of entries is {len(forks.forks)}; the list "
            "may shrink, and grows only with a second look at this number"
        )
    return [found for found in differences if found.path not in agreed], faults


def _sha256(path: Path) -> str:
    if path.is_dir():
        return hash_path(path)
    return hashlib.sha256(_content(path) if path.is_file() else b"").hexdigest()


def _patch(differences: list[Difference], root: Path, pristine: Path, scratch: Path) -> str:
    """What `git apply` needs to make the project's files pristine."""
    before, after = scratch / "a", scratch / "b"
    for source, target in ((root, before), (pristine, after)):
        target.mkdir()
        for found in differences:
            if (source / found.path).is_file():
                (target / found.path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / found.path, target / found.path)
    done = subprocess.run(
        ["git", "diff", "--no-index", "--no-prefix", "--no-color", "--binary", "a", "b"],
        cwd=scratch,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout
