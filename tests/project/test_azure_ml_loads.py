"""Microsoft's own azure-ai-ml reads every rendered file, with no account and no complaint."""

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project
from tests.rendering import render

PROGRAM = Path(__file__).with_name("load_specs.py")
CREDIT = {"project_name": "Credit Risk"}
# No file of Azure ML: rules of Azure Monitor.
OTHERS = {"azureml/endpoints/online/autoscale.yml"}
READ = """
import sys
from pathlib import Path
from mlops_platform import pipelines
print(len(pipelines.load(Path(sys.argv[1])).steps))
"""
Found = dict[str, dict[str, Any]]


@pytest.fixture
def look(kept_project: Callable[..., Project]) -> Callable[..., Found]:
    """Loads all files of projects, in the environment of a project with the group `azure`."""

    def run(*projects: Path, overrides: dict[str, list[str]] | None = None) -> Found:
        pairs = [(file, pair) for file, some in (overrides or {}).items() for pair in some]
        options = [word for file, pair in pairs for word in ("--set", file, pair)]
        words = [*map(str, projects), *options]
        done = kept_project(CREDIT).run("uv", "run", "python", str(PROGRAM), *words)
        return json.loads(done.stdout)

    return run


def faults(found: Found) -> dict[str, list[str]]:
    return {name: said["faults"] for name, said in found.items() if said["faults"]}


def test_every_file_of_every_combination_loads(look: Callable[..., Found], tmp_path: Path) -> None:
    projects = [
        render({**CREDIT, "task": task, "serving": serving, "cloud": cloud}, tmp_path / name)
        for task, serving, cloud in itertools.product(
            ["classification", "regression"], ["online", "batch", "both"], ["azureml", "none"]
        )
        if (name := f"{task}-{serving}-{cloud}")
    ]
    found = look(*projects)
    assert faults(found) == {}
    unknown = {name.split("/", 1)[1] for name, said in found.items() if said["kind"] is None}
    assert unknown == OTHERS
    kinds = {said["kind"] for said in found.values()} - {None}
    assert len(kinds) == 12
    assert len(found) > 200


# What an environment decides: `az ml ... --set` in the command line, here as the SDK does it.
OVERRIDES = {
    "azureml/compute/cpu.yml": ["size=Standard_E4s_v3", "tier=dedicated", "max_instances=4"],
    "azureml/data/raw.yml": ["version=7", "path=azureml://datastores/other/paths/x"],
    "azureml/endpoints/online/endpoint.yml": ["name=credit-risk-prod", "tags.environment=prod"],
    "azureml/endpoints/online/deployment.yml": [
        "name=green",
        "endpoint_name=credit-risk-prod",
        "model=azureml:credit-risk:12",
        "environment=azureml:credit-risk-inference:0123456789ab",
        "instance_count=2",
        "tags.environment=prod",
    ],
    "azureml/endpoints/batch/deployment.yml": [
        "model=azureml:credit-risk:12",
        "environment=azureml:credit-risk-parallel:0123456789ab",
        "environment_variables.MLOPS_MODEL_VERSION=12",
    ],
    "azureml/jobs/parallel-batch.yml": [
        "inputs.data.path=azureml:credit-risk-raw:7",
        "inputs.model.path=azureml:credit-risk:12",
        "inputs.version=12",
    ],
    "azureml/jobs/responsible-ai.yml": [
        "inputs.model.path=azureml:credit-risk:12",
        "inputs.model_info=credit-risk:12",
        "outputs.reference.version=7",
    ],
    "azureml/schedules/monitor.yml": [
        "create_monitor.monitoring_target.endpoint_deployment_id=azureml:credit-risk-prod:green",
        "create_monitor.monitoring_signals.data_drift.reference_data.input_data.path=azureml:x:2",
        "create_monitor.monitoring_signals.model_performance.production_data.input_data.path=azureml:x:2",
        "tags.content=0123456789ab",
    ],
    "azureml/schedules/truth.yml": [
        "create_job.inputs.labels.path=azureml:credit-risk-raw:7",
        "tags.content=0123456789ab",
    ],
    "pipelines/train.yml": [
        "inputs.raw.path=azureml:credit-risk-raw:7",
        "tags.environment=prod",
        "jobs.train.component=azureml:train:3",
    ],
    "pipelines/environments/inference.yml": ["version=0123456789ab"],
}


@pytest.fixture
def project(fresh_project: Callable[..., Project]) -> Project:
    return fresh_project(CREDIT)


def test_what_an_environment_decides_can_be_set(
    look: Callable[..., Found], project: Project
) -> None:
    assert all(project.has(file) for file in OVERRIDES)
    assert faults(look(project.path, overrides=OVERRIDES)) == {}


def test_what_cannot_be_set_is_seen(look: Callable[..., Found], project: Project) -> None:
    wrong = {"azureml/compute/cpu.yml": ["size=a,b", "min_instances=none"]}
    assert list(faults(look(project.path, overrides=wrong))) == ["project/azureml/compute/cpu.yml"]


def test_training_on_several_machines_is_two_lines(
    look: Callable[..., Found], project: Project
) -> None:
    file = "pipelines/components/train.yml"
    text = project.read(file)
    for line in ("resources: {instance_count: 2}", "distribution: {type: pytorch, "):
        assert f"# {line}" in text
        text = text.replace(f"# {line}", line)
    project.write(file, text)
    assert faults(look(project.path)) == {}
    done = project.run("uv", "run", "python", "-c", READ, "pipelines/train.yml")
    assert done.stdout.strip() == "7"  # and the local runner leaves both to the cloud


PLANTED = {
    "azureml/compute/cpu.yml": ("max_instances: 2", "max_instances: many"),
    "azureml/data/raw.yml": ("type: uri_folder", "type: folder"),
    "azureml/endpoints/online/deployment.yml": ("instance_count: 1", "instance_count: one"),
    "azureml/endpoints/online/endpoint.yml": ("auth_mode: aad_token", "auth_mode: password"),
    "azureml/endpoints/batch/deployment.yml": ("append_row", "append_cell"),
    "azureml/jobs/masked-replica.yml": ("timeout: 7200", "timeout: long"),
    "azureml/jobs/sweep.yml": ("goal: maximize", "goal: win"),
    "azureml/jobs/parallel-batch.yml": ("run_function", "walk_function"),
    "azureml/schedules/monitor.yml": ("type: data_quality", "type: data_beauty"),
    "azureml/schedules/truth.yml": ("type: recurrence", "type: sometimes"),
    "pipelines/train.yml": ("timeout: 14400", "timeout: soon"),
}


def test_a_planted_fault_in_each_is_seen(
    look: Callable[..., Found], project: Project, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    left_out = shutil.ignore_patterns(".venv", ".git")
    shutil.copytree(project.path, broken, ignore=left_out)
    for file, (before, after) in PLANTED.items():
        text = (broken / file).read_text()
        assert before in text, file
        (broken / file).write_text(text.replace(before, after))
    seen = {name.removeprefix("broken/") for name in faults(look(broken))}
    assert set(PLANTED) <= seen
