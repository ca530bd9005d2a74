"""Faults planted into GitHub's workflows: actionlint or zizmor catches each."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.render.github_checks import actionlint, audited, linted, unknown_inputs  # noqa: F401  a fixture
from tests.rendering import commit_all

ANSWERS = {
    "task": "classification",
    "serving": "both",
    "ci": "github",
    "cloud": "azureml",
    "regulated": False,
}
CHECKOUT = "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
# file, what stands there, what is planted, a word of the finding
LINTED = [
    ("ci", "runs-on: ubuntu-24.04", "runs-on: ubuntu-2404", "unknown"),
    ("ci", "timeout-minutes: 20", "timeout-minutes: long", "timeout-minutes"),
    ("ci", "    steps:", "    stepz:", "stepz"),
    ("ci", "needs: model", "needs: modell", "modell"),
    ("ci", "!cancelled()", "!canceled()", "canceled"),
    ("ci", "github.event_name == 'pull", "github.event_nam == 'pull", "event_nam"),
    ("ci", "contents: read", "contents: all", "permission"),
    ("ci", "branches: [main]", "branchs: [main]", "branchs"),
    ("ci", "pull_request:\n", "pull_requests:\n", "pull_requests"),
    ("ci", "      - run: uv run poe check", "      - runs: uv run poe check", "runs"),
    ("deliver", "steps.candidate.outputs", "steps.candidat.outputs", "candidat"),
    ("deliver", "needs.train.outputs.version }}", "needs.train.outputs.versoin }}", "versoin"),
    ("deliver", "needs: [train, share]", "needs: [share]", "train"),
    ("deliver", "needs: train\n", "needs: production\n", "cyclic"),
    ("deliver", 'poe share "$VERSION"', "poe share $VERSION", "SC2086"),
    ("deliver", "id: candidate", "id: 1candidate", "invalid"),
    ("deliver", "timeout-minutes: 300", "timeout-minute: 300", "timeout-minute"),
    ("retrain", '- cron: "0 4 * * 1"', '- cron: "0 25 * * 1"', "cron"),
    ("retrain", "inputs.why", "inputs.reason", "reason"),
    ("retrain", '--event "$EVENT"', '--event "$EVENT', "SC1"),
    ("deliver", "run: uv run poe azure-contracts", "rum: uv run poe azure-contracts", "rum"),
    ("rollback", "type: string", "type: text", "text"),
    ("rollback", "cancel-in-progress: false", "cancel-in-progress: never", "cancel"),
    ("publish", 'tags: ["v*"]', 'tags: ["v[*"]', "glob"),
    ("train", "types: [labeled]", "types: [labelled]", "labelled"),
    ("template-update", "github.token", "github.tokn", "tokn"),
]
AUDITED = [
    ("ci", CHECKOUT, "@main", "unpinned-uses"),
    ("ci", "permissions: {}\n", "permissions: write-all\n", "excessive-permissions"),
    ("ci", "  pull_request:\n", "  pull_request_target:\n", "dangerous-triggers"),
    ("ci", "uv run poe check", "echo ${{ github.head_ref }}", "template-injection"),
    ("ci", "persist-credentials: false", "persist-credentials: true", "artipacked"),
    ("retrain", "$EVENT", "${{ github.event.client_payload.why }}", "template-injection"),
    ("retrain", "$WHY", "${{ inputs.why }}", "template-injection"),
    ("rollback", "$WHY", "${{ inputs.why }}", "template-injection"),
    ("rollback", "vars.AZURE_CLIENT_ID", "secrets[inputs.why]", "overprovisioned-secrets"),
    ("publish", "enable-cache: false", "enable-cache: true", "cache-poisoning"),
    ("publish", "github.token", "secrets.TOKEN", "secrets-outside-env"),
    ("train", "pull_request:\n", "pull_request_target:\n", "dangerous-triggers"),
    ("train", " # the login to Azure, without a secret", "", "undocumented-permissions"),
    ("deliver", "concurrency:\n  group: deliver\n", "env_:\n  x: y\n", "concurrency-limits"),
]
INPUTS = [
    ("ci", "path: outputs", "paths: outputs", "actions/upload-artifact: {'paths'}"),
    ("deliver", "client-id:", "clientid:", "azure/login: {'clientid'}"),
    ("publish", "enable-cache:", "cache:", "astral-sh/setup-uv: {'cache'}"),
]


@pytest.fixture
def github(rendered: Callable[..., Project], tmp_path: Path) -> Project:
    """A project's workflows, which a test may spoil."""
    shutil.copytree(rendered(ANSWERS).path / ".github", tmp_path / ".github")
    commit_all(tmp_path, "Start")
    return Project(tmp_path)


def spoil(project: Project, workflow: str, old: str, new: str) -> None:
    """Plant a fault."""
    file = f".github/workflows/{workflow}.yml"
    assert old in project.read(file)
    project.write(file, project.read(file).replace(old, new, 1))


@pytest.mark.parametrize("planted", LINTED, ids=str)
def test_actionlint_fires(
    github: Project,
    actionlint: str,  # noqa: F811
    planted: tuple[str, str, str, str],
) -> None:
    workflow, old, new, word = planted
    spoil(github, workflow, old, new)
    said = linted(actionlint, github.path)
    assert f"{workflow}.yml" in said
    assert word in said, said


@pytest.mark.parametrize(("workflow", "old", "new", "finding"), AUDITED)
def test_zizmor_fires(github: Project, workflow: str, old: str, new: str, finding: str) -> None:
    spoil(github, workflow, old, new)
    assert finding in audited(github.path)


@pytest.mark.parametrize(("workflow", "old", "new", "fault"), INPUTS)
def test_an_input_that_an_action_does_not_have_is_seen(
    github: Project, workflow: str, old: str, new: str, fault: str
) -> None:
    spoil(github, workflow, old, new)
    assert unknown_inputs(github.path) == [fault]
