"""Renders the working tree, without its git history, so that unfinished work can be tested."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import copier

ROOT = Path(__file__).parent.parent
PARTS = ("copier.yml", "includes", "template")


def render(answers: Mapping[str, Any], folder: Path) -> Path:
    """Render a project with these answers and the defaults, without trust."""
    with tempfile.TemporaryDirectory() as scratch:
        template = Path(scratch) / "copier-mlops"
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".mypy_cache", ".ruff_cache")
                shutil.copytree(source, template / part, ignore=ignored)
            else:
                template.mkdir(exist_ok=True)
                shutil.copy(source, template / part)
        copier.run_copy(
            str(template),
            folder,
            data=dict(answers),
            defaults=True,
            unsafe=False,
            quiet=True,
            overwrite=True,
        )
    return folder


def commit_all(folder: Path, message: str) -> None:
    """Make `folder` a git repository if it is none, and commit everything in it."""
    commands = [["git", "add", "--all"], ["git", "commit", "--quiet", "--message", message]]
    if not (folder / ".git").exists():
        commands.insert(0, ["git", "init", "--quiet", "--initial-branch", "main"])
    for command in commands:
        subprocess.run(command, cwd=folder, check=True)
