"""Updates the project from its template, and reports what Copier does not report.

Copier ends with exit code 0 if files have conflicts, deletes a file that an answer turns off, even
if the team edited it, and overwrites files that git ignores. So the update is tried in a copy first
(scratch.py): conflicts are a failure, edited files stay, and nothing unknown to git is overwritten.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mlops_platform.core import git
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.text import pluralize
from mlops_platform.template.ownership import owner_of, rules
from mlops_platform.template.rendering import (
    ANSWERS,
    last_line,
    read_answers,
    render_pristine,
)
from mlops_platform.template.scratch import Change, Scratch

RESOLVE_CONFLICTS = (
    "Choose between the lines above and below `=======` in each, `git add` it, then commit."
)
# Rendered into the team's own files, which no update touches.
FIXED_ANSWERS = {
    "project_name": "files of your own contain it",
    "project_slug": "files of your own contain it",
    "package_name": "your own modules import it",
    "task": "your data, model and tests depend on it",
    "regulated": "it only sets the first value of `regulated` in conf/project.yml: change it there",
}


class UpdateResult(NamedTuple):
    """The result of an update.

    `kept` are files that the template no longer has, but that the team edited. `answers` are those
    that changed without a request: Copier silently uses the default then. `own` are the team's
    files in which a changed answer makes a difference that no update carries out; None if the
    release no longer accepts the old answer, so that it cannot be told.
    """

    before: str
    after: str
    changed: int
    deleted: list[str]
    kept: list[str]
    conflicts: list[str]
    answers: list[str]
    own: list[str] | None


def update(
    root: Path, data: list[str], to: str | None = None, *, trust: bool = False
) -> UpdateResult:
    """Update the project in `root` to the release `to` (default: the newest), without questions.

    `data` are answers to change, each NAME=VALUE. With `trust`, migrations of the template may run.

    Raises:
        UsageError: there is uncommitted work, an answer cannot be changed, a file that git does not
            know is in the way, or Copier fails; the project stays unchanged then.
    """
    require_clean(root)
    answers = read_answers(root)
    given = _parse_data(data, answers)
    with tempfile.TemporaryDirectory() as folder:
        pristine = Path(folder) / "pristine"
        render_pristine(answers, pristine)
        scratch = Scratch(root, Path(folder) / "project")
        scratch.fill(_with_absolute_source(root, answers))
        _run_copier(scratch, data, to, trust=trust)
        new_answers = read_answers(scratch.folder)
        if unknown := sorted(given - new_answers.keys()):
            known = ", ".join(sorted(name for name in new_answers if not name.startswith("_")))
            raise UsageError(
                f"--data {unknown[0]}: {new_answers['_commit']} has no such question, nothing was "
                f"changed. Its questions: {known}."
            )
        found = scratch.changes()
        kept = [each for each in found if each.kind == "D" and _is_edited(each, scratch, pristine)]
        changes = [each for each in found if each not in kept]
        if obstacles := scratch.obstacles(changes):
            raise UsageError(
                f"{', '.join(map(git.shown, obstacles))}: the template adds a file there, and git "
                "does not know yours, so it would be lost. Nothing was changed. Move it away or "
                f"commit it (`git add --force {git.shown(obstacles[0])}`), then update."
            )
        result = UpdateResult(
            before=str(answers["_commit"]),
            after=str(new_answers["_commit"]),
            changed=len(changes),
            deleted=[each.path for each in changes if each.kind == "D"],
            kept=[each.path for each in kept],
            conflicts=scratch.conflicts(),
            answers=[
                f"{name}: {value!r} became {new_answers[name]!r}"
                for name, value in answers.items()
                if not name.startswith("_")
                and new_answers.get(name, value) != value
                and name not in given
            ],
            own=_not_carried_out(answers, new_answers, given, scratch, changes),
        )
        scratch.transfer(changes)
    return result


def describe(result: UpdateResult) -> list[str]:
    """Describe each change that the changed files do not show, one per line."""
    reason = "the template does not have it with your answers"
    own = ["some files"] if result.own is None else result.own
    return [
        *(f"deleted: {path}; {reason}" for path in result.deleted),
        *(f"kept: {path}; {reason}, but you edited it" for path in result.kept),
        *(f"answer {changed}; set it back with --data" for changed in result.answers),
        *(f"not changed: {path}; it is yours, and depends on your answer" for path in own),
    ]


def raise_for_conflicts(result: UpdateResult) -> None:
    """Raise GateError if the update left conflicts; the message says how to resolve them."""
    if result.conflicts:
        files = pluralize(len(result.conflicts), "file")
        raise GateError(
            f"{files} with conflicts: {', '.join(result.conflicts)}. {RESOLVE_CONFLICTS}"
        )


def require_clean(root: Path) -> None:
    """Check that everything in the project is committed: an update would be mixed with the rest.

    Other folders of a monorepo may have changes.
    """
    try:
        uncommitted = git.text(root, "status", "--porcelain", "--untracked-files=all", "--", ".")
    except git.GitError as error:
        if "not a git repository" in str(error):
            raise UsageError(
                f"{root}: is not in a git repository, and an update is merged with git. "
                "Run `git init`, commit the project as it is, then update."
            ) from None
        raise
    if conflicts := git.names(
        root, "diff-files", "--name-only", "--diff-filter=U", "-z", "--", "."
    ):
        raise UsageError(
            "conflicts of the last update are open in "
            f"{', '.join(map(git.shown, conflicts))}. {RESOLVE_CONFLICTS}"
        )
    if uncommitted:
        raise UsageError(
            "there is uncommitted work, which an update would be mixed with. "
            "Commit or stash it, then update."
        )
    try:
        git.run(root, "rev-parse", "--verify", "--quiet", "HEAD:./")
    except git.GitError:
        raise UsageError(f"{root}: has no commit yet. Commit the project, then update.") from None
    entries = git.names(root, "ls-files", "-v", "-z")
    if hidden := [entry[2:] for entry in entries if entry[:1].islower() or entry[:1] == "S"]:
        name = git.shown(hidden[0])
        raise UsageError(
            f"{name}: git ignores changes of it, so your edit could be lost. "
            f"`git update-index --no-assume-unchanged --no-skip-worktree {name}`, then update."
        )


def _with_absolute_source(root: Path, answers: dict[str, Any]) -> str | None:
    """The answers file with the template's absolute address; None if it has that already."""
    text = (root / ANSWERS).read_text(encoding="utf-8")
    if yaml.safe_load(text)["_src_path"] == answers["_src_path"]:
        return None
    return yaml.safe_dump(answers, sort_keys=False)


def _run_copier(scratch: Scratch, data: list[str], to: str | None, *, trust: bool) -> None:
    options = [part for given in data for part in ("--data", given)]
    options += ["--vcs-ref", to] if to else []
    options += ["--trust"] if trust else []
    process = scratch.copier("update", "--quiet", "--defaults", *options)
    if process.returncode != 0:
        reason = last_line(process)
        if "--trust" in reason:
            reason = (
                "this release runs a script of the template, which needs your trust. Read its "
                "changelog, then run `uv run poe template-update --trust`."
            )
        raise UsageError(f"Copier cannot update, nothing was changed: {reason}")


def _not_carried_out(
    before: dict[str, Any],
    after: dict[str, Any],
    given: set[str],
    scratch: Scratch,
    changes: list[Change],
) -> list[str] | None:
    """Files that a changed answer changes in a new project, but that an update leaves alone."""
    old = {name: before[name] for name in given if before.get(name, after[name]) != after[name]}
    if not old:
        return []
    with tempfile.TemporaryDirectory() as folder:
        sides = [Path(folder) / side for side in ("before", "after")]
        render_pristine(after, sides[1])
        try:
            render_pristine(after | old, sides[0])
        except UsageError:
            return None
        listed = {path.relative_to(side) for side in sides for path in side.rglob("*")}
        touched = {each.path for each in changes}
        return sorted(
            path.as_posix()
            for path in listed
            if path.as_posix() not in touched
            and _bytes(sides[0] / path) != _bytes(sides[1] / path)
            and _bytes(scratch.folder / path) != _bytes(sides[1] / path)
        )


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _parse_data(data: list[str], answers: dict[str, Any]) -> set[str]:
    """Parse the answers to change; returns their names."""
    for pair in data:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--data {pair}: write NAME=VALUE.")
        if name in FIXED_ANSWERS and value.lower() != str(answers.get(name)).lower():
            raise UsageError(f"--data {name}: cannot be changed, {FIXED_ANSWERS[name]}.")
    return {pair.partition("=")[0] for pair in data}


def _is_edited(change: Change, scratch: Scratch, pristine: Path) -> bool:
    """Whether the project's file differs from what the template, or a command of it, wrote."""
    if owner_of(change.path, rules()) == "generated":
        return False
    rendered = pristine / change.path
    if not rendered.is_file():
        return True
    texts = (scratch.committed(change.path), rendered.read_bytes())
    unix = [text.replace(b"\r\n", b"\n") for text in texts]
    return unix[0] != unix[1]
