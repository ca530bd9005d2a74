"""What Azure ML cannot read from conf/ is written from it, and a check sees where they disagree."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import Project
from tests.render.conftest import CHOICES
from tests.rendering import ROOT, render

ASKED = ("task", "serving", "cloud")
GENERATED = {"schedules/monitor.yml", "jobs/sweep.yml", "jobs/responsible-ai.yml"}
PROGRAM = """
import json, sys
from pathlib import Path
from mlops_platform.azure import render
said = []
for root in map(Path, sys.argv[1:]):
    wrong = [(path.as_posix(), message) for path, message in render.find_differences(root)]
    wrote = [path.as_posix() for path in render.write(root)]
    said.append([wrong, wrote, [path.as_posix() for path, _ in render.find_differences(root)]])
print(json.dumps(said))
"""
Said = tuple[dict[str, str], list[str]]


def rendered_again(*projects: Project) -> list[Said]:
    """What disagrees with conf/ in each, and what `mlops azure render` then writes."""
    first = projects[0]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *(p.path for p in projects)],
        cwd=first.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = []
    for wrong, wrote, still_wrong in json.loads(done.stdout):
        assert still_wrong == []
        said.append((dict(wrong), wrote))
    return said


def state(project: Project) -> dict[str, bytes]:
    """All files of a project but its byte code."""
    files = (path for path in sorted(project.path.rglob("*")) if path.is_file())
    return {path.as_posix(): path.read_bytes() for path in files if path.suffix != ".pyc"}


def test_a_fresh_copy_agrees_with_its_conf(rendered: Callable[..., Project]) -> None:
    projects = []
    for values in itertools.product(*(CHOICES[name] for name in ASKED)):
        answers = {name: choices[0] for name, choices in CHOICES.items()}
        projects.append(rendered(answers | dict(zip(ASKED, values, strict=True))))
    assert len(projects) == 12
    before = [state(project) for project in projects]
    assert rendered_again(*projects) == [({}, [])] * 12
    assert [state(project) for project in projects] == before
    for project in projects:
        there = {path for path in GENERATED if project.has(f"azureml/{path}")}
        answers = project.yaml(".copier-answers.yml")
        if answers["cloud"] == "none":
            assert there == set()
        elif answers["serving"] == "batch":
            assert there == GENERATED - {"schedules/monitor.yml"}
        else:
            assert there == GENERATED


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_long_name_agrees_too(task: str, tmp_path: Path) -> None:
    answers = {"project_name": "E1e " + "x" * 16, "task": task, "user_email": "1e3@example.com"}
    project = Project(render(answers, tmp_path / "project"))
    assert rendered_again(project) == [({}, [])]


def test_the_templates_files_follow_from_the_standards_code() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hooks", "specs", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def project(rendered: Callable[..., Project], tmp_path: Path) -> Project:
    """A project of one's own to change."""
    answers = {
        "task": "classification",
        "serving": "both",
        "ci": "github",
        "cloud": "azureml",
        "regulated": False,
    }
    source = rendered(answers)
    made = Project(tmp_path / "project")
    subprocess.run(["cp", "-r", source.path, made.path], check=True)
    return made


MONITOR, SWEEP, RESPONSIBLE = (f"azureml/{path}" for path in sorted(GENERATED, reverse=True))
CHANGES: dict[str, tuple[str, str, str, set[str]]] = {
    "a threshold": ("conf/gates.yml", "psi: 0.2", "psi: 0.3", {MONITOR}),
    "a column": ("conf/data.yml", "  housing:", "  home:", {MONITOR, RESPONSIBLE}),
    "the target": ("conf/data.yml", "  outcome:", "  ending:", {MONITOR, RESPONSIBLE}),
    "what may be missing": ("conf/data.yml", "missing: 0.15", "missing: 0.2", {MONITOR}),
    "the metric": ("conf/gates.yml", "metric: roc_auc\n", "metric: brier\n", {SWEEP}),
    "who is told": ("conf/project.yml", "team@example.com", "us@example.com", {MONITOR}),
    "what is tried": ("conf/train.yml", "[2, 3, 4]", "[2, 3]", {SWEEP}),
    "the name": (
        "conf/project.yml",
        "name: credit-risk",
        "name: loans",
        {MONITOR, SWEEP, RESPONSIBLE},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_conf_is_seen_and_written(project: Project, change: str) -> None:
    file, before, after, wanted = CHANGES[change]
    text = project.read(file)
    assert before in text
    project.write(file, text.replace(before, after))
    [(wrong, wrote)] = rendered_again(project)
    assert set(wrong) == set(wrote) == wanted
    for message in wrong.values():
        assert message.startswith("differs from conf/ at line ")
        assert "`uv run poe azure-render`" in message


def test_a_change_by_hand_and_a_missing_file_are_seen(project: Project) -> None:
    project.write(MONITOR, project.read(MONITOR).replace("index: 0.2", "index: 0.9", 1))
    (project.path / SWEEP).unlink()
    line = 1 + project.read(MONITOR).splitlines().index("          population_stability_index: 0.9")
    [(wrong, wrote)] = rendered_again(project)
    assert wrong == {
        MONITOR: f"differs from conf/ at line {line}; run `uv run poe azure-render`",
        SWEEP: "is missing; `uv run poe azure-render` writes it",
    }
    assert set(wrote) == {MONITOR, SWEEP}


def test_what_the_files_say_is_what_conf_says(project: Project) -> None:
    contract, gates = project.yaml("conf/data.yml"), project.yaml("conf/gates.yml")
    features = [name for name, col in contract["columns"].items() if "role" not in col]
    signals = project.yaml(MONITOR)["create_monitor"]["monitoring_signals"]
    assert sorted(signals["data_drift"]["features"]) == sorted(features)
    limits = signals["data_drift"]["metric_thresholds"]["numerical"]
    assert limits == {"population_stability_index": gates["drift"]["psi"]}
    nulls = signals["data_quality"]["metric_thresholds"]["numerical"]["null_value_rate"]
    assert nulls == pytest.approx(0.15 + gates["drift"]["missing"])
    accuracy = next(limit["min"] for limit in gates["quality"] if limit["metric"] == "accuracy")
    performance = signals["model_performance"]
    assert performance["metric_thresholds"] == {"classification": {"accuracy": accuracy}}
    sweep = project.yaml(SWEEP)["jobs"]["sweep"]
    assert sweep["objective"] == {"goal": "maximize", "primary_metric": "validation_roc_auc"}
    constructor = project.yaml(RESPONSIBLE)["jobs"]["constructor"]["inputs"]
    assert json.loads(constructor["feature_metadata"])["dropped_features"] == [
        *("loan_id", "month", "sex", "age")
    ]
    assert not yaml.safe_load(project.read(RESPONSIBLE)).get("name")


def without(project: Project, file: str, text: str) -> None:
    written = project.read(file)
    assert text in written
    project.write(file, written.replace(text, ""))


def test_without_a_search_there_is_nothing_to_agree_on(project: Project) -> None:
    text = project.read("conf/train.yml")
    project.write("conf/train.yml", text[: text.index("search:")])
    assert rendered_again(project) == [({}, [])]


def test_without_an_id_nothing_joins_the_truth(project: Project) -> None:
    without(project, "conf/data.yml", "  loan_id: {kind: text, role: id}\n")
    rendered_again(project)
    signals = project.yaml(MONITOR)["create_monitor"]["monitoring_signals"]
    assert "model_performance" not in signals
    assert len(signals) == 4


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "max_depth: [2, 3, 4]",
            "depth: [2, 3]",
            "field `search.depth`: is not one of `parameters`",
        ),
        ("[2, 3, 4]", "[]", "field `search.max_depth`: needs values, all of one type"),
        ("[2, 3, 4]", "[2, deep]", "field `search.max_depth`: needs values, all of one type"),
    ],
)
def test_a_search_that_no_sweep_can_try_is_refused(
    project: Project, before: str, after: str, message: str
) -> None:
    text = project.read("conf/train.yml")
    assert before in text
    project.write("conf/train.yml", text.replace(before, after))
    with pytest.raises(AssertionError, match=r"UsageError: conf/train\.yml, ") as failed:
        rendered_again(project)
    assert message in str(failed.value)
