"""The work for one project: report its state, or create the branch with the update.

All work happens in a scratch clone of the last commit. In the project itself only git objects and
one new branch are written. Work tree, index, stash and checked-out branch stay unchanged.
"""

import functools
import os
import signal
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

from mlops_platform.core.files import delete_folder
from mlops_platform.template.changelog import git_url
from mlops_platform.template.rendering import is_url

from hooks.fleet import clones, pull_requests, speed
from hooks.fleet.rehearsal import Scratch
from hooks.fleet.rows import Row, read_gates
from hooks.projects import (
    COPIER,
    HookError,
    RecordedAnswers,
    Template,
    git,
    open_template,
    without_secrets,
)

_home = Path()  # this worker's own folder


@dataclass(frozen=True)
class Task:
    """One project of the list: its address, the wanted release, and the folder for clones.

    `push` sends the branch to origin, and `pull_request` asks for its review there.
    """

    place: str
    version: str | None
    push: bool
    clones: Path
    pull_request: bool = False


@dataclass(frozen=True)
class Project:
    """A readable project: its repository, last commit, answers and template; its first row."""

    folder: Path
    commit: str
    recorded: RecordedAnswers
    template: Template
    push: bool
    row: Row
    pull_request: bool = False

    def is_current(self) -> bool:
        """Whether the project has the wanted release, or a later commit of the template."""
        return _contains(self.template, self.recorded.commit, self.row.newest)

    def scratch(self) -> Scratch:
        """A fresh clone of the project's last commit."""
        rules = self.template.owner_rules(self.recorded.commit)
        for name in ("clone", "pristine"):  # of the project before
            delete_folder(_home / name)
        scratch = Scratch(_home / "clone", _home / "pristine", self.recorded, rules)
        scratch.fill(self.folder, self.commit)
        return scratch


def start(folder: Path) -> None:
    """Prepare a worker: its own caches and scratch folders, no input, no output."""
    global _home  # noqa: PLW0603
    _home = folder
    for name in ("copier", "templates", "tmp"):
        (folder / name).mkdir()
    os.environ["COPIER_CACHE_DIR"] = str(folder / "copier")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder / "tmp")  # removed even after a kill
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # nobody answers; the output of a migration is not part of the result
        os.dup2(nowhere, stream)
    speed.prepare()


def status(task: Task) -> Row:
    """A project's state. Errors become a row with the reason."""
    return _guarded(task, _status)


def update(task: Task) -> Row:
    """Create a project's branch with the update committed. Errors become a row with the reason."""
    return _guarded(task, _update)


def killed(task: Task) -> Row:
    """The row of a project whose worker was killed."""
    note = "its worker was killed, perhaps it ran out of memory. Run the command again."
    return replace(_unknown(task), note=note)


def _unknown(task: Task) -> Row:
    return Row(without_secrets(task.place), clones.name_from_address(task.place))


def _guarded(task: Task, work: Callable[[Project], Row]) -> Row:
    started = time.perf_counter()
    row = _unknown(task)
    try:
        with redirect_stderr(StringIO()):
            project = _open(task)
            row = project.row
            row = work(project)
    except Exception as error:  # an error in one project must not stop the others
        row = replace(row, state="failed", note=_reason(error))
    return replace(row, seconds=round(time.perf_counter() - started, 2))


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


def _open(task: Task) -> Project:
    """The first step of both commands."""
    folder = clones.repository(task.place, task.clones)
    commit = clones.head(folder)
    recorded = clones.answers(folder, commit)
    template = _template(recorded.source)
    row = replace(
        _unknown(task),
        name=recorded.text("project_name") or folder.name,
        folder=str(folder),
        template=without_secrets(recorded.source),
        version=recorded.commit,
        newest=template.release(task.version),
        team=recorded.text("team"),
        contact=recorded.text("user_email"),
    )
    return Project(folder, commit, recorded, template, task.push, row, task.pull_request)


@functools.cache
def _template(source: str) -> Template:
    """A template, opened once per process; Copier reads the same mirror."""
    template = open_template(source, _home / "templates")
    if is_url(source):
        speed.set_git_config(f"url.{template.repository}.insteadOf", git_url(source))
    return template


@functools.cache
def _contains(template: Template, revision: str, release: str) -> bool:
    return template.contains(revision, release)


def _status(project: Project) -> Row:
    behind = not project.is_current()
    scratch = project.scratch()
    row = replace(
        project.row,
        state="behind" if behind else "current",
        stage=clones.stage(project.folder, project.commit),
        gates=read_gates(project.folder / "outputs"),
        drift=scratch.drift(),
    )
    notes = []
    if marked := scratch.files_with_markers():
        notes.append(f"conflict markers are committed in {', '.join(marked)}")
    elif behind:
        rehearsal = scratch.update(row.newest)
        row = replace(row, conflicts=rehearsal.conflicts)
        notes.append(rehearsal.problems())
    if row.drift:
        notes.append(
            "managed files differ: `uv run poe template-check` there lists them and writes the "
            "patch that restores them"
        )
    if clones.dirty(project.folder):
        notes.append("changes are not committed")
    if note := "; ".join(filter(None, notes)):
        row = replace(row, state="by hand", note=note)
    return row


def _update(project: Project) -> Row:
    folder, row = project.folder, project.row
    branch = f"copier-update-{row.newest}"
    if project.is_current():
        return replace(row, state="current")
    if existing := clones.existing_update(folder, branch, row.newest):
        if project.push and existing == branch:  # perhaps an earlier push failed
            _push(folder, branch)
        return _asked(project, replace(row, state="there already", branch=existing))
    if clones.dirty(folder):
        note = "changes are not committed. Commit or stash them, then run the command again."
        return replace(row, state="by hand", note=note)
    scratch = project.scratch()
    rehearsal = scratch.update(row.newest)
    if problems := rehearsal.problems():
        by_hand = f"git switch -c {branch}; {COPIER} update --defaults --vcs-ref {row.newest}"
        note = f"{problems}. Nothing was changed. In {folder} run: {by_hand}"
        return replace(row, state="by hand", conflicts=rehearsal.conflicts, note=note)
    message = f"Update the template from {project.recorded.commit} to {row.newest}"
    git(scratch.clone, "add", "--all")
    git(scratch.clone, "commit", "--quiet", "--no-verify", "--message", message)
    quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    local = {"protocol.file.allow": "always"}
    place = str(scratch.clone)
    git(folder, "fetch", *quiet, "--", place, f"HEAD:refs/heads/{branch}", settings=local)
    if project.push:
        _push(folder, branch)
    return _asked(project, replace(row, state="updated", branch=branch))


def _asked(project: Project, row: Row) -> Row:
    """The row with the pull request of its branch, which is at origin."""
    if not project.pull_request:
        return row
    title = f"Update to {row.newest} of the template"
    branch = row.branch.removeprefix("origin/")
    try:
        address = pull_requests.ask(
            project.folder, branch, title, team=row.team, contact=row.contact
        )
    except HookError as error:
        note = f"{branch} is at origin, but has no pull request. {error} Run the command again."
        return replace(row, state="by hand", note=without_secrets(note))
    return replace(row, pull_request=address)


def _push(folder: Path, branch: str) -> None:
    reference = f"refs/heads/{branch}"
    git(folder, "push", "--quiet", "--no-verify", "origin", f"{reference}:{reference}")
