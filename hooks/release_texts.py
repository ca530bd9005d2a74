"""What a release check looks for beside the questions: version, changelog, and what is derived."""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import yaml
from packaging.version import Version

from hooks.projects import git, last_words
from hooks.questions import Questions
from hooks.releases import LIST, Release
from tests.rendering import render

SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def text_faults(root: Path, version: str, released: Sequence[Release], new: Questions) -> list[str]:
    """All faults of this module, each with what to do."""
    return [
        *version_faults(root, version, released, new),
        *changelog_faults(root, version, new),
        *tree_faults(root),
        *owner_faults(root),
        *example_faults(root),
    ]


def version_faults(
    root: Path, version: str, released: Sequence[Release], new: Questions
) -> list[str]:
    """The version is semantic, above the last, large enough for a migration, and entered."""
    if not SEMANTIC.fullmatch(version):
        return [f"version {version}: write three numbers, as in 0.2.0."]
    found = []
    last = released[-1].version if released else None
    if last and Version(version) <= Version(last):
        found.append(f"version {version} is not above {last}, the last in {LIST}. Raise it.")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if project["version"] != version:
        found.append(f"pyproject.toml, `version`: is {project['version']}. Write {version}.")
    if last and new.migrations(version) and not _may_migrate(Version(last), Version(version)):
        found.append(
            f"version {version}: a migration asks every project for trust. Release it as a major "
            "version, before 1.0.0 as a minor one."
        )
    late = [m["version"] for m in new.settings.get("_migrations", [])]
    for migration in late:
        if Version(str(migration)) > Version(version):
            found.append(
                f"copier.yml, `_migrations`: {migration} is above {version}. Write {version}."
            )
    return found


def _may_migrate(last: Version, version: Version) -> bool:
    return version.major > last.major or (version.major == 0 and version.minor > last.minor)


def section(root: Path, version: str) -> str:
    """What CHANGELOG.md says of a version; empty where it says nothing."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(version)}\b[^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found[1].strip() if found else ""


def changelog_faults(root: Path, version: str, new: Questions) -> list[str]:
    """There is a section, and each migration's script is there and its way by hand is told."""
    text = section(root, version)
    if not text:
        return [
            f"CHANGELOG.md: has nothing under `## {version}`. Write there what changes in a "
            "project, and what its team must do."
        ]
    found = []
    by_hand = [line for line in text.splitlines() if "By hand:" in line]
    for script, *arguments in new.migrations(version):
        if not (root / script).is_file() or not script.startswith("hooks/migrations/"):
            found.append(f"copier.yml, `_migrations`: {script} is no file in hooks/migrations/.")
        if not any(all(argument in line for argument in arguments) for line in by_hand):
            found.append(
                f"CHANGELOG.md, {version}: the migration of {' '.join(arguments)} has no way by "
                "hand. Write a line with `By hand:` that names these."
            )
    return found


def tree_faults(root: Path) -> list[str]:
    """A project made of what is not committed could never be updated."""
    changed = git(root, "status", "--porcelain").splitlines()
    if not changed:
        return []
    return [f"{len(changed)} files are not committed, {changed[0][3:]} for one. Commit them."]


def owner_faults(root: Path) -> list[str]:
    """What follows from the list of owners has followed."""
    done = subprocess.run(
        [sys.executable, str(root / "hooks" / "ownership.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.returncode:
        return []
    told = [line for line in done.stdout.splitlines() if line.strip()]
    return told or [f"hooks/ownership.py --check: {last_words(done.stderr)}. Mend it."]


def example_faults(root: Path) -> list[str]:
    """The examples are what the template renders."""
    found = []
    answers = yaml.safe_load((root / "examples" / "answers.yml").read_text(encoding="utf-8"))
    for name, given in answers.items():
        with tempfile.TemporaryDirectory() as scratch:
            fresh = _files(render(given, Path(scratch) / "fresh"))
        fresh.pop(".copier-answers.yml")
        folder = root / "examples" / name
        there = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", ".")
        shown = {file: (folder / file).read_bytes() for file in there.split("\0") if file}
        differing = sorted(file for file in {*fresh, *shown} if fresh.get(file) != shown.get(file))
        if differing:
            found.append(
                f"examples/{name}: {len(differing)} files are not fresh, {differing[0]} for one. "
                "Run `uv run python examples/render.py`."
            )
    return found


def _files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
