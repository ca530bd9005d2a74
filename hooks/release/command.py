"""Checks and publishes releases: `uv run python -m hooks release check 0.2.0`, `tag`, `publish`.

Exit code 0: done, or the release can be tagged; 1: fix the listed problems first; 2: wrong use.
"""

import argparse
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hooks.projects import HookError, git
from hooks.release.answers import answer_problems
from hooks.release.files import file_problems
from hooks.release.history import ROOT, releases
from hooks.release.publish import publish, tag
from hooks.release.questions import Questions
from hooks.release.repository import repository_problems

TESTS = ("pytest", "-q", "--numprocesses", "3", "--dist", "loadfile", "tests/update")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, then run the update tests."""
    parser = argparse.ArgumentParser(
        "python -m hooks release", description=(__doc__ or "").splitlines()[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="find what would harm projects")
    check.add_argument("version", help="the version to be tagged, for example 0.2.0")
    commands.add_parser("tag", help="make an annotated tag for each listed release")
    upload = commands.add_parser("publish", help="upload the platform package's wheel to a feed")
    upload.add_argument("url", help="the upload address of the feed")
    options = parser.parse_args(arguments)
    try:
        if options.command == "check":
            return check_release(options.version)
        if options.command == "tag":
            made = tag(ROOT)
            print(f"tagged {', '.join(made)}. Now `git push --tags`." if made else "nothing to tag")
        else:
            print(f"published {publish(options.url).name}")
    except HookError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def check_release(version: str) -> int:
    """Print the problems of a release, else run the update tests; returns the exit code.

    Raises:
        HookError: the last release is not in the history.
    """
    found = problems(ROOT, version)
    for problem in found:
        print(f"- {problem}")
    if found:
        print(f"{version} cannot be released yet: {len(found)} problems.")
        return 1
    print(f"$ {' '.join(TESTS)}", flush=True)
    if subprocess.run([sys.executable, "-m", *TESTS], cwd=ROOT, check=False).returncode:
        print(f"{version} cannot be released yet: not every earlier release updates to it.")
        return 1
    print(
        f"{version} can be tagged. Then add version and commit to the list of releases, "
        "and run `uv run python -m hooks release tag`."
    )
    return 0


def problems(root: Path, version: str) -> list[str]:
    """Everything that prevents a release of the work tree of `root`, each with what to do.

    Raises:
        HookError: the last release is not in the history.
    """
    released = releases(root)
    new = Questions(root)
    found = repository_problems(root, version, released, new)
    if released:
        with tempfile.TemporaryDirectory() as scratch:
            last = released[-1]
            old = Questions(extract_commit(root, last.commit, Path(scratch) / last.version))
            found += answer_problems(old, new, version)
            found += file_problems(old, new, version)
    return found


def extract_commit(root: Path, commit: str, folder: Path) -> Path:
    """Write the files of a commit to a new folder.

    Raises:
        HookError: the commit is not in the history.
    """
    folder.mkdir()
    archive = folder.with_suffix(".tar")
    git(root, "archive", "--output", str(archive), commit)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder
