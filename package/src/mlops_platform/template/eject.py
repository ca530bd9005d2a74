"""Copies the platform package into the project, for a team that must change its code."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_folder, write_text
from mlops_platform.delivery.platform_wheel import EJECTED

NAME = "mlops-platform"
PACKAGE = Path(__file__).resolve().parents[1]
TABLE = "[tool.uv.sources]"
SOURCE = f'{NAME} = {{ path = "{EJECTED.as_posix()}", editable = true }}'
DATE = re.compile(r"^# Ejected on (\d{4}-\d{2}-\d{2})", re.MULTILINE)


def eject(root: Path) -> Path:
    """Copy the installed package to `vendor/mlops-platform/`, and make uv install it from there.

    Raises:
        UsageError: it is already ejected, or pyproject.toml does not depend on it.
    """
    if (root / EJECTED).exists():
        raise UsageError(f"{EJECTED.as_posix()}: already exists. Change the code in it.")
    project = root / "pyproject.toml"
    text = project.read_text(encoding="utf-8") if project.is_file() else ""
    if NAME not in text:
        raise UsageError(
            f"{project}: does not depend on {NAME}. Run the command in the project's folder."
        )
    with atomic_folder(root / EJECTED) as scratch:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE, scratch / "src" / PACKAGE.name, ignore=ignored)
        write_text(scratch / "pyproject.toml", _pyproject())
    write_text(project, _with_source(text))
    return root / EJECTED


def date_of(root: Path) -> str | None:
    """The date of the ejection, YYYY-MM-DD; None if the package is not ejected."""
    if not (root / EJECTED).is_dir():
        return None
    project = root / EJECTED / "pyproject.toml"
    match = DATE.search(project.read_text(encoding="utf-8")) if project.is_file() else None
    return match[1] if match else "an unknown day"


def _with_source(text: str) -> str:
    """pyproject.toml with the folder as the package's source."""
    if re.search(rf"^{NAME} = \{{.*\}}$", text, re.MULTILINE):
        return re.sub(rf"^{NAME} = \{{.*\}}$", SOURCE, text, count=1, flags=re.MULTILINE)
    if TABLE in text:
        return text.replace(TABLE, f"{TABLE}\n{SOURCE}", 1)
    return text.replace("[tool.uv]\n", f"{TABLE}\n{SOURCE}\n\n[tool.uv]\n", 1)


def _pyproject() -> str:
    """The package's pyproject.toml, from the metadata of its wheel."""
    metadata = importlib.metadata.metadata(NAME)
    requirements = [f"  {_quoted(each)},\n" for each in metadata.get_all("Requires-Dist") or []]
    today = datetime.now(UTC).date()
    return (
        f"# Ejected on {today} from {NAME} {metadata['Version']}: updates of the template no "
        "longer\n# change this code. Back: docs/updating.md.\n"
        "[project]\n"
        f"name = {_quoted(NAME)}\n"
        f"version = {_quoted(metadata['Version'])}\n"
        f"requires-python = {_quoted(metadata['Requires-Python'])}\n"
        f"dependencies = [\n{''.join(requirements)}]\n\n"
        "[project.scripts]\n"
        'mlops = "mlops_platform.cli:main"\n\n'
        "[build-system]\n"
        'requires = ["hatchling"]\n'
        'build-backend = "hatchling.build"\n\n'
        "[tool.hatch.build.targets.wheel]\n"
        'packages = ["src/mlops_platform"]\n'
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
