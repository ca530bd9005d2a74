"""The platform package as a wheel, for images and for installing the project."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from mlops_platform.core import programs
from mlops_platform.core.errors import UsageError

VENDOR = Path("vendor")
EJECTED = VENDOR / "mlops-platform"


def copy(root: Path, folder: Path) -> list[Path]:
    """Copy the wheel that the project uses into `folder`; none if it comes from a feed.

    Raises:
        UsageError: the ejected package cannot be built.
    """
    if not (root / EJECTED).is_dir():
        wheels = sorted((root / VENDOR).glob("*.whl"))
        return [Path(shutil.copyfile(wheel, folder / wheel.name)) for wheel in wheels]
    command = ["uv", "build", "--quiet", "--wheel", "--no-create-gitignore", "--out-dir"]
    process = programs.run([*command, str(folder), str(root / EJECTED)], root)
    if process.returncode != 0:
        raise UsageError(f"{EJECTED.as_posix()} cannot be built: {process.stderr.strip()}")
    return sorted(folder.glob("*.whl"))


def with_hash(requirements: str, wheels: list[Path]) -> str:
    """Replace the line of an ejected package in requirements by its wheel with its hash.

    uv exports an editable package as a folder, which `pip --require-hashes` rejects.
    """
    pattern = rf"^-e (?:\./)?{re.escape(EJECTED.as_posix())}$"
    for wheel in wheels:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        line = rf"./{VENDOR.as_posix()}/{wheel.name} \\\n    --hash=sha256:{digest}"
        requirements = re.sub(pattern, line, requirements, flags=re.MULTILINE)
    return requirements
