"""Lists the files that scanners read: files in git, and outputs of the pipelines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mlops_platform.core import git
from mlops_platform.pipelines.outputs import superseded

OUTPUT_SUFFIXES = {".csv", ".json", ".jsonl", ".log", ".md", ".txt"}


def list_git_files(root: Path) -> list[Path] | None:
    """Tracked files, and untracked files that are not ignored; None without a git repository."""
    try:
        listed = git.names(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except git.GitError:
        return None
    paths = sorted(Path(name) for name in listed)
    return [path for path in paths if (root / path).is_file()]


def list_output_files(root: Path, outputs: Path) -> Iterator[Path]:
    """Evidence, rows and logs of the last runs, relative to `root`; no models and no reports."""
    old = {folder for home in outputs.glob("*/") for folder in superseded(home)}
    for path in sorted(outputs.rglob("*")):
        if path.is_file() and path.suffix in OUTPUT_SUFFIXES and old.isdisjoint(path.parents):
            yield Path(os.path.relpath(path, root))
