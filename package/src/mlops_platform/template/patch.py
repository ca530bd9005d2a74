"""Takes a security fix that is newer than the template's date, for the packages named alone."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from mlops_platform.core import programs
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import write_text
from mlops_platform.template import patches
from mlops_platform.template.patches import FILE, PROJECT, Patch, canonical

LOCK = Path("uv.lock")
DAYS = 90  # how long a patch lasts if nobody says otherwise: three updates of the template
HELD = ("UV_LOCKED", "UV_FROZEN")  # CI sets them; they would keep uv from changing the lock


class Fix(NamedTuple):
    """A package's version before and after; `patch` is None if the template's date includes it."""

    package: str
    before: str
    after: str
    patch: Patch | None


def take(root: Path, packages: list[str], why: str, until: date | None = None) -> list[Fix]:
    """Lock newer versions of packages, each a name or like `urllib3>=2.6.1`; record the exceptions.

    All other packages keep their versions. If anything fails, all files are as before.

    Raises:
        UsageError: a package, the reason or the date is wrong, or uv finds no such versions.
    """
    today = datetime.now(UTC).date()
    wanted = [_requirement(text) for text in packages]
    last_day = until or today + timedelta(days=DAYS)
    if len(why.strip()) < 10:
        raise UsageError("--why: name the advisory or the fault that the new version fixes.")
    if last_day <= today:
        raise UsageError(f"--until {last_day}: is not in the future.")
    names = [canonical(each.name) for each in wanted]
    before = {name: _locked(root, name) for name in names}
    with _restored_on_error(root):
        after = _lift(root, wanted, before)
        recorded = [
            each
            for each in patches.load(root / FILE.parent).patches
            if canonical(each.package) not in names
        ]
        day = patches.template_date((root / PROJECT).read_text(encoding="utf-8"))
        fixes = []
        for name in names:
            uploaded, version = _uploaded(after[name]), _newest(after[name])
            patch = None
            if uploaded > day:
                patch = Patch(
                    package=name, version=version, uploaded=uploaded, reason=why, until=last_day
                )
                recorded.append(patch)
            fixes.append(Fix(name, _newest(before[name]), version, patch))
        patches.save(root, recorded)
        patches.follow(root)
        _run_lock(root)
        if any(_versions(_locked(root, name)) != _versions(after[name]) for name in names):
            raise UsageError("the index changed in the meantime. Run the same command again.")
    return fixes


def tidy(root: Path) -> list[Patch]:
    """Remove the patches that are no longer needed, and return them.

    pyproject.toml and uv.lock then follow conf/patches.yml.

    Raises:
        UsageError: a file cannot be read, or uv cannot lock.
    """
    with _restored_on_error(root):
        dropped = patches.drop_caught_up(root)
        patches.follow(root)
        _run_lock(root)
    return dropped


def _lift(
    root: Path, wanted: list[Requirement], before: dict[str, list[dict[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """Lock the packages without the date, and return their entries in the lock."""
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    text = (root / PROJECT).read_text(encoding="utf-8")
    write_text(root / PROJECT, patches.change(text, set(), dict.fromkeys(before, now)))
    _run_lock(root, *(f"--upgrade-package={each}" for each in wanted))
    after = {name: _locked(root, name) for name in before}
    for requirement in wanted:
        name = canonical(requirement.name)
        if requirement.specifier:
            continue  # uv found a version that satisfies it
        if _versions(after[name]) == _versions(before[name]):
            raise UsageError(
                f"{name}: stays at {_newest(before[name])}; there is no newer version, or another "
                f"package needs this one: `uv tree --invert --package {name}` shows which. Name "
                "that one too, or the version of the advisory: uv then tells the reason."
            )
    return after


def _requirement(text: str) -> Requirement:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        requirement = None
    if requirement is None or requirement.url or requirement.extras or requirement.marker:
        raise UsageError(f"{text!r}: write the name of a package, or like 'urllib3>=2.6.1'.")
    return requirement


def _run_lock(root: Path, *options: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in HELD}
    process = programs.run(["uv", "lock", "--quiet", *options], root, environment=environment)
    if process.returncode != 0:
        raise UsageError(
            f"uv cannot lock these versions, nothing was changed: {process.stderr.strip()}\n"
            "If they need a newer version of another package, name that one too."
        )


def _locked(root: Path, name: str) -> list[dict[str, Any]]:
    """A package's entries in uv.lock: one, or one for each platform or Python version."""
    path = root / LOCK
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: does not exist. Run `uv lock` and commit it.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}. Restore it from git.") from None
    found = [each for each in content.get("package", []) if each["name"] == name]
    if not found:
        raise UsageError(f"{name}: is not in {LOCK}. `uv tree` lists the packages that are.")
    if any("registry" not in each["source"] for each in found):
        raise UsageError(f"{name}: does not come from a package index; no date applies to it.")
    return found


def _versions(entries: list[dict[str, Any]]) -> set[str]:
    return {str(each["version"]) for each in entries}


def _newest(entries: list[dict[str, Any]]) -> str:
    return str(max(map(Version, _versions(entries))))


def _uploaded(entries: list[dict[str, Any]]) -> datetime:
    """When the last file of these versions was uploaded, rounded up to a full second."""
    files = [
        file for each in entries for file in (each.get("sdist"), *each.get("wheels", [])) if file
    ]
    times = [datetime.fromisoformat(file["upload-time"]) for file in files if "upload-time" in file]
    if not times:
        raise UsageError(
            f"{entries[0]['name']}: its index does not report when a file was uploaded, so no "
            "date can be set. docs/packages.md shows how to turn the date off for that index."
        )
    return max(times).replace(microsecond=0) + timedelta(seconds=1)


@contextmanager
def _restored_on_error(root: Path) -> Iterator[None]:
    """Put the files back as they were if anything fails, or somebody interrupts."""
    kept = {
        path: path.read_bytes() if path.is_file() else None
        for path in (root / PROJECT, root / LOCK, root / FILE)
    }
    try:
        yield
    except BaseException:
        for path, content in kept.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)
        raise
