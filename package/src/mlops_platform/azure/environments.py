"""What the images in Azure hold: the packages of uv.lock, exported with hashes."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import NamedTuple

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import whole_file, whole_folder
from mlops_platform.delivery import platform_wheel
from mlops_platform.delivery.platform_wheel import VENDOR

GROUPS = ("team", "azure-jobs")
LETTERS = 12


class Exported(NamedTuple):
    """Each environment's folder, which Azure ML builds an image from, and the version of all."""

    folders: dict[str, Path]
    version: str


def version(root: Path) -> str:
    """The environments' version: the first 12 letters of the SHA-256 of uv.lock.

    Raises:
        UsageError: there is no uv.lock.
    """
    lock = root / "uv.lock"
    if not lock.is_file():
        raise UsageError(f"{lock}: there is no such file. Run `uv lock` and commit it.")
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:LETTERS]


def export(root: Path) -> Exported:
    """Write requirements.txt into each environment's folder, from uv.lock, with hashes.

    Raises:
        UsageError: uv is not there, or uv.lock does not fit pyproject.toml.
    """
    made = version(root)
    images = sorted((root / "pipelines" / "environments").glob("*/Dockerfile"))
    folders = {image.parent.name: image.parent for image in images}
    for folder in folders.values():
        # requirements.txt names the platform package's wheel beside itself.
        with whole_folder(folder / VENDOR) as scratch:
            wheels = platform_wheel.copy(root, scratch)
            with whole_file(folder / "requirements.txt") as requirements:
                _uv_export(root, requirements)
                exported = requirements.read_text(encoding="utf-8")
                requirements.write_text(platform_wheel.with_hash(exported, wheels), newline="\n")
    return Exported(folders, made)


def _uv_export(root: Path, target: Path) -> None:
    groups = [word for group in GROUPS for word in ("--group", group)]
    command = ["uv", "export", "--quiet", "--locked", "--no-default-groups", *groups]
    command += ["--no-emit-project", "--no-header", "--output-file", str(target.resolve())]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError(f"uv cannot be started: {error}. Install it, or add it to PATH.") from None
    if done.returncode != 0:
        raise UsageError(
            f"uv.lock cannot be exported: {done.stderr.strip()}\nRun `uv lock`, commit uv.lock, "
            "then try again."
        )
