"""What one worker of hooks/fleet.py does with one project: look at it, or make its branch.

All work happens in a scratch clone of what is committed. In the project itself only objects and
one new branch are written: work tree, index, stash and checked-out branch are never touched.
"""

import functools
import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

from hooks import fleet_clones, fleet_speed
from hooks.fleet_scratch import Scratch
from hooks.fleet_state import Row, gates_of
from hooks.projects import (
    COPIER,
    HookError,
    Recorded,
    Template,
    git,
    git_url,
    is_url,
    template,
    without_secrets,
)

_home = Path()  # this worker's own folder


@dataclass(frozen=True)
class Found:
    """A project that can be worked on: its repository, last commit and answers; a first row."""

    folder: Path
    commit: str
    known: Recorded
    origin: Template
    push: bool
    row: Row

    def is_current(self) -> bool:
        """Whether the project has the wanted release, or a later commit of the template."""
        return _holds(self.origin, self.row.newest, self.known.commit)

    def scratch(self) -> Scratch:
        """A fresh clone of the project's last commit."""
        scratch = Scratch(_home / "clone", _home / "pristine", self.known)
        scratch.fill(self.folder, self.commit)
        return scratch


@dataclass(frozen=True)
class Task:
    """One project of the list: where it is, what is wanted, and where clones are kept."""

    place: str
    version: str | None
    push: bool
    clones: Path


def start(folder: Path) -> None:
    """Prepare a worker: caches and scratch of its own, and nobody to ask."""
    global _home  # noqa: PLW0603
    _home = folder
    for name in ("copier", "templates", "tmp"):
        (folder / name).mkdir()
    os.environ["COPIER_CACHE_DIR"] = str(folder / "copier")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder / "tmp")  # removed even after a kill
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # nobody answers; what a migration prints is no part of our result
        os.dup2(nowhere, stream)
    fleet_speed.prepare()


@functools.cache
def _template(source: str) -> Template:
    """A template, looked at once a process; Copier reads what was fetched then."""
    found = template(source, _home / "templates")
    if is_url(source):
        fleet_speed.tell_copiers_git(f"url.{found.repository}.insteadOf", git_url(source))
    return found


@functools.cache
def _holds(origin: Template, release: str, revision: str) -> bool:
    return origin.holds(release, revision)


def look(task: Task) -> Row:
    """A project's state. Errors are a row with the reason."""
    return _guarded(task, _look)


def update(task: Task) -> Row:
    """Make a project's branch with the update committed. Errors are a row with the reason."""
    return _guarded(task, _update)


def killed(task: Task) -> Row:
    """The row of a project whose worker is gone."""
    note = "its worker was killed, perhaps for want of memory. Call fleet.py again."
    return replace(_unknown(task), note=note)


def _unknown(task: Task) -> Row:
    return Row(without_secrets(task.place), fleet_clones.name_of(task.place))


def _guarded(task: Task, work: Callable[[Found], Row]) -> Row:
    began = time.perf_counter()
    row = _unknown(task)
    try:
        with redirect_stderr(StringIO()):
            found = _open(task)
            row = found.row
            row = work(found)
    except Exception as error:  # one project's fault must not end the others
        row = replace(row, state="failed", note=_reason(error))
    finally:
        for name in ("clone", "pristine"):
            shutil.rmtree(_home / name, ignore_errors=True)
    return replace(row, seconds=round(time.perf_counter() - began, 2))


def _reason(error: Exception) -> str:
    """One line for a row, without secrets."""
    name = type(error).__name__
    if name == "UnsafeTemplateError":
        text = f"the update crosses a migration, which asks for trust. Run: {COPIER} update --trust"
    elif isinstance(error, HookError) or name == "UserMessageError":
        text = str(error)
    else:
        text = f"{name}: {error}"
    return without_secrets(" ".join(text.split()))


def _open(task: Task) -> Found:
    """What both commands begin with."""
    folder = fleet_clones.repository(task.place, task.clones)
    commit = fleet_clones.head(folder)
    known = fleet_clones.answers(folder, commit)
    origin = _template(known.source)
    row = replace(
        _unknown(task),
        name=known.text("project_name") or folder.name,
        folder=str(folder),
        template=without_secrets(known.source),
        version=known.commit,
        newest=origin.release(task.version),
        team=known.text("team"),
        contact=known.text("user_email"),
    )
    return Found(folder, commit, known, origin, task.push, row)


def _look(found: Found) -> Row:
    behind = not found.is_current()
    scratch = found.scratch()
    row = replace(
        found.row,
        state="behind" if behind else "current",
        stage=fleet_clones.stage(found.folder, found.commit),
        gates=gates_of(found.folder / "outputs"),
        drift=scratch.drift(),
    )
    notes = []
    if marked := scratch.marked():
        notes.append(f"conflict markers are committed in {', '.join(marked)}")
    elif behind:
        rehearsal = scratch.update(row.newest)
        row = replace(row, conflicts=rehearsal.conflicts)
        notes.append(rehearsal.fault())
    if row.drift:
        notes.append(
            "managed files differ: `uv run poe template-check` there names them and writes the "
            "patch that heals them"
        )
    if fleet_clones.dirty(found.folder):
        notes.append("changes are not committed")
    if note := "; ".join(filter(None, notes)):
        row = replace(row, state="by hand", note=note)
    return row


def _update(found: Found) -> Row:
    folder, row = found.folder, found.row
    branch = f"copier-update-{row.newest}"
    if found.is_current():
        return replace(row, state="current")
    if done := fleet_clones.finished(folder, branch, row.newest):
        if found.push and done == branch:  # perhaps an earlier push did not come through
            _push(folder, branch)
        return replace(row, state="there already", branch=done)
    if fleet_clones.dirty(folder):
        note = "changes are not committed. Commit or stash them, then call fleet.py again."
        return replace(row, state="by hand", note=note)
    scratch = found.scratch()
    rehearsal = scratch.update(row.newest)
    if fault := rehearsal.fault():
        by_hand = f"git switch -c {branch} && {COPIER} update --defaults --vcs-ref {row.newest}"
        note = f"{fault}. Nothing was changed. In {folder} run: {by_hand}"
        return replace(row, state="by hand", conflicts=rehearsal.conflicts, note=note)
    message = f"Update the template from {found.known.commit} to {row.newest}"
    git(scratch.clone, "add", "--all")
    git(scratch.clone, "commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", message)
    quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
    git(folder, "fetch", *quiet, "--", str(scratch.clone), f"HEAD:refs/heads/{branch}")
    if found.push:
        _push(folder, branch)
    return replace(row, state="updated", branch=branch)


def _push(folder: Path, branch: str) -> None:
    reference = f"refs/heads/{branch}"
    git(folder, "push", "--quiet", "--no-verify", "origin", f"{reference}:{reference}")
