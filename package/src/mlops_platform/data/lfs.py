"""Tells data from the pointer that Git LFS leaves where it has not fetched a file."""

from __future__ import annotations

from pathlib import Path

from mlops_platform.core.errors import UsageError

POINTER = b"version https://git-lfs.github.com/spec/v1"


def require_content(path: Path) -> None:
    """Refuse a pointer of Git LFS.

    Raises:
        UsageError: the file is one; the message says how to get the data.
    """
    with path.open("rb") as file:
        if file.read(len(POINTER)) == POINTER:
            raise UsageError(
                f"{path}: is a pointer of Git LFS, its data is not on this machine. Run "
                "`git lfs pull`; in CI, let the checkout fetch LFS files."
            )
