"""Keeps the team's edits of files that a release renamed: `move.py OLD NEW [OLD NEW ...]`.

Copier runs it after an update that crosses the release, in the project's folder, with the Python
in which Copier runs. By then Copier has removed OLD, even with edits, and written the release's
NEW. This script merges the team's edits of OLD into NEW, as in any update: there is a conflict only
if both changed the same lines. A second run changes nothing.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import copier
import yaml

# The release that Copier runs this from has the package beside it, which nobody has installed.
sys.path.append(str(Path(__file__).resolve().parents[2] / "package" / "src"))
from mlops_platform.core.git import GitError, call

ANSWERS = ".copier-answers.yml"
BY_HAND = "Copy your edits by hand: `git diff HEAD` shows what was removed."
LABELS = ("before updating", "last update", "after updating")
TOO_DIFFERENT = 128  # from here on, the exit code of git merge-file is an error


def git(*arguments: str, stdin: bytes = b"") -> bytes:
    """The output of a git command."""
    return call(Path.cwd(), *arguments, stdin=stdin).output


def committed(name: str) -> bytes | None:
    """A file as the team committed it before the update."""
    try:
        return git("cat-file", "blob", f"HEAD:./{name}")
    except GitError:
        return None


def last_render(folder: Path) -> Path:
    """Render the project's release before the update, with its answers at that time."""
    recorded: dict[str, Any] = yaml.safe_load(committed(ANSWERS) or b"")
    copier.run_copy(
        recorded["_src_path"],
        folder,
        data={key: value for key, value in recorded.items() if not key.startswith("_")},
        vcs_ref=recorded["_commit"],
        defaults=True,
        quiet=True,
        skip_tasks=True,
    )
    return folder


def move(old: str, new: str, last: Path) -> str:
    """Merge the team's edits of `old` into `new`; returns what was done."""
    target = Path(new)
    mine, base = committed(old), last / old
    if committed(new) is not None or not target.is_file() or not base.is_file():
        return "nothing to do"
    if mine is None:
        target.unlink()
        return "stays deleted"
    if not git("ls-files", "--", old):
        return "was already moved"
    theirs = target.read_bytes()
    merged, conflicts = merge(mine, base.read_bytes(), theirs)
    target.write_bytes(merged)
    git("rm", "--quiet", "--cached", "--", old)
    if conflicts:
        prefix = git("rev-parse", "--show-prefix").decode().strip()
        stage(f"{prefix}{new}", base.read_bytes(), mine, theirs)
        return "moved, with conflicts"
    git("add", "--force", "--", new)
    return "moved"


def merge(mine: bytes, base: bytes, theirs: bytes) -> tuple[bytes, bool]:
    """Merge like Copier; returns the merged file, and whether it has conflicts."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / label for label in LABELS]
        for path, content in zip(paths, (mine, base, theirs), strict=True):
            path.write_bytes(content)
        labels = [part for label in LABELS for part in ("-L", label)]
        command = ("merge-file", "-p", *labels, *map(str, paths))
        try:
            done = call(Path.cwd(), *command, accept=range(TOO_DIFFERENT))
        except GitError:  # not text
            return (theirs, False) if mine == base else (mine, True)
    return done.output, done.code > 0


def stage(path: str, base: bytes, mine: bytes, theirs: bytes) -> None:
    """Record the conflict in git's index, so that `git status` shows it."""
    lines = []
    for number, content in enumerate((base, mine, theirs), 1):
        sha = git("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        lines.append(f"100644 {sha} {number}\t{path}\n")
    git("update-index", "--index-info", stdin="".join(lines).encode())


def main(arguments: list[str]) -> int:
    """Move each OLD to its NEW."""
    if not arguments or len(arguments) % 2:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        try:
            last = last_render(Path(scratch) / "last")
        except (copier.errors.CopierError, ValueError) as error:  # ValueError: no such tag
            print(f"The previous release cannot be rendered: {error}\n{BY_HAND}", file=sys.stderr)
            return 1
        for old, new in zip(arguments[::2], arguments[1::2], strict=True):
            print(f"{old} -> {new}: {move(old, new, last)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
