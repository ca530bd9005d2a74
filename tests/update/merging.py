"""The expected result of an update: git's merge of the team's file, the old and the new render.

This is an oracle. Copier works in another way: it applies a diff to a fresh render.
"""

import difflib
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from tests.projects import Project
from tests.update.migrations import PATCH, Migrations
from tests.update.releases import git, is_needed, stays

ANSWERS = ".copier-answers.yml"
LABELS = ("before updating", "last update", "after updating")
Files = dict[str, bytes]


def files(folder: Path) -> Files:
    """Every file except git's own and ignored files; with LF line endings."""
    if (folder / ".git").exists():
        listed = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        names = sorted(set(listed.split("\0")) - {""})
    else:
        paths = (path for path in folder.rglob("*") if path.is_file())
        names = sorted(path.relative_to(folder).as_posix() for path in paths)
    paths_of = {name: folder / name for name in names if (folder / name).is_file()}
    return {name: path.read_bytes().replace(b"\r\n", b"\n") for name, path in paths_of.items()}


def merged(mine: bytes, old: bytes, new: bytes) -> tuple[bytes, int]:
    """Git's merge of three files, and its number of conflicts."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / name for name in ("mine", "old", "new")]
        for path, content in zip(paths, (mine, old, new), strict=True):
            path.write_bytes(content)
        labels = [part for label in LABELS for part in ("-L", label)]
        command = ["git", "merge-file", "-p", *labels, *map(str, paths)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert 0 <= done.returncode < 128, done.stderr
        return done.stdout, done.returncode


def both_changed(mine: bytes | None, old: bytes | None, new: bytes | None) -> int:
    """The number of places where both changed the same or adjacent lines, counted without git."""
    if mine is None or new is None or old in (mine, new):
        return 0
    base = (old or b"").splitlines()
    ours, theirs = (
        [
            (start, end, version.splitlines()[left:right])
            for kind, start, end, left, right in difflib.SequenceMatcher(
                None, base, version.splitlines(), autojunk=False
            ).get_opcodes()
            if kind != "equal"
        ]
        for version in (mine, new)
    )
    return sum(
        any(start <= last and first <= end and text != other for first, last, other in theirs)
        for start, end, text in ours
    )


def expected(name: str, mine: Files, old: Files, new: Files) -> tuple[bytes | None, int]:
    """The expected content of a file after an update, and its number of conflicts."""
    current, before, after = mine.get(name), old.get(name), new.get(name)
    if stays(name) or (before is None and after is None):
        return (after if current is None and is_needed(name) else current), 0
    if after is None:
        return None, 0  # the release no longer renders it
    if current is None:
        return (after if before is None else None), 0  # new, or deleted by the team
    if current == before:
        return after, 0
    return merged(current, before or b"", after)


def check_update(
    project: Project, mine: Files, old: Files, new: Files, migrations: Migrations
) -> dict[str, int]:
    """Assert that an update had the expected result, and that no work of the team is lost.

    `mine` is the project before the update, `old` and `new` are renders of the two releases.
    Returns files with conflicts, and the number of conflicts in each.
    """
    after = files(project.path)
    rewrite = migrations.rewrite
    saved = after.pop(PATCH, b"") if PATCH not in mine else b""
    conflicts = {}
    for name in sorted({*mine, *old, *new, *after} - {ANSWERS}):
        content, count = expected(name, mine, old, new)
        assert after.get(name) == rewrite(name, content), f"{name} is not as expected"
        added = lines(rewrite(name, mine.get(name))) - lines(rewrite(name, old.get(name)))
        if content is None and migrations.saves(name):
            added_in_patch = {b"+" + line for line in lines(mine.get(name)) - lines(old.get(name))}
            assert added_in_patch <= set(lines(saved)), f"{name}: the patch lacks edits"
        else:
            assert not added - lines(after.get(name)), f"{name}: lines of the team are lost"
        places = both_changed(mine.get(name), old.get(name), new.get(name))
        if count:
            assert count <= places, f"{name}: a conflict in lines that only one changed"
            conflicts[name] = count
        elif not stays(name):
            assert places == 0, f"{name}: both changed the same lines, and one of them won"
    assert after[ANSWERS] == new[ANSWERS]
    unmerged = git(project.path, "diff", "--name-only", "--diff-filter=U").split()
    assert unmerged == sorted(conflicts)
    return conflicts


def lines(content: bytes | None) -> Counter[bytes]:
    """The lines of a file, and how often it has each."""
    return Counter((content or b"").splitlines())
