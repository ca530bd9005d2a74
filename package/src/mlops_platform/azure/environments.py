"""Exports the packages of uv.lock, with hashes, for the images in Azure."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import NamedTuple

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_file, atomic_folder, hash_path
from mlops_platform.delivery import platform_wheel
from mlops_platform.delivery.platform_wheel import EJECTED, VENDOR

GROUPS = ("team", "azure-jobs")
VERSION_LENGTH = 12


class ExportedEnvironments(NamedTuple):
    """The folder of each environment, from which Azure ML builds an image, and their version."""

    folders: dict[str, Path]
    version: str


def lock_version(root: Path) -> str:
    """The version of the environments: the first 12 characters of the SHA-256 of uv.lock.

    An ejected platform package is part of it.

    Raises:
        UsageError: there is no uv.lock.
    """
    lock = root / "uv.lock"
    if not lock.is_file():
        raise UsageError(f"{lock}: there is no such file. Run `uv lock` and commit it.")
    digest = hashlib.sha256(lock.read_bytes())
    if (root / EJECTED).is_dir():  # uv.lock names the folder, and not its content
        digest.update(hash_path(root / EJECTED).encode())
    return digest.hexdigest()[:VERSION_LENGTH]


def export(root: Path) -> ExportedEnvironments:
    """Write requirements.txt into each environment's folder, from uv.lock, with hashes.

    Raises:
        UsageError: uv is not installed, or uv.lock does not match pyproject.toml.
    """
    version = lock_version(root)
    images = sorted((root / "pipelines" / "environments").glob("*/Dockerfile"))
    folders = {image.parent.name: image.parent for image in images}
    for folder in folders.values():
        # requirements.txt names the platform package's wheel beside itself.
        with atomic_folder(folder / VENDOR) as scratch:
            wheels = platform_wheel.copy(root, scratch)
            with atomic_file(folder / "requirements.txt") as requirements:
                _uv_export(root, requirements)
                requirements_text = requirements.read_text(encoding="utf-8")
                requirements.write_text(
                    platform_wheel.with_hash(requirements_text, wheels), newline="\n"
                )
    return ExportedEnvironments(folders, version)


def _uv_export(root: Path, path: Path) -> None:
    groups = [option for group in GROUPS for option in ("--group", group)]
    command = ["uv", "export", "--quiet", "--locked", "--no-default-groups", *groups]
    command += ["--no-emit-project", "--no-header", "--output-file", str(path.resolve())]
    try:
        process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError(f"uv cannot be started: {error}. Install it, or add it to PATH.") from None
    if process.returncode != 0:
        raise UsageError(
            f"uv.lock cannot be exported: {process.stderr.strip()}\nRun `uv lock`, commit uv.lock, "
            "then try again."
        )
