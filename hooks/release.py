"""Checks a release before it is tagged: `uv run python hooks/release.py check 0.2.0`.

Exit code 0: tag it; 1: something must be done first, each line says what; 2: wrong use.
"""

import argparse
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hooks.projects import HookError, git
from hooks.questions import Questions
from hooks.release_answers import answer_faults
from hooks.release_files import file_faults
from hooks.release_texts import text_faults
from hooks.releases import ROOT, releases

TESTS = ("pytest", "-q", "--numprocesses", "3", "--dist", "loadfile", "tests/update")


def main(arguments: list[str] | None = None) -> int:
    """Check, then run the tests of updates."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    check = commands.add_parser("check", help="look for what would harm projects")
    check.add_argument("version", help="the version that is to be tagged, for example 0.2.0")
    given = parser.parse_args(arguments)
    try:
        found = faults(ROOT, given.version)
    except HookError as error:
        print(error, file=sys.stderr)
        return 2
    for fault in found:
        print(f"- {fault}")
    if found:
        print(f"{given.version} cannot be released yet: {len(found)} faults.")
        return 1
    print(f"$ {' '.join(TESTS)}", flush=True)
    if subprocess.run([sys.executable, "-m", *TESTS], cwd=ROOT, check=False).returncode:
        print(f"{given.version} cannot be released yet: not every earlier release updates to it.")
        return 1
    print(f"{given.version} can be tagged. Then enter version and commit in the list of releases.")
    return 0


def faults(root: Path, version: str) -> list[str]:
    """Whatever stands against releasing the work tree of `root`, each with what to do.

    Raises:
        HookError: the last release is not in the history.
    """
    released = releases(root)
    new = Questions(root)
    found = text_faults(root, version, released, new)
    if released:
        with tempfile.TemporaryDirectory() as scratch:
            last = released[-1]
            old = Questions(tree(root, last.commit, Path(scratch) / last.version))
            found += answer_faults(old, new, version)
            found += file_faults(old, new, version)
    return found


def tree(root: Path, commit: str, folder: Path) -> Path:
    """The files of a commit.

    Raises:
        HookError: the commit is not in the history.
    """
    folder.mkdir()
    archive = folder.with_suffix(".tar")
    git(root, "archive", "--output", str(archive), commit)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder


if __name__ == "__main__":
    sys.exit(main())
