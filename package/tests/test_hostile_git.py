"""The template's commands do the same whatever git is told by a user's settings or by a hook."""

import os
import shutil
import subprocess
from pathlib import Path

import copier
import pytest
from mlops_platform.core import git
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.template import changelog, conformance, request, update

from package.tests import hostile, services
from tests.rendering import commit_all, copy_template

pytestmark = pytest.mark.usefixtures("copier_at_once")
FOREIGN = "docs/caf\N{LATIN SMALL LETTER E WITH ACUTE}.md"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small template whose second release changes a file, adds one and removes one."""
    folder = copy_template(tmp_path_factory.mktemp("hostile") / "template", small=True)
    tasks = folder / "template" / "poe_tasks.toml.jinja"
    gone = folder / "template" / "docs" / "gone.md"
    gone.write_text("Of the first release.\n")
    for tag in ("v2.0.0", "v3.0.0"):
        tasks.write_text(f"# Tasks of {tag}\n" + tasks.read_text().partition("\n")[2])
        (folder / "CHANGELOG.md").write_text("## 3.0.0\n\nOther tasks.\n")
        commit_all(folder, tag)
        subprocess.run(["git", "tag", tag], cwd=folder, check=True)
        gone.unlink(missing_ok=True)
        (folder / "template" / FOREIGN).write_text("New, spaces at the end:  \n")
    return folder


@pytest.fixture(scope="module")
def started(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("started") / "project"
    answers = {"project_name": "Credit Risk", "user_email": "team@contoso.com"}
    copier.run_copy(
        str(template), folder, data=answers, vcs_ref="v2.0.0", defaults=True, quiet=True
    )
    commit_all(folder, "Start")
    return folder


@pytest.fixture
def project(started: Path, tmp_path: Path) -> Path:
    return shutil.copytree(started, tmp_path / "project")


@pytest.fixture
def surroundings(tmp_path: Path) -> hostile.Surroundings:
    return hostile.Surroundings(tmp_path / "surroundings")


def index(project: Path) -> str:
    return git.text(project, "ls-files", "--stage")


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_check(
    project: Path, surroundings: hostile.Surroundings, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (project / "poe_tasks.toml").write_bytes(b"caf\xe9\n")
    (project / "docs" / "gates.md").unlink()
    before = index(project)
    surroundings.seed(monkeypatch, kind)
    with pytest.raises(GateError) as failed:
        conformance.check(project)
    assert "changed: poe_tasks.toml" in str(failed.value)
    assert "deleted: docs/gates.md" in str(failed.value)
    assert index(project) == before
    surroundings.assert_unused()
    git.run(project, "apply", conformance.PATCH.as_posix())
    assert git.text(project, "status", "--porcelain") == ""


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_update(
    project: Path, surroundings: hostile.Surroundings, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    tasks = project / "poe_tasks.toml"
    tasks.write_text("# ours\n" + tasks.read_text().partition("\n")[2])
    commit_all(project, "Edit")
    surroundings.seed(monkeypatch, kind)
    done = update.update(project, [])
    assert (done.before, done.after, done.conflicts) == ("v2.0.0", "v3.0.0", ["poe_tasks.toml"])
    assert git.text(project, "status", "--porcelain").splitlines() == [
        " M .copier-answers.yml",
        " D docs/gone.md",
        "UU poe_tasks.toml",
        '?? "docs/caf\\303\\251.md"',
    ]
    assert (project / FOREIGN).read_text() == "New, spaces at the end:  \n"
    assert "# ours\n" in tasks.read_text()
    surroundings.assert_unused()


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_new_files_are_seen(
    project: Path, surroundings: hostile.Surroundings, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (project / "notes.md").write_text("a week of work")
    surroundings.seed(monkeypatch, kind)
    with pytest.raises(UsageError, match="uncommitted work"):
        update.update(project, [])


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_changelog(
    template: Path,
    surroundings: hostile.Surroundings,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    surroundings.seed(monkeypatch, kind)
    assert "Other tasks." in changelog.read(str(template), "v2.0.0", "v3.0.0")
    surroundings.assert_unused()


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_pull_request(
    project: Path, surroundings: hostile.Surroundings, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Signatures and hooks of a push are the user's choice: here the project has none."""
    services.no_ci(monkeypatch)
    uv = project.parent / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(uv.parent), prepend=os.pathsep)
    git.run(project.parent, "init", "--bare", "--quiet", "origin.git")
    git.run(project, "remote", "add", "origin", str(project.parent / "origin.git"))
    if kind == "settings":
        git.run(project, "config", "commit.gpgSign", "false")
        git.run(project, "config", "core.hooksPath", ".git/hooks")
        git.run(project.parent / "origin.git", "config", "core.hooksPath", "hooks")
    before = index(project)
    surroundings.seed(monkeypatch, kind)
    request.run(project)
    assert "template-update-v3.0.0" in git.text(project, "ls-remote", "--heads", "origin")
    assert index(project) == before
    assert git.text(project, "status", "--porcelain") == ""
    surroundings.assert_unused()


@pytest.mark.parametrize("name", sorted(hostile.SETTINGS))
def test_the_patch_is_the_same_under_each_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """And where the folder of temporary files lies in a repository that has such settings."""
    scratch = tmp_path / "scratch"
    lines = [f"line {number}\n" for number in range(20)]
    for side, changed in (("a", "old  \r\n"), ("b", "new\n")):
        (scratch / side).mkdir(parents=True)
        (scratch / side / "text").write_text("".join([*lines, changed, *lines]), newline="")
        (scratch / side / "bytes").write_bytes(b"\0caf\xe9" + changed.encode())
    before = git.compare(scratch, "a", "b")
    assert before.count(b"\n line ") == 6, "three lines of context on each side"
    value = hostile.SETTINGS[name].format(folder=tmp_path)
    git.run(tmp_path, "init", "--quiet")
    git.run(tmp_path, "config", name, value)
    (tmp_path / "attributes").write_text("* diff=odd\n")
    git.run(tmp_path, "config", "--file", "global", name, value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global"))
    assert git.compare(scratch, "a", "b") == before
