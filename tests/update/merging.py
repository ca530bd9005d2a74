"""What an update should give: the team's file, the old render and the new one, merged by git.

This is an oracle: Copier gets there by another way, a diff that it applies to a fresh render.
"""

import difflib
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from tests.conftest import Project
from tests.update.releases import git, is_needed, stays

ANSWERS = ".copier-answers.yml"
LABELS = ("before updating", "last update", "after updating")
Files = dict[str, bytes]


def files(folder: Path) -> Files:
    """Every file but git's and those that git ignores; line ends are git's affair."""
    if (folder / ".git").exists():
        listed = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        names = sorted(set(listed.split("\0")) - {""})
    else:
        paths = (path for path in folder.rglob("*") if path.is_file())
        names = sorted(path.relative_to(folder).as_posix() for path in paths)
    there = {name: folder / name for name in names if (folder / name).is_file()}
    return {name: path.read_bytes().replace(b"\r\n", b"\n") for name, path in there.items()}


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
    """Places where both sides changed the same or neighbouring lines, counted without git."""
    if mine is None or new is None or old in (mine, new):
        return 0
    base = (old or b"").splitlines()
    ours, theirs = (
        [
            (start, end, side.splitlines()[left:right])
            for kind, start, end, left, right in difflib.SequenceMatcher(
                None, base, side.splitlines(), autojunk=False
            ).get_opcodes()
            if kind != "equal"
        ]
        for side in (mine, new)
    )
    return sum(
        any(start <= last and first <= end and text != other for first, last, other in theirs)
        for start, end, text in ours
    )


def expected(name: str, mine: Files, old: Files, new: Files) -> tuple[bytes | None, int]:
    """What a file should be after an update, and its number of conflicts."""
    is_mine, was, will_be = mine.get(name), old.get(name), new.get(name)
    if stays(name) or (was is None and will_be is None):
        return (will_be if is_mine is None and is_needed(name) else is_mine), 0
    if will_be is None:
        return (None if is_mine == was else is_mine), 0  # gone, but where the team has edited it
    if is_mine is None:
        return (will_be if was is None else None), 0  # new, or deleted by the team
    if is_mine == was:
        return will_be, 0
    return merged(is_mine, was or b"", will_be)


def check_update(project: Project, mine: Files, old: Files, new: Files) -> dict[str, int]:
    """Assert that an update gave what it should, and that nothing of the team's is lost.

    `mine` is the project before the update, `old` and `new` are renders of the two releases.
    Returns files with conflicts, and the number of conflicts in each.
    """
    after = files(project.path)
    conflicts = {}
    for name in sorted({*mine, *old, *new, *after} - {ANSWERS}):
        should, count = expected(name, mine, old, new)
        assert after.get(name) == should, f"{name} is not what it should be"
        added = lines(mine.get(name)) - lines(old.get(name))
        assert not added - lines(after.get(name)), f"{name}: lines of the team's are lost"
        places = both_changed(mine.get(name), old.get(name), new.get(name))
        if count:
            assert count <= places, f"{name}: a conflict outside of what both changed"
            conflicts[name] = count
        elif not stays(name):
            assert places == 0, f"{name}: both changed the same lines, and one of them won"
    assert after[ANSWERS] == new[ANSWERS]
    unmerged = git(project.path, "diff", "--name-only", "--diff-filter=U").split()
    assert unmerged == sorted(conflicts)
    return conflicts


def lines(content: bytes | None) -> Counter[bytes]:
    """The lines of a file, and how often each stands there."""
    return Counter((content or b"").splitlines())
