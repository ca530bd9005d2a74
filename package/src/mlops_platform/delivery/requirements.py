"""Exports the packages of uv.lock, with hashes, for an image."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_file, atomic_folder
from mlops_platform.delivery import platform_wheel
from mlops_platform.delivery.platform_wheel import VENDOR


def export(root: Path, folder: Path, groups: Sequence[str]) -> None:
    """Write requirements.txt, and the platform package's wheel that it names, into a folder.

    Raises:
        UsageError: uv is not installed, or uv.lock does not match pyproject.toml.
    """
    with atomic_folder(folder / VENDOR) as scratch:
        wheels = platform_wheel.copy(root, scratch)
        with atomic_file(folder / "requirements.txt") as path:
            _uv_export(root, path, groups)
            text = path.read_text(encoding="utf-8")
            path.write_text(platform_wheel.with_hash(text, wheels), encoding="utf-8", newline="\n")


def _uv_export(root: Path, path: Path, groups: Sequence[str]) -> None:
    options = [option for group in groups for option in ("--group", group)]
    command = ["uv", "export", "--quiet", "--locked", "--no-default-groups", *options]
    command += ["--no-emit-project", "--no-header", "--output-file", str(path.resolve())]
    try:
        process = subprocess.run(
            command,
            cwd=root,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
    except OSError as error:
        raise UsageError(f"uv cannot be started: {error}. Install it, or add it to PATH.") from None
    if process.returncode != 0:
        raise UsageError(
            f"uv.lock cannot be exported: {process.stderr.strip()}\nRun `uv lock`, commit uv.lock, "
            "then try again."
        )
