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
WHEEL = Path("template", "[% if vendored %]vendor[% endif %]")


def copy_template(folder: Path, *, small: bool = False) -> Path:
    """Copy what Copier reads of the template into `folder`, without git.

    A small one, without the platform package's wheel, is for tests that render again and again and
    run nothing in the project.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ignored = shutil.ignore_patterns("__pycache__", ".mypy_cache", ".ruff_cache")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, folder / part)
    if small:
        shutil.rmtree(folder / WHEEL)
    return folder


def render(answers: Mapping[str, Any], folder: Path, *, small: bool = False) -> Path:
    """Render a project with these answers and the defaults, without trust."""
    with tempfile.TemporaryDirectory() as scratch:
        copier.run_copy(
            str(copy_template(Path(scratch) / "copier-mlops", small=small)),
            folder,
            data=dict(answers),
            defaults=True,
            unsafe=False,
            quiet=True,
            overwrite=True,
        )
    return folder


def commit_all(folder: Path, message: str) -> None:
    """Make `folder` a git repository if it is none, and commit all that has changed, or nothing."""
    commands = [
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--allow-empty", "--message", message],
    ]
    if not (folder / ".git").exists():
        commands.insert(0, ["git", "init", "--quiet", "--initial-branch", "main"])
    for command in commands:
        subprocess.run(command, cwd=folder, check=True)
