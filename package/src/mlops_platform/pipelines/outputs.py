"""The outputs of a pipeline's runs: a folder per run, and `latest.txt`.

    outputs/<pipeline>/
      run-7/<step>/   a run that ended: all steps passed, or a gate stopped it
      run-8/<step>/
      latest.txt      the name of the last run whose steps all passed
      unfinished/     the run in progress, or what a stopped one left: the next run goes on there

`latest.txt` is a file with a name, not a symbolic link: Windows gives those to administrators only,
and a small file can be replaced in one operation everywhere. A reader sees one whole run or the
next, never a mixture of both.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import (
    atomic_folder,
    delete_folder,
    make_folder,
    move,
    write_text,
)
from mlops_platform.core.locks import exclusive

LATEST = "latest.txt"
UNFINISHED = "unfinished"
KEPT = 5  # runs; `latest` is kept in addition if it is older
RUN = re.compile(r"run-(\d+)")


def latest(home: Path) -> Path | None:
    """The folder of the last run in `home` whose steps all passed; None if there is none.

    Raises:
        UsageError: `latest.txt` names no run.
    """
    pointer = home / LATEST
    try:
        name = pointer.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    if not RUN.fullmatch(name) or not (home / name).is_dir():
        raise UsageError(
            f"{pointer}: names no run beside it: {name[:40]!r}. Delete the file and run again."
        )
    return home / name


def require_latest(home: Path) -> Path:
    """The folder of the last run in `home` whose steps all passed.

    Raises:
        UsageError: there is none.
    """
    run = latest(home)
    if run is None:
        raise UsageError(f"{home}: no run has passed yet. Run `uv run poe pipeline` first.")
    return run


def newest(home: Path) -> Path | None:
    """The folder of the last run in `home` that ended, also one that a gate stopped."""
    return max(_runs(home), key=_number, default=None)


def ended(home: Path) -> list[Path]:
    """The folders of all runs that ended and are kept, the oldest first."""
    return sorted(_runs(home), key=_number)


def superseded(home: Path) -> set[Path]:
    """Folders that no command reads: of older runs, and of a run that has not ended."""
    return {*_runs(home), home / UNFINISHED} - {newest(home), latest(home)}


def _runs(home: Path) -> list[Path]:
    return [path for path in home.glob("run-*") if RUN.fullmatch(path.name) and path.is_dir()]


def _number(run: Path) -> int:
    return int(run.name.partition("-")[2])


@dataclass(frozen=True)
class NewRun:
    """A run in progress; nobody else writes to its pipeline's outputs."""

    home: Path
    name: str

    @property
    def folder(self) -> Path:
        """Where its steps write until it ends."""
        return self.home / UNFINISHED

    @property
    def final(self) -> Path:
        """Where it will be."""
        return self.home / self.name

    def earlier(self, step: str) -> list[Path]:
        """Folders with an earlier result of a step, the best one first."""
        runs = (self.folder, newest(self.home), latest(self.home))
        folders = dict.fromkeys(run / step for run in runs if run is not None)
        return [folder for folder in folders if folder.is_dir()]

    def take(self, folder: Path) -> None:
        """Take over an earlier result of a step.

        Its files are hard links where the file system has them: unchanged data is stored once.
        """
        target = self.folder / folder.name
        if folder != target:
            with atomic_folder(target) as scratch:
                shutil.copytree(folder, scratch, copy_function=_link, dirs_exist_ok=True)

    def end(self, steps: set[str], *, passed: bool) -> Path:
        """Publish the run with these steps, and delete runs that are too old; returns its folder.

        A run that took over everything from the last one that passed is that run.
        """
        for path in self.folder.iterdir():
            if path.name not in steps:
                _delete(path)
        move(self.folder, self.final)
        if passed:
            write_text(self.home / LATEST, self.name + "\n")
        self._delete_old()
        return self.final

    def discard(self) -> None:
        """Delete the run."""
        _delete(self.folder)

    def _delete_old(self) -> None:
        runs = sorted(_runs(self.home), key=_number)
        for run in runs[:-KEPT]:
            if run != latest(self.home):
                with suppress(PermissionError):  # somebody reads it, on Windows: the next run does
                    _delete(run)


@contextmanager
def new_run(home: Path) -> Iterator[NewRun]:
    """Begin a run, or go on with one that was stopped.

    Raises:
        UsageError: another process runs this pipeline; the message names it.
    """
    with exclusive(home, f"the pipeline `{home.name}`"):
        for leftover in [*home.glob(".*/"), *home.glob(f"{UNFINISHED}/.*/")]:
            delete_folder(leftover)  # half a step, or half of a deleted run
        last = newest(home)
        run = NewRun(home, f"run-{_number(last) + 1 if last else 1}")
        make_folder(run.folder)
        try:
            yield run
        finally:
            if run.folder.is_dir() and not any(run.folder.iterdir()):
                run.folder.rmdir()


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # the file system has no hard links
        shutil.copy2(source, target)


def _delete(path: Path) -> None:
    """Delete a file or folder; half of a folder never keeps its name."""
    if path.is_dir():
        hidden = path.with_name(f".{path.name}")
        move(path, hidden)
        delete_folder(hidden)
    else:
        path.unlink()
