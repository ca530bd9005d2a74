"""The rendered workflows of GitHub: nothing to find in them, in any combination."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import Project
from tests.render.conftest import COMBINATIONS
from tests.render.github_checks import actionlint, audited, linted, unknown_inputs  # noqa: F401  a fixture
from tests.rendering import commit_all

GITHUB = [answers for answers in COMBINATIONS if answers["ci"] == "github"]
PINNED = re.compile(r"^\s*-? ?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", re.M)
# Who may do more than read, and why.
ALLOWED = {
    ("ci", "comment"): {"contents": "read", "pull-requests": "write"},
    ("deliver", "share"): {"attestations": "write", "contents": "read", "id-token": "write"},
    ("publish", "publish"): {"attestations": "write", "contents": "write", "id-token": "write"},
    ("template-update", "template-update"): {"contents": "write", "pull-requests": "write"},
}
LOCKS = {("deliver", "staging"): "staging", ("deliver", "production"): "prod"}


@pytest.fixture(scope="module")
def kinds(
    rendered: Callable[..., Project], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Each different `.github` of all combinations, as a repository."""
    found: dict[str, Path] = {}
    for answers in GITHUB:
        source = rendered(answers).path / ".github"
        files = sorted(path for path in source.rglob("*") if path.is_file())
        key = "\0".join(f"{path.relative_to(source)}\0{path.read_text()}" for path in files)
        if key not in found:
            folder = tmp_path_factory.mktemp("github")
            for path in files:
                copy = folder / ".github" / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(path.read_text())
            commit_all(folder, "Start")
            found[key] = folder
    return found


def test_actionlint_with_shellcheck_finds_nothing(kinds: dict[str, Path], actionlint: str) -> None:  # noqa: F811
    assert len(kinds) == 4  # with and without a cloud, with and without an endpoint
    assert [linted(actionlint, folder) for folder in kinds.values()] == [""] * len(kinds)


def test_zizmor_finds_nothing(kinds: dict[str, Path]) -> None:
    assert [audited(folder) for folder in kinds.values()] == [set()] * len(kinds)


def test_actions_are_given_inputs_that_they_have(kinds: dict[str, Path]) -> None:
    assert [unknown_inputs(folder) for folder in kinds.values()] == [[]] * len(kinds)


def test_the_workflows_are_careful(rendered: Callable[..., Project]) -> None:
    project = rendered({**GITHUB[0], "cloud": "azureml"})
    files = sorted((project.path / ".github" / "workflows").glob("*.yml"))
    assert len(files) == 9
    for file in files:
        text = file.read_text()
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {}
        assert workflow["concurrency"]["group"]
        if file.stem != "ci":
            assert workflow["concurrency"]["cancel-in-progress"] is False
        assert workflow["env"]["UV_LOCKED"] == "1"
        assert len(PINNED.findall(text)) == text.count("uses:")
        for name, job in workflow["jobs"].items():
            _careful(file.stem, name, job)
    rollback = project.yaml(".github/workflows/rollback.yml")
    assert rollback["concurrency"]["group"] == "prod"  # the same lock as production's
    assert rollback["on"]["workflow_dispatch"]["inputs"]["why"]["required"] is True


def _careful(workflow: str, name: str, job: dict) -> None:
    logged_in = {"contents": "read", "id-token": "write"}
    reads = logged_in if "environment" in job else {"contents": "read"}
    assert job["permissions"] == ALLOWED.get((workflow, name), reads)
    assert job["timeout-minutes"] <= 300
    uses = [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]
    assert ("azure/login" in uses) == ("environment" in job)
    for step in job["steps"]:
        assert "${{" not in step.get("run", "")
        if step.get("uses", "").startswith("astral-sh/setup-uv@"):
            assert isinstance(step["with"]["python-version"], str)
            assert step["with"].get("enable-cache", True) == (workflow != "publish")
    lock = LOCKS.get((workflow, name))
    if lock:
        assert job["concurrency"] == {"group": lock, "cancel-in-progress": False}
        login, last = job["steps"][-2:]
        assert login["uses"].startswith("azure/login@")  # the first one may have run out
        assert last["run"].endswith("--abort")
        assert login["if"] == last["if"] == "${{ cancelled() || failure() }}"


@pytest.mark.parametrize("name", ["question", "data", "experiment", "model"])
def test_issue_forms_have_what_github_needs(rendered: Callable[..., Project], name: str) -> None:
    form = rendered(GITHUB[0]).yaml(f".github/ISSUE_TEMPLATE/{name}.yml")
    assert form["name"]
    assert form["description"]
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids)) >= 3
    for field in form["body"]:
        assert field["type"] in {"textarea", "input", "dropdown"}
        assert field["attributes"]["label"]
        assert (field["type"] == "dropdown") == ("options" in field["attributes"])
    assert any(field.get("validations", {}).get("required") for field in form["body"])
