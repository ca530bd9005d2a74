"""Renders the template of this project with Copier, and reads the recorded answers."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mlops_platform.core import git, programs
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml

ANSWERS = ".copier-answers.yml"
# `https:`, `git@host:`, `gh:`; one letter before the colon is a drive of Windows.
URL = re.compile(r"[^/\\]{2,}:")


def read_answers(root: Path) -> dict[str, Any]:
    """Read the recorded answers of the project, with `_src_path` and `_commit`.

    Raises:
        UsageError: the file is missing, or does not name the template.
    """
    path = root / ANSWERS
    if not path.is_file():
        raise UsageError(
            f"{path}: is missing, so the template of this project is unknown. Restore it from git."
        )
    answers = read_yaml(path)
    for field in ("_src_path", "_commit"):
        if not answers.get(field):
            raise UsageError(f"{path}, field `{field}`: is missing. Restore the file from git.")
    return answers | {"_src_path": _absolute(str(answers["_src_path"]), path)}


def is_url(source: str) -> bool:
    """Whether a template or project is given by a URL, not by a folder."""
    return URL.match(source) is not None


def _absolute(source: str, answers: Path) -> str:
    """The template's address from any folder; releases before 2.0.0 recorded it as it was typed.

    Raises:
        UsageError: no folder is there from the project's.
    """
    folder = Path(source).expanduser()
    if is_url(source) or folder.is_absolute():
        return source
    found = (answers.parent / folder).resolve()
    if not found.exists():
        raise UsageError(
            f"{answers}, field `_src_path`: {source!r} is a path from another folder. Write the "
            "template's URL, or its absolute path, and commit."
        )
    return str(found)


def render_pristine(answers: dict[str, Any], folder: Path, template: str | None = None) -> None:
    """Render the recorded version with the recorded answers into `folder`.

    `template` is the location of the template, instead of the recorded one.

    Raises:
        UsageError: it cannot be reached, or has no such version.
    """
    source, commit = template or str(answers["_src_path"]), str(answers["_commit"])
    given_answers = {key: value for key, value in answers.items() if not key.startswith("_")}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "answers.yml"
        file.write_text(yaml.safe_dump(given_answers), encoding="utf-8", newline="\n")
        options = ["--quiet", "--defaults", "--vcs-ref", commit, "--data-file", str(file)]
        process = _run("copy", *options, source, str(folder))
    if process.returncode != 0:
        raise UsageError(
            f"version {commit} of the template cannot be rendered from {source}: "
            f"{last_line(process)}\n"
            "Check that you can reach it and that it has this version. If it has moved, tell "
            "git its new location: `git config --global url.NEW.insteadOf OLD`. For the check, a "
            "clone is enough: `uv run poe template-check --template PATH`."
        )


def run_copier(
    *arguments: str, cwd: Path, settings: Mapping[str, str], variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run Copier.

    Its git gets the settings and variables.

    Raises:
        UsageError: it is not installed.
    """
    surroundings = git.environment(settings=settings) | dict(variables)
    return _run(*arguments, cwd=cwd, environment=surroundings)


def _run(
    *arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the Copier of this environment, whose version and hash uv.lock pins."""
    if importlib.util.find_spec("copier") is None:
        raise UsageError("Copier is not in this environment. Run `uv sync`, then try again.")
    return programs.run(
        [sys.executable, "-m", "copier", *arguments],
        cwd or Path.cwd(),
        environment={**(environment or git.environment()), **programs.PYTHON_UTF8},
    )


def last_line(process: subprocess.CompletedProcess[str]) -> str:
    """The last line of a failed command's output, which has Copier's message."""
    return (process.stderr.strip().splitlines() or ["no reason given"])[-1]
