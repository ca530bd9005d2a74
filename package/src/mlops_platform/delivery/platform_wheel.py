"""The platform package as a wheel: for images, and for whoever installs the project."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from mlops_platform.core.errors import UsageError

VENDOR = Path("vendor")
EJECTED = VENDOR / "mlops-platform"


def copy(root: Path, folder: Path) -> list[Path]:
    """Put the wheel that the project uses into `folder`; none where it comes from a feed.

    Raises:
        UsageError: the ejected package cannot be built.
    """
    if not (root / EJECTED).is_dir():
        wheels = sorted((root / VENDOR).glob("*.whl"))
        return [Path(shutil.copyfile(wheel, folder / wheel.name)) for wheel in wheels]
    command = ["uv", "build", "--quiet", "--wheel", "--no-create-gitignore", "--out-dir"]
    try:
        done = subprocess.run(
            [*command, str(folder), str(root / EJECTED)],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise UsageError(f"uv cannot be started ({error}). Install uv.") from None
    if done.returncode != 0:
        raise UsageError(f"{EJECTED.as_posix()} cannot be built: {done.stderr.strip()}")
    return sorted(folder.glob("*.whl"))


def with_hash(requirements: str, wheels: list[Path]) -> str:
    """Requirements whose line for an ejected package is its wheel, with the wheel's hash.

    uv exports an editable package as a folder, which `pip --require-hashes` refuses.
    """
    pattern = rf"^-e (?:\./)?{re.escape(EJECTED.as_posix())}$"
    for wheel in wheels:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        line = rf"./{VENDOR.as_posix()}/{wheel.name} \\\n    --hash=sha256:{digest}"
        requirements = re.sub(pattern, line, requirements, flags=re.MULTILINE)
    return requirements
