"""Renders the template of this project with Copier, and reads the recorded answers."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml

ANSWERS = ".copier-answers.yml"
COPIER = "copier>=9.19,<10"


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
    return answers


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
        file.write_text(yaml.safe_dump(given_answers), encoding="utf-8")
        options = ["--quiet", "--defaults", "--vcs-ref", commit, "--data-file", str(file)]
        failures = []
        for command in _commands():
            process = _run(command, "copy", *options, source, str(folder))
            if process.returncode == 0:
                return
            failures.append(last_line(process))
        raise UsageError(
            f"version {commit} of the template cannot be rendered from {source}: "
            f"{'; '.join(dict.fromkeys(failures))}\n"
            "Check that you can reach it and that it has this version. If it has moved, tell "
            "git its new location: `git config --global url.NEW.insteadOf OLD`. For the check, a "
            "clone is enough: `uv run poe template-check --template PATH`."
        )


def run_copier(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Copier.

    Raises:
        UsageError: it is not installed.
    """
    return _run(_commands()[-1], *arguments, cwd=cwd)


def _commands() -> list[list[str]]:
    """The command for the Copier of this environment, whose version and hash uv.lock pins."""
    if importlib.util.find_spec("copier") is None:
        raise UsageError("Copier is not in this environment. Run `uv sync`, then try again.")
    return [[sys.executable, "-m", "copier"]]


def _run(
    command: list[str], *arguments: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [*command, *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    except OSError as error:
        raise UsageError(f"Copier cannot be started ({error}). Run `uv sync`.") from None


def last_line(process: subprocess.CompletedProcess[str]) -> str:
    """The last line of a failed command's output, which has Copier's message."""
    return (process.stderr.strip().splitlines() or ["no reason given"])[-1]
