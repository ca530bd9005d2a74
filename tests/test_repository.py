"""This repository holds itself to what it renders: lock, workflow, hooks and policy."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from mlops_platform.delivery.audit import pins

from tests.render.github_checks import actionlint, audited, linted  # noqa: F401  a fixture
from tests.render.test_github import PINNED
from tests.rendering import ROOT, commit_all

INDEX = {"pypi.org", "files.pythonhosted.org"}
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def hosts(lock: str) -> set[str]:
    """The hosts that a lock names."""
    return {urlsplit(url).netloc for url in re.findall(r"https?://[^\"\s]+", lock)}


def test_the_lock_is_content_and_names_no_other_index() -> None:
    assert hosts((ROOT / "uv.lock").read_text()) == INDEX
    check = ["uv", "lock", "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        ["git", "ls-files", "--", "uv.lock"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert listed.stdout == "uv.lock\n"


def test_another_index_in_a_lock_is_seen() -> None:
    assert hosts('source = { registry = "https://feed.example.com/simple" }') == {
        "feed.example.com"
    }


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The workflows alone, as a repository."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    commit_all(tmp_path, "Start")
    return tmp_path


def test_the_workflow_has_nothing_to_find(repository: Path, actionlint: str) -> None:  # noqa: F811
    assert linted(actionlint, repository) == ""
    assert audited(repository) == set()
    for file in WORKFLOW.parent.iterdir():
        text = file.read_text()
        assert len(PINNED.findall(text)) == text.count("uses:") > 0
    assert pins.check(ROOT) == ([], [])


def test_a_fault_in_the_workflow_is_seen(repository: Path, actionlint: str) -> None:  # noqa: F811
    workflow = repository / ".github" / "workflows" / "ci.yml"
    workflow.write_text(
        workflow.read_text().replace("${{ matrix.os }}\n", "${{ matrix.system }}\n")
    )
    assert "matrix" in linted(actionlint, repository)
    workflow.write_text(WORKFLOW.read_text().replace("permissions: {}", "permissions: write-all"))
    assert "excessive-permissions" in audited(repository)


def test_the_workflow_tests_what_the_policy_supports() -> None:
    policy = (ROOT / "SECURITY.md").read_text()
    matrix = yaml.safe_load(WORKFLOW.read_text())["jobs"]["test"]["strategy"]["matrix"]
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    (pythons,) = re.findall(r"^\| Python \| ([\d., ]+) \|", policy, re.MULTILINE)
    supported = pythons.split(", ")
    assert set(matrix["python"]) == {supported[0], supported[-1]}
    for project in (ROOT / "pyproject.toml", ROOT / "package" / "pyproject.toml"):
        wanted = tomllib.loads(project.read_text())["project"]["requires-python"]
        upper = f"3.{int(supported[-1].partition('.')[2]) + 1}"
        assert wanted == f">={supported[0]},<{upper}"
    settings = yaml.safe_load((ROOT / "copier.yml").read_text())
    assert f"| Copier | {settings['_min_copier_version'].removesuffix('.0')} and newer" in policy


def test_uv_is_the_one_that_projects_use() -> None:
    version = re.compile(r'version: "(0\.\d+\.\d+)"')
    rendered = ROOT / "examples" / "credit-risk" / ".github" / "workflows" / "ci.yml"
    assert set(version.findall(WORKFLOW.read_text())) == set(version.findall(rendered.read_text()))


def test_hooks_need_no_other_host_and_pass() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] in {"system", "pygrep"}
    run = ["pre-commit", "run", "--all-files", "conflict-markers"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


ANSWER = re.compile(r"template-update --data (\w+)=([\w-]+)")


def wrong_answers(text: str) -> list[str]:
    """Answers that a text tells people to give, and that copier.yml does not have."""
    questions = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))

    def known(name: str) -> set[str]:
        choices = questions.get(name, {}).get("choices", {})
        return set(choices.values() if isinstance(choices, dict) else choices)

    return [f"{name}={value}" for name, value in ANSWER.findall(text) if value not in known(name)]


def test_messages_and_pages_name_answers_that_there_are() -> None:
    files = [*(ROOT / "package" / "src").rglob("*.py"), *(ROOT / "template").rglob("*.md*")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    assert sum(len(ANSWER.findall(text)) for text in texts) >= 5
    assert [fault for text in texts for fault in wrong_answers(text)] == []
    assert wrong_answers("`template-update --data cloud=azure`") == ["cloud=azure"]
    assert wrong_answers("`template-update --data clouds=none`") == ["clouds=none"]
