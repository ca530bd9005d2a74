"""The files that leave this machine or lie about on it: what git keeps, and what runs left."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

LEFT = {".csv", ".json", ".jsonl", ".log", ".md", ".txt"}


def in_git(root: Path) -> list[Path] | None:
    """Files that git keeps or would keep, relative to `root`; None where git does not know it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    listed = sorted({Path(name) for name in done.stdout.decode().split("\0") if name})
    return [path for path in listed if (root / path).is_file()]


def left_by_runs(root: Path, outputs: Path) -> Iterator[Path]:
    """Evidence, rows and logs of the pipelines, relative to `root`; no models, no pages."""
    for path in sorted(outputs.rglob("*")):
        if path.is_file() and path.suffix in LEFT:
            yield Path(os.path.relpath(path, root))
