"""The release check of the repository: version, changelog, commits and generated files."""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import yaml
from mlops_platform.core.programs import PYTHON_UTF8
from packaging.version import Version

from hooks import wheel
from hooks.projects import error_lines, git
from hooks.release.history import LIST, Release
from hooks.release.questions import Questions
from tests.rendering import render

GUARD = "hooks/migrations/guard.py"
SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def repository_problems(
    root: Path, version: str, released: Sequence[Release], new: Questions
) -> list[str]:
    """All problems, each with what to do."""
    return [
        *version_problems(root, version, released, new),
        *changelog_problems(root, version, new),
        *uncommitted_files(root),
        *ownership_problems(root),
        *example_problems(root),
        *package_problems(root, version, new),
    ]


def version_problems(
    root: Path, version: str, released: Sequence[Release], new: Questions
) -> list[str]:
    """The version is semantic, above the last, in pyproject.toml, and major for a migration."""
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
    for migration in (each["version"] for each in new.settings.get("_migrations", [])):
        if Version(str(migration)) > Version(version):
            found.append(
                f"copier.yml, `_migrations`: {migration} is above {version}. Write {version}."
            )
    return found


def _may_migrate(last: Version, version: Version) -> bool:
    return version.major > last.major or (version.major == 0 and version.minor > last.minor)


def section(root: Path, version: str) -> str:
    """The section of a version in CHANGELOG.md; empty if there is none."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(version)}\b[^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found[1].strip() if found else ""


def changelog_problems(root: Path, version: str, new: Questions) -> list[str]:
    """There is a section; each migration has its script and the manual steps."""
    text = section(root, version)
    if not text:
        return [
            f"CHANGELOG.md: has nothing under `## {version}`. Write what changes in a project "
            "and what its team must do."
        ]
    found = []
    by_hand = [line for line in text.splitlines() if "By hand:" in line]
    for script, *given in new.migrations(version):
        # A reader has no answers: what is `[[ package_name ]]` there is `<package_name>` here.
        arguments = [re.sub(r"\[\[ (\w+) \]\]", r"<\1>", argument) for argument in given]
        if not (root / script).is_file() or not script.startswith("hooks/migrations/"):
            found.append(f"copier.yml, `_migrations`: {script} is not a file in hooks/migrations/.")
        if script == GUARD:  # it only looks, and stops
            continue
        if not any(all(argument in line for argument in arguments) for line in by_hand):
            found.append(
                f"CHANGELOG.md, {version}: the migration of {' '.join(arguments)} has no "
                "manual steps. Write a line with `By hand:` that names these."
            )
    return found


def uncommitted_files(root: Path) -> list[str]:
    """Uncommitted files: a project that was rendered from them could never be updated."""
    changed = git(root, "status", "--porcelain").splitlines()
    if not changed:
        return []
    return [f"{len(changed)} files are not committed, for example {changed[0][3:]}. Commit them."]


def package_problems(root: Path, version: str, new: Questions) -> list[str]:
    """The platform package has the release's version, and the template its wheel."""
    project = tomllib.loads((root / "package" / "pyproject.toml").read_text(encoding="utf-8"))
    found = []
    if (own := project["project"]["version"]) != version:
        found.append(f"package/pyproject.toml, `version`: is {own}. Write {version}.")
    if (asked := new.all["platform_version"]["default"]) != version:
        found.append(f"copier.yml, `platform_version`: is {asked}. Write {version}.")
    return found or list(filter(None, [wheel.problem()]))


def ownership_problems(root: Path) -> list[str]:
    """The files that are generated from the list of file owners are up to date."""
    done = subprocess.run(
        [sys.executable, "-m", "hooks", "ownership", "--check"],
        cwd=root,
        env={**os.environ, **PYTHON_UTF8},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
        check=False,
    )
    if not done.returncode:
        return []
    stale = [line for line in done.stdout.splitlines() if line.strip()]
    return stale or [f"`hooks ownership --check` failed: {error_lines(done.stderr)}. Fix it."]


def example_problems(root: Path) -> list[str]:
    """The examples are identical to a fresh render."""
    found = []
    answers = yaml.safe_load((root / "examples" / "answers.yml").read_text(encoding="utf-8"))
    for name, given in answers.items():
        with tempfile.TemporaryDirectory() as scratch:
            fresh = _files(render(given, Path(scratch) / "fresh"))
        fresh.pop(".copier-answers.yml")
        folder = root / "examples" / name
        listed = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", ".")
        present = {file: (folder / file).read_bytes() for file in listed.split("\0") if file}
        differing = sorted(
            file for file in {*fresh, *present} if fresh.get(file) != present.get(file)
        )
        if differing:
            found.append(
                f"examples/{name}: {len(differing)} files are out of date, for example "
                f"{differing[0]}. Run `uv run python examples/render.py`."
            )
    return found


def _files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
