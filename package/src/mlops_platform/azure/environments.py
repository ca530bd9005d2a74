"""Exports the packages of uv.lock, with hashes, for the images in Azure."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import hash_path, write_text
from mlops_platform.delivery import requirements, sbom
from mlops_platform.delivery.platform_wheel import EJECTED

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

    Beside it is the bill of materials, which goes into the image, too.

    Raises:
        UsageError: uv is not installed, or uv.lock does not match pyproject.toml.
    """
    version = lock_version(root)
    images = sorted((root / "pipelines" / "environments").glob("*/Dockerfile"))
    folders = {image.parent.name: image.parent for image in images}
    for folder in folders.values():
        requirements.export(root, folder, GROUPS)
        write_text(folder / sbom.FILE, sbom.build(root, GROUPS))
    return ExportedEnvironments(folders, version)
