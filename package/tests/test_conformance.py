"""`template-check`: managed files are compared with a pristine render of the recorded version."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import copier
import pytest
import yaml
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.template import conformance, ownership

from tests.rendering import commit_all, copy_template

pytestmark = pytest.mark.usefixtures("copier_at_once")
TRAIN = "pipelines/components/train.yml"
WHEEL = "vendor/mlops_platform-0.0.1-py3-none-any.whl"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_template(tmp_path_factory.mktemp("conformance") / "template")
    commit_all(folder, "Release")
    subprocess.run(["git", "tag", "v2.0.0"], cwd=folder, check=True)
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    answers = {"project_name": "Credit Risk", "team": "@contoso/lending", "regulated": True}
    copier.run_copy(str(template), folder, data=answers, defaults=True, quiet=True)
    commit_all(folder, "Start")
    return folder


def agree(project: Path, path: str, **changes: object) -> None:
    """Enter a fork of `path` into conf/forks.yml."""
    entry = {
        "path": path,
        "reason": "our generator needs it so",
        "approved_by": "platform team",
        "until": datetime.now(UTC).date() + timedelta(days=30),
        "sha256": hashlib.sha256((project / path).read_bytes()).hexdigest(),
    }
    content = {"at_most": 1, "forks": [entry | changes]}
    (project / "conf" / "forks.yml").write_text(yaml.safe_dump(content))


def managed(project: Path) -> int:
    """How many of the project's files are the template's."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=project, capture_output=True, text=True, check=True
    )
    owners = [ownership.owner_of(path, ownership.rules()) for path in listed.stdout.splitlines()]
    assert owners.count("managed") > 40
    return owners.count("managed")


def test_a_fresh_project_follows(project: Path) -> None:
    assert conformance.check(project) == managed(project)


def test_a_hash_that_is_none_is_told_with_its_form(project: Path) -> None:
    agree(project, TRAIN, sha256="sha256:abc")
    with pytest.raises(UsageError, match="is not a SHA-256: write `sha256:` and its 64 digits"):
        conformance.check(project)


def test_what_is_the_teams_is_not_looked_at(project: Path) -> None:
    (project / "src" / "credit_risk" / "model.py").write_text("changed = True\n")
    (project / "README.md").write_text("ours\n")
    with (project / ".gitattributes").open("a") as attributes:
        attributes.write("*.parquet filter=lfs diff=lfs merge=lfs -text\n")
    (project / "pipelines" / "own.yml").write_text("ours: true\n")
    (project / "docs" / "own.md").write_text("ours\n")
    conformance.check(project)


def test_line_ends_of_a_checkout_are_no_difference(project: Path) -> None:
    path = project / TRAIN
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    conformance.check(project)


def test_changed_deleted_and_added_files_are_named_and_healed(project: Path) -> None:
    (project / TRAIN).write_text("# nothing to see\n")
    (project / "docs" / "gates.md").unlink()
    (project / WHEEL).write_bytes(b"of another\0release")
    [wheel] = [path for path in (project / "vendor").iterdir() if path != project / WHEEL]
    wheel.write_bytes(b"not\0ours")
    with pytest.raises(GateError) as failed:
        conformance.check(project)
    for line in (
        f"changed: {TRAIN}",
        "deleted: docs/gates.md",
        f"added: {WHEEL}",
        f"changed: vendor/{wheel.name}",
    ):
        assert line in str(failed.value)
    healing = ["git", "apply", "outputs/template-check.patch"]
    subprocess.run(healing, cwd=project, check=True)
    conformance.check(project)
    status = ["git", "status", "--porcelain"]
    assert subprocess.run(status, cwd=project, capture_output=True, check=True).stdout == b""


def test_a_folder_of_a_monorepo_is_healed_from_its_own_folder(project: Path) -> None:
    top = project.parent / "mono"
    top.mkdir()
    shutil.rmtree(project / ".git")
    folder = project.rename(top / "models")
    commit_all(top, "Start")
    (folder / TRAIN).write_bytes(b"caf\xe9\r\n")
    (folder / "docs" / "gates.md").unlink()
    with pytest.raises(GateError):
        conformance.check(folder)
    subprocess.run(["git", "apply", "outputs/template-check.patch"], cwd=folder, check=True)
    conformance.check(folder)
    status = ["git", "status", "--porcelain"]
    assert subprocess.run(status, cwd=top, capture_output=True, check=True).stdout == b""


def test_a_fork_on_purpose_is_left_alone(project: Path) -> None:
    (project / ".editorconfig").write_text("root = true\n")
    agree(project, ".editorconfig")
    conformance.check(project)


def test_a_fork_that_lapsed_is_named(project: Path) -> None:
    (project / ".editorconfig").write_text("root = true\n")
    agree(project, ".editorconfig", until=datetime.now(UTC).date() - timedelta(days=1))
    with pytest.raises(GateError, match="the approval ended"):
        conformance.check(project)


def test_a_fork_that_changed_again_is_named(project: Path) -> None:
    (project / ".editorconfig").write_text("root = true\n")
    agree(project, ".editorconfig")
    (project / ".editorconfig").write_text("root = false\n")
    with pytest.raises(GateError, match="changed since it was approved"):
        conformance.check(project)


def test_a_fork_that_follows_again_must_leave_the_list(project: Path) -> None:
    agree(project, ".editorconfig")
    with pytest.raises(GateError, match="is the same as in the template again"):
        conformance.check(project)


def test_the_list_grows_only_with_its_number(project: Path) -> None:
    (project / ".editorconfig").write_text("root = true\n")
    agree(project, ".editorconfig")
    listed = project / "conf" / "forks.yml"
    listed.write_text(listed.read_text().replace("at_most: 1", "at_most: 0"))
    with pytest.raises(GateError, match="to add an entry, increase this number, too"):
        conformance.check(project)


def test_a_fork_without_a_reason_is_refused(project: Path) -> None:
    agree(project, ".editorconfig", reason="")
    with pytest.raises(UsageError, match=r"forks\.0\.reason"):
        conformance.check(project)


def test_a_template_that_moved_can_be_named(project: Path, template: Path, tmp_path: Path) -> None:
    answers = project / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace(str(template), str(tmp_path / "gone")))
    with pytest.raises(UsageError, match="--template"):
        conformance.check(project)
    conformance.check(project, str(template))


def test_copier_is_the_one_of_the_lock(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No newer one is fetched, whatever lies on PATH: an update runs with tokens that may write."""
    tools = project.parent / "tools"
    tools.mkdir()
    for name in ("copier", "uvx"):
        (tools / name).write_text("#!/bin/sh\nexit 9\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    assert conformance.check(project) == managed(project)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"Copier is not in this environment\. Run `uv sync`"):
        conformance.check(project)


def test_a_project_without_answers_is_told_so(project: Path) -> None:
    (project / ".copier-answers.yml").unlink()
    with pytest.raises(UsageError, match="Restore it from git"):
        conformance.check(project)
