"""Kinds of data that people bring, each by what docs/own-data.md says, down to the monitor.

One forked process does it all for a kind: the commands of a project take seconds of imports each,
which test_bring_your_own_data.py pays for one kind, with the real ones.
"""

import json
import os
import sys
from collections.abc import Callable

import pandas as pd
import pytest
from mlops_platform import cli
from mlops_platform.pipelines.outputs import newest
from mlops_platform.serving import store
from mlops_platform.serving.scorer import Scorer

from tests import scripts
from tests.conftest import Project
from tests.project.kinds import KINDS, Kind
from tests.project.test_docs import commands

ANSWERS = {
    "classification": {"project_name": "Credit Risk"},
    "regression": {"project_name": "Energy Demand", "task": "regression"},
}
DRAFTED = {f"conf/{name}.yml" for name in ("data", "train", "gates", "ethics")}


def drafting(project: Project, kind: Kind) -> list[str]:
    """The draft's command: the page's own, if it shows this kind."""
    url = ["--url", kind.variable] if kind.variable else []
    words = ["uv", "run", "poe", "data-draft", "data/raw", "--target", kind.target, "--replace"]
    shown = [each for each in commands(project.read("docs/own-data.md")) if kind.target in each]
    assert shown in ([], [" ".join(words)])
    return ["data", "draft", *words[4:], *url]


def live(project: Project, kind: Kind) -> None:
    """Each command of the page, in this process, which must be one of its own."""
    cli.invoke(drafting(project, kind))
    for file, edit in kind.edits.items():
        project.write(file, edit(project.read(file)))
    cli.invoke(["settings"])
    cli.invoke(["run", "pipelines/train.yml"])
    evaluation = project.json(f"{project.last()}/evaluate/evidence/evaluation.json")
    assert [each["message"] for each in evaluation["verdicts"] if not each["passed"]] == []
    cli.invoke(["promote"])
    cli.invoke(["run", "pipelines/batch.yml"])
    scores = next((project.path / project.last("batch")).rglob("scores.csv"))
    assert len(pd.read_csv(scores)) == kind.rows
    scorer = Scorer(*store.fetch(project.path / "conf", "champion"))
    answer = scorer.answer(json.dumps({"rows": [scorer.requests.example()]}).encode())
    assert len(answer["predictions"]) == 1
    cli.invoke(["monitor"])
    drift = project.json(f"{project.last('monitor')}/drift/evidence/drift.json")
    assert drift["verdict"] == "stable"
    for name in [name for name in sys.modules if name.split(".")[0] in ("conftest", "tests")]:
        del sys.modules[name]  # the project has its own
    assert pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist"]) == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_of_data_lives(kind: Kind, fresh_project: Callable[..., Project]) -> None:
    project = fresh_project(ANSWERS[kind.task])
    raw = project.path / "data" / "raw"
    [sample] = [*raw.iterdir()]
    sample.unlink()
    kind.write(raw)
    project.write("data/README.md", f"# Data card\n\n{kind.write.__doc__}\n")
    [program] = project.path.glob("src/*/sample.py")
    program.unlink()
    package = program.parent.name
    environment = dict(os.environ)
    if kind.variable:
        environment[kind.variable] = f"sqlite:///{raw.parent / 'machines.db'}"

    def start() -> None:
        for name in [name for name in sys.modules if name.split(".")[0] == package]:
            del sys.modules[name]  # that of the examples
        sys.path.insert(0, str(project.path / "src"))
        live(project, kind)

    done = scripts.run_here(start, project.path, environment)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert len(["data/README.md", *kind.edits]) <= 3
    changed = project.run("git", "status", "--porcelain", "--untracked-files=all", "--", ":!data")
    files = {line[3:] for line in changed.stdout.splitlines()}
    deleted = program.relative_to(project.path).as_posix()
    assert files <= {deleted, *DRAFTED, *kind.edits}
    assert newest(project.path / "outputs" / "train")
