"""Kills template updates and fleet updates at random moments: no work is lost, no file half there.

`uv run python -m tests.update.kills [KILLS] [SEED]`; a short run is a test. The commands of daily
work are killed by package/tests/kills.py.

A kill ends the whole process group, git and Copier included. After it, the commit that the project
was at is still there, each file is the old or the new one, files that git does not know are as they
were, and the same command works.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import copier

from tests.rendering import commit_all, copy_template
from tests.update.fleets import BRANCH, FLEET, Fleet, git, hooks_environment, small_template, write

UNKNOWN_TO_GIT = {".mlops/mlflow.db": b"versions", "outputs/latest.txt": b"run-1"}
Files = dict[str, bytes]


@dataclass
class Command:
    """A command, what it works in, and what it does there when nobody stops it."""

    name: str
    words: list[str]
    project: Path
    folder: Path  # where it starts
    branch: str = ""  # where the result is; in the work tree if there is none
    seconds: float = 0.0
    before: Files = field(default_factory=dict)
    after: Files = field(default_factory=dict)
    commit: str = ""

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it, as the leader of a group of processes."""
        return subprocess.Popen(
            self.words,
            cwd=self.folder,
            env=hooks_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def finish(self) -> None:
        """Run it to its end.

        Raises:
            AssertionError: it failed.
        """
        process = self.start()
        message = process.communicate(timeout=120)[1].decode()
        assert process.returncode == 0, f"{self.name}: {message[-2000:]}"

    def learn(self) -> None:
        """Run it once, to know how long it takes and what it does."""
        for name, content in UNKNOWN_TO_GIT.items():
            write(self.project, name, content)
        self.commit, self.before = git(self.project, "rev-parse", "HEAD"), files(self.project)
        began = time.monotonic()
        self.finish()
        self.seconds = time.monotonic() - began
        self.after = self.result()
        assert self.after != self.before
        self.undo()

    def result(self) -> Files:
        """The files that it made: in its branch, or in the work tree."""
        if not self.branch:
            return files(self.project)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "clone"
            git(self.project, "clone", "--quiet", "--branch", self.branch, ".", str(place))
            return files(place)

    def undo(self) -> None:
        """Go back to the commit, as the command's message advises."""
        git(self.project, "reset", "--quiet", "--hard")
        git(self.project, "clean", "--quiet", "-d", "--force")
        if self.branch and git(self.project, "branch", "--list", self.branch):
            git(self.project, "branch", "--quiet", "-D", self.branch)

    def check(self) -> None:
        """Compare with what was there, and with what a whole run makes."""
        assert git(self.project, "rev-parse", "HEAD") == self.commit
        git(self.project, "fsck", "--connectivity-only", "--no-dangling")
        now = files(self.project)
        for name, content in UNKNOWN_TO_GIT.items():
            assert now.get(name) == content, f"{name} was changed"
        for name in now.keys() | self.before.keys():
            allowed = [self.before.get(name)]
            allowed += [] if self.branch else [self.after.get(name)]
            assert now.get(name) in allowed, f"{name} is half there"
        if self.branch and git(self.project, "branch", "--list", self.branch):
            assert self.result() == self.after, "the branch is half there"


def files(folder: Path) -> Files:
    """All files but git's own."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def template_update(home: Path) -> Command:
    """`mlops template-update` of a project to a second release."""
    template = copy_template(home / "template", small=True)
    for tag in ("v2.0.0", "v3.0.0"):
        for source in (template / "template").rglob("*.md"):
            source.write_text(f"{source.read_text(encoding='utf-8')}\nOf {tag}.\n", "utf-8")
        commit_all(template, tag)
        git(template, "tag", tag)
    project = home / "project"
    answers = {"project_name": "Credit Risk"}
    copier.run_copy(
        str(template), project, data=answers, vcs_ref="v2.0.0", defaults=True, quiet=True
    )
    commit_all(project, "Start")
    words = [sys.executable, "-m", "mlops_platform", "template-update"]
    return Command("template-update", words, project, project)


def fleet_update(home: Path) -> Command:
    """`hooks fleet update` of one project among two."""
    home.mkdir()
    fleet = Fleet(small_template(home / "template"), home)
    project, other = fleet.start("one"), fleet.start("two")
    write(project, ".git/info/exclude", ".mlops/\noutputs/\n")
    clones = ["--clones", str(home / "clones"), "--jobs", "1"]
    words = [*FLEET, "update", *clones, str(project), str(other)]
    return Command("fleet update", words, project, home, BRANCH)


def run(home: Path, kills: int, seed: int) -> Counter[str]:
    """Kill commands; how often each was killed, and how often it had ended before.

    Raises:
        AssertionError: something was lost or half there, or a command no longer works.
    """
    chance, counts = random.Random(seed), Counter[str]()
    commands = [template_update(home / "update"), fleet_update(home / "fleet")]
    for command in commands:
        command.learn()
    while sum(counts[each] for each in counts if each.endswith(" killed")) < kills:
        command = commands[sum(counts.values()) % len(commands)]
        process = command.start()
        time.sleep(chance.uniform(0, command.seconds))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        ended = process.returncode == 0
        counts[f"{command.name} {'ended' if ended else 'killed'}"] += 1
        command.check()
        if not command.branch or ended:
            command.undo()
        command.finish()
        assert command.result() == command.after
        command.undo()
        print(dict(counts), file=sys.stderr, flush=True)
    return counts


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    begun = time.monotonic()
    scratch = Path(tempfile.mkdtemp())
    try:
        found = run(scratch, number, int(sys.argv[2]) if sys.argv[2:] else 0)
    finally:
        shutil.rmtree(scratch)
    print(dict(sorted(found.items())), f"{time.monotonic() - begun:.0f} s")
