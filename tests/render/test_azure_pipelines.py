"""The rendered pipelines of Azure DevOps: nothing to find in them, in any combination."""

import re
from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.render.azure_checks import schema_faults
from tests.render.conftest import COMBINATIONS, name_of
from tests.render.flows import azure_files, expanded

from mlops_platform.delivery.audit import pipelines  # isort: skip

AZURE = [answers for answers in COMBINATIONS if answers["ci"] == "azure-devops"]
TOKENS = {"ci": ["Comment"], "publish": ["Publish"], "template-update": ["Update"]}


@pytest.mark.parametrize("answers", AZURE, ids=name_of)
def test_schema_and_audit_find_nothing(
    rendered: Callable[..., Project], answers: dict[str, object]
) -> None:
    project = rendered(answers)
    files = azure_files(project)
    assert len(files) == (9 if answers["cloud"] == "azureml" else 3)
    assert {file.name: schema_faults(file) for file in files} == {file.name: [] for file in files}
    assert pipelines.check(project.path / ".azuredevops").problems == []


def test_the_pipelines_are_careful(rendered: Callable[..., Project]) -> None:
    project = rendered({**AZURE[0], "cloud": "azureml"})
    for file in azure_files(project):
        content = expanded(file)
        assert re.search(r"^(trigger|pr):", file.read_text(), re.M)
        for job in pipelines.jobs(content):
            _careful(file.stem, job)
    for name in ("deliver", "rollback"):
        assert project.yaml(f".azuredevops/{name}.yml")["lockBehavior"] == "sequential"
    (why,) = project.yaml(".azuredevops/rollback.yml")["parameters"]
    assert "default" not in why  # the service asks for it


def _careful(workflow: str, job: pipelines.Job) -> None:
    assert job.content["timeoutInMinutes"] <= 300
    assert {"UV_LOCKED", "UV_CACHE_DIR"} <= job.variables
    checkout = next(step for step in job.steps if "checkout" in step)
    assert checkout["persistCredentials"] is False
    cached = any(step.get("task") == "Cache@2" for step in job.steps)
    assert cached == (workflow != "publish")
    python = next(step for step in job.steps if step.get("task") == "UsePythonVersion@0")
    assert isinstance(python["inputs"]["versionSpec"], str)
    with_token = [
        step["displayName"] for step in job.steps if "$(System.AccessToken)" in str(step.get("env"))
    ]
    assert set(with_token) <= set(TOKENS.get(workflow, []))
    for step in job.steps:
        if step.get("task") == "AzureCLI@2":
            assert step["inputs"]["azureSubscription"] in {
                "azure-dev",
                "azure-staging",
                "azure-prod",
                "azure-share",
                "azure-infra",
                "azure-infra-plan",
                "azure-infra-prod",
            }
            assert step["inputs"]["keepAzSessionActive"] is True
    if "deployment" in job.content and workflow == "deliver":
        assert pipelines.script(job.steps[-1]).endswith("--abort")
        assert job.steps[-1]["condition"] == "or(canceled(), failed())"
