"""Updates from the template as a pull request: a draft if a person has to decide."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import copier
import pytest
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.template import request

from package.tests import services
from package.tests.services import Service
from tests.rendering import commit_all, copy_template

pytestmark = pytest.mark.usefixtures("copier_at_once")
BRANCH = "template-update-v3.0.0"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_template(tmp_path_factory.mktemp("request") / "template", small=True)
    tasks = folder / "template" / "poe_tasks.toml.jinja"
    for tag in ("v2.0.0", "v3.0.0"):
        tasks.write_text(f"# Tasks of {tag}\n" + tasks.read_text().partition("\n")[2])
        changelog = "# Changelog\n\n## 3.0.0\n\nOther tasks.\n\n## 2.0.0\n\nThe first.\n"
        (folder / "CHANGELOG.md").write_text(changelog)
        commit_all(folder, tag)
        git(folder, "tag", tag)
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A project of the first release, with an origin."""
    folder, origin = tmp_path / "project", tmp_path / "origin.git"
    answers = {"project_name": "Credit Risk", "user_email": "team@contoso.com"}
    copier.run_copy(
        str(template), folder, data=answers, vcs_ref="v2.0.0", defaults=True, quiet=True
    )
    commit_all(folder, "Start")
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    git(folder, "remote", "add", "origin", str(origin))
    return folder


@pytest.fixture(autouse=True)
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for `uv lock` and `uv run poe check`: what they find is not asked here."""
    services.no_ci(monkeypatch)
    script = tmp_path / "bin" / "uv"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\necho "uv $*"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    return script


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Service]:
    with services.serve() as service:
        yield services.as_github(service, monkeypatch, tmp_path)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_news_are_pushed_and_a_review_is_asked_for(project: Path, github: Service) -> None:
    request.run(project)
    assert "# Tasks of v3.0.0" in git(project, "show", f"origin/{BRANCH}:poe_tasks.toml")
    assert git(project, "log", "-1", "--format=%an %ae", f"origin/{BRANCH}").strip() == (
        "template-update team@contoso.com"
    )
    [asked] = github.pulls
    assert (asked["head"], asked["base"], asked["draft"]) == (BRANCH, "main", False)
    assert "From v2.0.0 to v3.0.0" in asked["body"]
    assert "`git diff v2.0.0 v3.0.0 -- package/src`" in asked["body"]
    assert asked["body"].endswith("# Changelog of the template\n\n## 3.0.0\n\nOther tasks.\n")


def test_azure_repos_is_asked_in_its_own_words(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILD_SOURCEBRANCH", "refs/heads/release/2026")
    with services.serve() as service:
        services.as_azure(service, monkeypatch)
        request.run(project)
        [asked] = service.pulls
    assert asked["sourceRefName"] == f"refs/heads/{BRANCH}"
    assert asked["targetRefName"] == "refs/heads/release/2026"
    assert asked["isDraft"] is False


def edit_a_managed_file(project: Path) -> None:
    tasks = project / "poe_tasks.toml"
    tasks.write_text("# ours\n" + tasks.read_text().partition("\n")[2])
    commit_all(project, "Edit a managed file")


def test_conflicts_make_a_draft_that_names_them(project: Path, github: Service) -> None:
    edit_a_managed_file(project)
    request.run(project)
    [asked] = github.pulls
    assert asked["draft"] is True
    assert "- conflict: `poe_tasks.toml`" in asked["body"]
    assert "<<<<<<< before updating" in git(project, "show", f"origin/{BRANCH}:poe_tasks.toml")


def test_checks_that_fail_make_a_draft_that_says_so(
    project: Path, github: Service, uv: Path
) -> None:
    uv.write_text('#!/bin/sh\necho "uv $*: E501 Line too long"\n[ "$1" = lock ]\n')
    request.run(project)
    [asked] = github.pulls
    assert asked["draft"] is True
    assert "`uv run poe check` failed" in asked["body"]
    assert "E501 Line too long" in asked["body"]


def test_a_second_run_asks_for_nothing_more(project: Path, github: Service) -> None:
    request.run(project)
    git(project, "switch", "--quiet", "main")
    request.run(project)
    assert len(github.pulls) == 1
    assert git(project, "status", "--porcelain") == ""


def test_without_news_nothing_happens(project: Path, github: Service) -> None:
    request.run(project)
    git(project, "switch", "--quiet", "--detach", f"origin/{BRANCH}")  # it has the newest release
    request.run(project)
    assert len(github.pulls) == 1


def test_on_a_laptop_the_branch_is_pushed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request.run(project)
    assert "create a pull request" in capsys.readouterr().out
    assert BRANCH in git(project, "ls-remote", "--heads", "origin")


def test_on_a_laptop_conflicts_are_told_and_fail(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_a_managed_file(project)
    with pytest.raises(GateError, match="a person has to decide"):
        request.run(project)
    assert "- conflict: `poe_tasks.toml`" in capsys.readouterr().out
    assert BRANCH in git(project, "ls-remote", "--heads", "origin")


def test_what_is_there_already_leaves_no_file_behind(
    project: Path, template: Path, github: Service
) -> None:
    page = template / "template" / "docs" / "new-page.md"
    page.write_text("# New page\n")
    commit_all(template, "A page")
    git(template, "tag", "v4.0.0")
    try:
        request.run(project)
        git(project, "switch", "--quiet", "main")
        request.run(project)
    finally:
        git(template, "tag", "-d", "v4.0.0")
        page.unlink()
        commit_all(template, "As before")
    assert "docs/new-page.md" in git(project, "ls-tree", "-r", "origin/template-update-v4.0.0")
    assert git(project, "status", "--porcelain") == ""


def test_after_a_refused_push_it_can_run_again(project: Path, github: Service) -> None:
    refuses = project.parent / "origin.git" / "hooks" / "pre-receive"
    refuses.write_text("#!/bin/sh\necho no workflows from here; exit 1\n")
    refuses.chmod(0o755)
    with pytest.raises(UsageError, match="no workflows from here"):
        request.run(project)
    assert git(project, "branch", "--format=%(refname:short)").split() == ["main"]
    assert git(project, "status", "--porcelain") == ""
    refuses.unlink()
    request.run(project)
    assert [asked["head"] for asked in github.pulls] == [BRANCH]


def test_a_branch_of_that_name_is_not_written_over(project: Path) -> None:
    git(project, "branch", BRANCH)
    with pytest.raises(UsageError, match=f"git branch -D {BRANCH}"):
        request.run(project)
    assert git(project, "status", "--porcelain") == ""


def test_an_origin_that_refuses_is_told(project: Path) -> None:
    git(project, "remote", "set-url", "origin", str(project.parent / "gone.git"))
    with pytest.raises(UsageError, match=r"git ls-remote.* failed"):
        request.run(project)


def test_tokens_go_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert request._credentials() == {}
    monkeypatch.setenv("SYSTEM_ACCESSTOKEN", "secret")
    assert request._credentials() == {"http.extraHeader": "AUTHORIZATION: bearer secret"}
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    assert request._credentials() == {
        "http.extraHeader": "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46c2VjcmV0"
    }


def state(project: Path) -> tuple[str, ...]:
    """What a failed run must leave: checked-out branch, branches, work trees, files."""
    asked = (
        ("symbolic-ref", "HEAD"),
        ("for-each-ref", "refs/heads"),
        ("worktree", "list"),
        ("status", "--porcelain", "--ignored"),
        ("stash", "list"),
    )
    return tuple(git(project, *words) for words in asked)


def seed_signature(project: Path) -> None:
    git(project, "config", "commit.gpgSign", "true")
    git(project, "config", "gpg.program", "false")


def heal_signature(project: Path) -> None:
    git(project, "config", "commit.gpgSign", "false")


def seed_hook(project: Path) -> None:
    hook = project / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not from here >&2\nexit 1\n")
    hook.chmod(0o755)


def heal_hook(project: Path) -> None:
    (project / ".git" / "hooks" / "pre-push").unlink()


def seed_network(project: Path) -> None:
    (project.parent / "origin.git").rename(project.parent / "away.git")


def heal_network(project: Path) -> None:
    (project.parent / "away.git").rename(project.parent / "origin.git")


@pytest.mark.parametrize(
    ("seed", "heal", "said"),
    [
        pytest.param(seed_signature, heal_signature, "gpg failed to sign", id="signature"),
        pytest.param(seed_hook, heal_hook, "not from here", id="push-hook"),
        pytest.param(seed_network, heal_network, "git ls-remote origin", id="network"),
    ],
)
def test_a_step_that_fails_leaves_the_project_and_a_second_try_works(
    project: Path,
    github: Service,
    seed: Callable[[Path], None],
    heal: Callable[[Path], None],
    said: str,
) -> None:
    before = state(project)
    seed(project)
    with pytest.raises(UsageError, match=said):
        request.run(project)
    assert state(project) == before
    assert github.pulls == []
    heal(project)
    request.run(project)
    assert state(project) == before
    assert [asked["head"] for asked in github.pulls] == [BRANCH]


def test_a_pull_request_that_cannot_be_created_leaves_no_branch_at_origin(
    project: Path, github: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(project)
    with monkeypatch.context() as patch:
        patch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
        with pytest.raises(UsageError, match="pull request cannot be reached"):
            request.run(project)
    assert git(project, "ls-remote", "--heads", "origin") == ""
    assert state(project) == before
    request.run(project)
    assert [asked["head"] for asked in github.pulls] == [BRANCH]


def test_a_commit_in_progress_of_another_folder_stays(project: Path) -> None:
    """The project is a folder of a monorepo, and somebody works in the next one."""
    top = project.parent / "mono"
    top.mkdir()
    shutil.rmtree(project / ".git")
    project.rename(top / "project")
    (top / "other.txt").write_text("committed")
    commit_all(top, "Start")
    git(top, "remote", "add", "origin", str(project.parent / "origin.git"))
    (top / "other.txt").write_text("half a sentence")
    request.run(top / "project")
    assert (top / "other.txt").read_text() == "half a sentence"
    assert "# Tasks of v3.0.0" in git(top, "show", f"origin/{BRANCH}:project/poe_tasks.toml")
    assert git(top, "show", f"origin/{BRANCH}:other.txt") == "committed"
