"""Packages that are newer than the template's date, because a security fix could not wait.

conf/patches.yml has one entry for each, with reason and expiry. The lines below
`[tool.uv.exclude-newer-package]` in pyproject.toml follow from it.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml
from packaging import utils
from pydantic import AwareDatetime, Field

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml, write_text
from mlops_platform.settings import Settings, parse

FILE = Path("conf") / "patches.yml"
PROJECT = Path("pyproject.toml")
TABLE = "tool.uv.exclude-newer-package"
MARKER = "# Security fixes, from conf/patches.yml:"
OURS = "mlops-platform"  # a feed has it later than the date, by design
HEADING = "# Written by `uv run poe patch`: packages newer than the date in pyproject.toml.\n"


class Patch(Settings):
    """A package that may be newer than the template's date: files uploaded before `uploaded`."""

    package: str = Field(min_length=1)
    version: str = Field(min_length=1)
    uploaded: AwareDatetime
    reason: str = Field(min_length=10)
    until: date


class Patches(Settings):
    """conf/patches.yml."""

    patches: list[Patch]


def canonical(name: str) -> str:
    """A package's name as the index has it: `Flask_Cors` is `flask-cors`."""
    return str(utils.canonicalize_name(name))


def load(conf: Path) -> Patches:
    """Read conf/patches.yml; a project without patches has none.

    Raises:
        UsageError: a field is wrong, or a package has two entries.
    """
    path = conf / FILE.name
    if not path.is_file():
        return Patches(patches=[])
    found = parse(Patches, read_yaml(path), path)
    names = [canonical(each.package) for each in found.patches]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{path}, field `patches`: {name} has two entries; remove one.")
    return found


def save(root: Path, patches: list[Patch]) -> None:
    """Write conf/patches.yml; without patches there is none."""
    path = root / FILE
    if not patches:
        path.unlink(missing_ok=True)
        return
    entries = [
        {**each.model_dump(), "uploaded": format_time(each.uploaded)}
        for each in sorted(patches, key=lambda patch: patch.package)
    ]
    write_text(path, HEADING + yaml.safe_dump({"patches": entries}, sort_keys=False))


def format_time(time: datetime) -> str:
    """A time as in pyproject.toml: 2026-11-25T10:11:12Z."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def find_problems(root: Path) -> list[str]:
    """Return one line for each patch that ended, is not needed or is recorded in one place only.

    Raises:
        UsageError: one of the files cannot be read.
    """
    if not (root / PROJECT).is_file():
        return []
    text = (root / PROJECT).read_text(encoding="utf-8")
    recorded, lines = load(root / FILE.parent).patches, exceptions(text)
    today = datetime.now(UTC).date()
    problems = []
    for patch in recorded:
        name, where = canonical(patch.package), f"{FILE.as_posix()}: {patch.package}"
        if patch.uploaded <= template_date(text):
            problems.append(
                f"{where}: the template's date includes {patch.version} now. Run `uv run poe patch`"
                " to remove the entry."
            )
        elif patch.until < today:
            problems.append(
                f"{where}: ended on {patch.until}. Update from the template; if it has no later "
                f'date yet: `uv run poe patch {patch.package} --why "..."` again.'
            )
        elif lines.get(name) != format_time(patch.uploaded):
            problems.append(f"{where}: {PROJECT} does not follow it. Run `uv run poe patch`.")
        lines.pop(name, None)
    return problems + [
        f"{PROJECT}, field `{TABLE}.{name}`: has no entry in {FILE.as_posix()}. Record it with "
        f'`uv run poe patch {name} --why "..."`, or remove it with `uv run poe patch`.'
        for name in sorted(lines)
    ]


def drop_caught_up(root: Path) -> list[Patch]:
    """Remove the patches that the template's date includes, and return them.

    Raises:
        UsageError: one of the files cannot be read or changed.
    """
    recorded = load(root / FILE.parent).patches
    if not recorded:
        return []
    text = (root / PROJECT).read_text(encoding="utf-8")
    day = template_date(text)
    dropped = [each for each in recorded if each.uploaded <= day]
    if dropped:
        write_text(root / PROJECT, change(text, {each.package for each in dropped}, {}))
        save(root, [each for each in recorded if each not in dropped])
    return dropped


def follow(root: Path) -> None:
    """Change pyproject.toml so that it has the packages of conf/patches.yml and no others.

    Raises:
        UsageError: one of the files cannot be read or changed.
    """
    text = (root / PROJECT).read_text(encoding="utf-8")
    dates = {each.package: each.uploaded for each in load(root / FILE.parent).patches}
    changed = change(text, set(exceptions(text)), dates)
    if changed != text:
        write_text(root / PROJECT, changed)


def template_date(text: str) -> datetime:
    """The date in pyproject.toml up to which packages were tested.

    Raises:
        UsageError: not TOML, or no date.
    """
    written = _uv(text).get("exclude-newer")
    try:
        day = datetime.fromisoformat(str(written))
    except ValueError:
        raise UsageError(
            f"{PROJECT}, field `tool.uv.exclude-newer`: is {written!r}, not a time like "
            "2026-11-20T00:00:00Z. Restore it from git."
        ) from None
    return day if day.tzinfo else day.replace(tzinfo=UTC)


def exceptions(text: str) -> dict[str, Any]:
    """The packages with a date of their own in pyproject.toml, but the platform package."""
    table = _uv(text).get("exclude-newer-package", {})
    found = {canonical(name): value for name, value in table.items()}
    found.pop(OURS, None)
    return found


def change(text: str, remove: set[str], add: dict[str, datetime]) -> str:
    """pyproject.toml without the dates of some packages and with those of others.

    All other lines stay as they are.

    Raises:
        UsageError: the table is written in a form that cannot be changed line by line.
    """
    new = {canonical(name): format_time(time) for name, time in add.items()}
    replaced = {canonical(name) for name in remove} | set(new)
    lines = text.splitlines()
    header = re.compile(rf"^\[{re.escape(TABLE)}\]\s*(#.*)?$")
    start = next((number for number, line in enumerate(lines) if header.match(line)), None)
    if start is None and new:
        lines += ["", f"[{TABLE}]", MARKER]
        start = len(lines) - 2
    if start is not None:
        after = range(start + 1, len(lines))
        end = next((number for number in after if lines[number].startswith("[")), len(lines))
        kept = [line for line in lines[start + 1 : end] if _name(line) not in replaced]
        place = kept.index(MARKER) + 1 if MARKER in kept else 0
        kept[place:place] = [f'{name} = "{new[name]}"' for name in sorted(new)]
        lines[start + 1 : end] = kept
    changed = "\n".join(lines) + "\n"
    expected = {name: date for name, date in exceptions(text).items() if name not in replaced} | new
    if exceptions(changed) != expected:
        raise UsageError(
            f"{PROJECT}, field `{TABLE}`: write it as a table of its own, one line for each "
            f'package: `[{TABLE}]`, then `name = "2026-11-25T10:11:12Z"`.'
        )
    return changed


def _name(line: str) -> str:
    """The package of a line of the table; empty for a comment."""
    name, equals, _ = line.partition("=")
    return canonical(name.strip().strip("\"'")) if equals and line[0] != "#" else ""


def _uv(text: str) -> dict[str, Any]:
    try:
        table = tomllib.loads(text).get("tool", {}).get("uv", {})
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{PROJECT}: not valid TOML: {error}.") from None
    return table if isinstance(table, dict) else {}
