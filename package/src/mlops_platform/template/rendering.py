"""The template that this project follows: what was answered, and Copier, which renders it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml

ANSWERS = ".copier-answers.yml"
COPIER = "copier>=9.19,<10"


def recorded_in(root: Path) -> dict[str, Any]:
    """What Copier recorded of the project: its answers, `_src_path` and `_commit`.

    Raises:
        UsageError: the file is missing or does not say which template it is.
    """
    path = root / ANSWERS
    if not path.is_file():
        raise UsageError(
            f"{path}: is missing, so nobody knows which template this project follows. "
            "Bring it back from git."
        )
    recorded = read_yaml(path)
    for field in ("_src_path", "_commit"):
        if not recorded.get(field):
            raise UsageError(f"{path}, field `{field}`: is missing. Bring the file back from git.")
    return recorded


def pristine_of(recorded: dict[str, Any], folder: Path, template: str | None = None) -> None:
    """Render the recorded version with the recorded answers into `folder`.

    `template` is where the template lies, in place of what was recorded.

    Raises:
        UsageError: it cannot be reached, or has no such version.
    """
    source, commit = template or str(recorded["_src_path"]), str(recorded["_commit"])
    answers = {key: value for key, value in recorded.items() if not key.startswith("_")}
    with tempfile.TemporaryDirectory() as scratch:
        given = Path(scratch) / "answers.yml"
        given.write_text(yaml.safe_dump(answers), encoding="utf-8")
        options = ["--quiet", "--defaults", "--vcs-ref", commit, "--data-file", str(given)]
        tried = []
        for command in _commands():
            done = _run(command, "copy", *options, source, str(folder))
            if done.returncode == 0:
                return
            tried.append(reason(done))
        raise UsageError(
            f"version {commit} of the template cannot be rendered from {source}: "
            f"{'; '.join(dict.fromkeys(tried))}\n"
            "Check that you can reach it and that it has this version. Where it has moved, tell "
            "git its new place: `git config --global url.NEW.insteadOf OLD`. For a check alone a "
            "clone will do: `uv run poe template-check --template PATH`."
        )


def copier(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Copier: the one on PATH, else the newest that uv brings.

    Raises:
        UsageError: there is neither.
    """
    return _run(_commands()[-1], *arguments, cwd=cwd)


def _commands() -> list[list[str]]:
    """The ways to Copier. What uv has needs no network, and half a second less than the newest."""
    if found := shutil.which("copier"):
        return [[found]]
    return [["uvx", *kept, "--from", COPIER, "copier"] for kept in (["--offline"], [])]


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
        raise UsageError(f"Copier cannot be started ({error}). Install uv, or Copier.") from None


def reason(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that a failed command left: Copier's message stands there."""
    return (done.stderr.strip().splitlines() or ["no reason given"])[-1]
