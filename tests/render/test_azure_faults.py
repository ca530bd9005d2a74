"""Faults planted into Azure's pipelines: the schema or the audit catches each."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.render.azure_checks import schema_faults
from tests.render.flows import azure_files

from mlops_platform.delivery.audit import pipelines  # isort: skip

ANSWERS = {
    "task": "classification",
    "serving": "both",
    "ci": "azure-devops",
    "cloud": "azureml",
    "regulated": False,
}
# file, what stands there, what is planted, the pipeline in which the schema sees it
SCHEMA = [
    ("ci.yml", "displayName: Hooks", "displayNam: Hooks", "ci.yml"),
    ("ci.yml", "timeoutInMinutes: 20", "timeoutInMinutes: [20]", "ci.yml"),
    ("ci.yml", "    steps:", "    stepz:", "ci.yml"),
    ("ci.yml", "batch: true", "batch: maybe", "ci.yml"),
    ("ci.yml", "pool:", "pol:", "ci.yml"),
    ("ci.yml", "DownloadPipelineArtifact@2", "DownloadPipelineArtifacts@2", "ci.yml"),
    ("steps/uv.yml", "UsePythonVersion@0", "UsePythonVersio@0", "ci.yml"),
    ("steps/uv.yml", "versionSpec", "versionSpek", "ci.yml"),
    ("steps/uv.yml", "persistCredentials: false", "persistCredential: false", "ci.yml"),
    ("steps/azure.yml", "scriptType: bash", "scriptType: zsh", "train.yml"),
    ("steps/azure.yml", "keepAzSessionActive", "keepAzSession", "train.yml"),
    ("deliver.yml", "lockBehavior: sequential", "lockBehavior: never", "deliver.yml"),
    ("deliver.yml", "runOnce:", "runOnes:", "deliver.yml"),
    ("deliver.yml", "- deployment: staging", "- deploymant: staging", "deliver.yml"),
    ("retrain.yml", "always: true", "allways: true", "retrain.yml"),
    ("retrain.yml", "cron:", "corn:", "retrain.yml"),
    ("rollback.yml", "type: string", "type: text", "rollback.yml"),
]
# file, what stands there, what is planted, what the audit says
AUDIT = [
    ("ci.yml", "template: steps/uv.yml", "template: steps/uw.yml", "no template `steps/uw.yml`"),
    ("ci.yml", "template: variables.yml", "template: vars.yml", "no template `vars.yml`"),
    ("ci.yml", "dependsOn: model", "dependsOn: modell", "depends on `modell`"),
    ("ci.yml", "- job: model", "- job: checks", "two jobs `checks`"),
    ("ci.yml", "    timeoutInMinutes: 10\n", "", "no `timeoutInMinutes`"),
    ("ci.yml", "run poe check", "run poe ${{ variables.x }}", "contains an expression"),
    ("ci.yml", "run poe check", "run poe $(System.PullRequest.Title)", "contains $(System.Pull"),
    ("ci.yml", "run poe check", "run poe $WHAT", "uses $WHAT, which neither"),
    ("ci.yml", "$(Build.SourcesDirectory)", "$(SourcesDirectory)", "`SourcesDirectory` is not set"),
    ("ci.yml", "variables['Build.Reason']", "variables['Reason']", "`Reason` is not set"),
    ("steps/uv.yml", "$(UV_CACHE_DIR)", "$(UV_CACHE)", "`UV_CACHE` is not set"),
    ("steps/uv.yml", "eq(parameters.cache", "eq(parameters.cash", "`parameters.cash` is not"),
    ("steps/uv.yml", "    persistCredentials: false\n", "", "write `persistCredentials: false`"),
    ("steps/uv.yml", "Credentials: false", "Credentials: true", "leaves a token"),
    (
        "steps/azure.yml",
        "  - name: run\n",
        "  - name: ran\n",
        "steps/azure.yml needs the parameter",
    ),
    ("steps/azure.yml", "${{ parameters.condition }}", "x()", "`condition` is declared, and noth"),
    ("train.yml", "          env: dev\n", "", "steps/azure.yml needs the parameter `env`"),
    ("train.yml", "env: dev\n", "env: test\n", "`env` is 'test', not one of"),
    ("train.yml", "          run:", "          runs:", "has no parameter `runs`"),
    ("publish.yml", "cache: false", "cache: never", "`cache` is 'never', not true or false"),
    ("publish.yml", "$(FEED_URL)", "$(FED_URL)", "`FED_URL` is not set"),
    ("retrain.yml", "$WHY", "${{ parameters.why }}", "contains an expression"),
    ("retrain.yml", "- name: EVENT", "- name: TRIGGER", "uses $EVENT, which neither"),
    ("retrain.yml", "- name: event", "- name: seen", "`parameters.event` is not"),
    (
        "deliver.yml",
        "poe azure-contracts",
        "poe azure-contracts $WHAT",
        "uses $WHAT, which neither",
    ),
    ("rollback.yml", "$WHY", "$(WHY)", "contains $(WHY)"),
    ("rollback.yml", "- name: WHY", "- name: REASON", "uses $WHY, which neither"),
    ("rollback.yml", "${{ parameters.why }}", "${{ parameters.reason }}", "`parameters.reason`"),
    ("deliver.yml", "dependsOn: train", "dependsOn: trian", "depends on `trian`"),
    ("deliver.yml", "dependsOn: [train, share]", "dependsOn: share", "does not depend on it"),
    ("deliver.yml", "name: candidate", "name: candidat", "there is no such step"),
    ("deliver.yml", "'train.candidate.v", "'train.candidat.v", "there is no such step"),
    ("deliver.yml", "dependsOn: train", "dependsOn: production", "depend on each other"),
    ("deliver.yml", "- stage: staging", "- stage: share", "two stages `share`"),
    ("deliver.yml", "trigger:", "trigger:\n  batch: true\ntrigger:", "trigger"),
    ("variables.yml", "UV_CACHE_DIR:", "CACHE_DIR:", "`UV_CACHE_DIR` is not set"),
]


@pytest.fixture
def azure(rendered: Callable[..., Project], tmp_path: Path) -> Project:
    """A project's pipelines, which a test may spoil."""
    source = rendered(ANSWERS).path
    for folder in (".azuredevops", "docs"):
        shutil.copytree(source / folder, tmp_path / folder)
    return Project(tmp_path)


def spoil(project: Project, file: str, old: str, new: str) -> None:
    """Plant a fault."""
    text = project.read(f".azuredevops/{file}")
    assert old in text
    project.write(f".azuredevops/{file}", text.replace(old, new, 1))


@pytest.mark.parametrize("planted", SCHEMA, ids=str)
def test_the_schema_fires(azure: Project, planted: tuple[str, str, str, str]) -> None:
    file, old, new, seen_in = planted
    assert [found for path in azure_files(azure) for found in schema_faults(path)] == []
    spoil(azure, file, old, new)
    found = {file.name: schema_faults(file) for file in azure_files(azure)}
    assert found[seen_in]


@pytest.mark.parametrize("planted", AUDIT, ids=str)
def test_the_audit_fires(azure: Project, planted: tuple[str, str, str, str]) -> None:
    file, old, new, said = planted
    spoil(azure, file, old, new)
    found = pipelines.check(azure.path / ".azuredevops").problems
    assert any(said in fault for fault in found), found


def test_a_template_that_nobody_uses_is_seen(azure: Project) -> None:
    azure.write(".azuredevops/old.yml", "variables:\n  A: b\n")
    assert pipelines.check(azure.path / ".azuredevops").problems == [
        ".azuredevops/old.yml: no pipeline uses this template."
    ]


def test_the_gate_names_each_fault(azure: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlops_platform.core.errors import GateError, UsageError  # noqa: PLC0415
    from mlops_platform.delivery import audit  # noqa: PLC0415  the render is made first

    assert audit.run(azure.path) == [".azuredevops has no problems"]
    spoil(azure, "ci.yml", "dependsOn: model", "dependsOn: modell")
    with pytest.raises(GateError, match=r"problems in \.azuredevops:\n.*modell"):
        audit.run(azure.path)
    shutil.rmtree(azure.path / ".azuredevops")
    with pytest.raises(UsageError, match="there is neither"):
        audit.run(azure.path)
