"""Exports the packages of uv.lock, with hashes, for an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops_platform.core.files import atomic_folder, write_text
from mlops_platform.delivery import lock, platform_wheel
from mlops_platform.delivery.platform_wheel import VENDOR


def export(root: Path, folder: Path, groups: Sequence[str]) -> None:
    """Write requirements.txt, and the platform package's wheel that it names, into a folder.

    Raises:
        UsageError: uv is not installed, or uv.lock does not match pyproject.toml.
    """
    with atomic_folder(folder / VENDOR) as scratch:
        wheels = platform_wheel.copy(root, scratch)
        text = lock.export(root, groups, "--no-emit-project", "--no-header")
        write_text(folder / "requirements.txt", platform_wheel.with_hash(text, wheels))
