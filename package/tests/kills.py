"""Kills commands at random moments, and checks after each that nothing is lost or half there.

`OMP_NUM_THREADS=1 uv run python -m package.tests.kills [KILLS] [SEED]`; a short run is a test.

Every command is forked from one process that has run all of them once, so that a kill falls into
the work and not into the imports; one thread, as a fork has none of its parent's others. After a
kill, every version must be there with the same model, the last good run must be as it was, and the
same command must work.
"""

import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops_platform import cli
from mlops_platform.core import terminal
from mlops_platform.core.files import IGNORED, hash_path
from mlops_platform.models import artifact
from mlops_platform.pipelines.outputs import latest, newest
from mlops_platform.tracking.registry import Registry
from mlops_platform.tracking.roles import stamp

from package.tests import (
    samples,  # noqa: F401  first: it makes the samples importable
    workspaces,
)

COMMANDS = {
    "pipeline": ["run", "pipelines/train.yml"],
    "batch": ["run", "pipelines/batch.yml"],
    "promote": ["promote", "--why", "kill test"],
    "rollback": ["rollback", "--why", "kill test"],
}
PAGES = {"report.html", "model_card.md"}  # `promote` and `rollback` write the role of now there
ROWS = 300
SECONDS = 120.0  # no command takes that long


class Project:
    """A small project, changed only by processes of their own."""

    def __init__(self, root: Path) -> None:
        self.workspace = workspaces.Workspace(root)
        self.log = root / "commands.log"

    def fork(self, work: Callable[[], Any]) -> int:
        """Start `work` in a process of its own, in the project's folder; its id."""
        pid = os.fork()
        if pid:
            return pid
        code = 70  # an error of this script
        try:
            os.chdir(self.workspace.root)
            with self.log.open("a") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
                terminal.console.file = terminal.out.file = log
                try:
                    work()
                    code = 0
                except SystemExit as end:
                    code = int(end.code or 0)
                except BaseException:
                    traceback.print_exc(file=log)
        finally:
            os._exit(code)

    def ask(self, work: Callable[[], Any]) -> Any:
        """The result of `work`, in a process of its own: this one never opens the store."""
        answer = self.workspace.root / "answer.json"
        answer.unlink(missing_ok=True)
        code = wait(self.fork(lambda: answer.write_text(json.dumps(work()))))
        assert code == 0, f"{code}: {self.log.read_text()[-3000:]}"
        return json.loads(answer.read_text())

    def start(self, name: str) -> int:
        """Start a command; its id."""

        def run() -> None:
            sys.argv = ["mlops", *COMMANDS[name]]
            cli.main()

        return self.fork(run)

    def state(self, known: dict[str, Any]) -> dict[str, Any]:
        """What must not be lost: versions with their models, and the last runs.

        A model that is not among the `known` versions is loaded, as the endpoint would.
        """
        root, registry = self.workspace.root, Registry(self.workspace.conf)
        versions = {}
        for version in registry.versions():
            with tempfile.TemporaryDirectory() as folder:
                model = registry.download(version, Path(folder))
                digest = hash_path(model)
                if known.get(version.number, {}).get("model") != digest:
                    artifact.load(model, workspaces.TEAM)
            versions[version.number] = {
                **{tag: version.tags.get(tag) for tag in ("role", "metric", "predictions_hash")},
                "run_id": version.run_id,
                "model": digest,
            }
        champion = registry.holder("champion")
        runs = {}
        for home in sorted(root.glob("outputs/*/")):
            good, last = latest(home), newest(home)
            steps = [] if last is None else [path.name for path in last.iterdir()]
            whole = all((last / step / "step.json").is_file() for step in steps) if last else True
            runs[home.name] = {
                "latest": good.name if good else None,
                "hash": hash_path(good, IGNORED | PAGES) if good else None,
                "pages": [has_end(page) for page in sorted(home.rglob("report.html"))],
                "steps": sorted(steps),
                "whole": whole,
            }
        number = champion.number if champion else None
        return {"versions": versions, "champion": number, "runs": runs}

    def prepare(self, name: str, turn: int) -> bool:
        """Make the command possible; False if it is not."""
        registry = Registry(self.workspace.conf)
        if name == "pipeline":
            rows = workspaces.sample.make(ROWS, seed=turn)
            rows.to_csv(self.workspace.raw / "credit.csv", index=False)
        elif name == "promote" and registry.holder("challenger") is None:
            spare = [each for each in registry.versions() if each.role != "champion"]
            if not spare:
                return False
            registry._write(spare[-1], stamp("challenger", "kill test"))
        elif name == "rollback":
            champion = registry.holder("champion")
            return champion is not None and "previous_champion" in champion.tags
        elif name == "batch":
            return registry.holder("champion") is not None
        return True


def has_end(page: Path) -> bool:
    """Whether a page of HTML has its end."""
    return page.read_text(encoding="utf-8").rstrip().endswith("</html>")


def wait(pid: int, seconds: float = SECONDS) -> int:
    """Wait for a process; its exit code, negative for a signal."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError(f"process {pid} did not end in {seconds} s")


def check(name: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Compare the state before and after a kill."""
    old, new = before["versions"], after["versions"]
    for number, version in old.items():
        for field in ("run_id", "model"):
            assert new[number][field] == version[field], f"version {number}: {field} changed"
    for number in new.keys() - old.keys():
        assert new[number]["role"] in ("challenger", "rejected"), new[number]
        assert all(new[number].values()), f"version {number} is half there: {new[number]}"
    if name in ("pipeline", "batch"):
        assert after["champion"] == before["champion"]
    elif before["champion"] is not None:
        assert after["champion"] in old, "no champion is left"
    for home, run in after["runs"].items():
        assert all(run["pages"]), f"half of a report in {home}"
        assert run["whole"], f"half of a run in {home}: {run['steps']}"
        earlier = before["runs"].get(home)
        if earlier and earlier["latest"] == run["latest"]:
            assert earlier["hash"] == run["hash"], f"the last good run of {home} changed"
        assert not (earlier and earlier["latest"] and not run["latest"]), f"{home} lost its run"


def settled(state: dict[str, Any]) -> None:
    """After a command that ended, there is one champion and at most one challenger."""
    roles = Counter(version["role"] for version in state["versions"].values())
    assert roles["challenger"] <= 1, roles
    assert roles["champion"] == (state["champion"] is not None), roles


def warm_up(folder: Path) -> None:
    """Run every command once in this process: afterwards, no fork imports anything."""
    workspaces.make(folder, ROWS).change("project.yml", stage="explore")
    with contextlib.chdir(folder), contextlib.redirect_stdout(None):
        for name in ("pipeline", "promote", "batch"):
            cli.invoke(COMMANDS[name])


def run(folder: Path, kills: int, seed: int) -> Counter[str]:
    """Kill commands; how often each was killed in its work, and how often it had ended before.

    Raises:
        AssertionError: something was lost or half there, or a command no longer works.
    """
    chance, counts = random.Random(seed), Counter[str]()
    workspaces.make(folder, ROWS)
    project = Project(folder)
    project.workspace.change("project.yml", stage="explore")
    durations: dict[str, float] = {}
    known: dict[str, Any] = {}
    turn = 0
    while sum(counts[each] for each in counts if each.endswith(" killed")) < kills:
        turn += 1
        name = chance.choice(list(COMMANDS))
        if not project.ask(lambda name=name, turn=turn: project.prepare(name, turn)):
            name = "pipeline"
            project.ask(lambda turn=turn: project.prepare("pipeline", turn))
        before = project.ask(lambda known=known: project.state(known))
        started = time.monotonic()
        pid = project.start(name)
        if name in durations:
            time.sleep(chance.uniform(0, durations[name]))
            os.kill(pid, signal.SIGKILL)
        code = wait(pid)
        ended = code != -signal.SIGKILL
        counts[f"{name} {'ended' if ended else 'killed'}"] += 1
        assert code in (0, 1, -signal.SIGKILL), project.log.read_text()[-3000:]
        if name not in durations:
            durations[name] = time.monotonic() - started
        known = before["versions"]
        after = project.ask(lambda known=known: project.state(known))
        check(name, before, after)
        if ended:
            settled(after)
            continue
        again = wait(project.start(name))
        # A promotion that was complete when the kill came leaves no challenger: that is said.
        complete = name in ("promote", "rollback") and before["champion"] != after["champion"]
        assert again == 0 or (again == 1 and complete), project.log.read_text()[-3000:]
        print(turn, name, dict(counts), file=sys.stderr, flush=True)
        known = after["versions"]
        following = project.ask(lambda known=known: project.state(known))
        check(name, after, following)
        settled(following)
    return counts


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        warm_up(Path(scratch) / "first")
        found = run(Path(scratch) / "project", number, int(sys.argv[2]) if sys.argv[2:] else 0)
    print(dict(sorted(found.items())), f"{time.monotonic() - begun:.0f} s")
