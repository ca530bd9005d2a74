"""The list of releases, and the clone with a tag for each."""

from pathlib import Path

import pytest

from hooks.projects import HookError
from hooks.release.history import LIST, next_version, releases, tagged_clone
from tests.rendering import ROOT, commit_all
from tests.update.releases import git


def write(root: Path, listed: list[tuple[str, str]], version: str) -> None:
    """A repository's list of releases, and its version."""
    (root / LIST).parent.mkdir(parents=True, exist_ok=True)
    lines = [f'  {{ version = "{number}", commit = "{commit}" }},\n' for number, commit in listed]
    (root / LIST).write_text(f"releases = [\n{''.join(lines)}]\n")
    (root / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the releases 0.1.0 and 0.2.0, work on 0.3.0, and no tag."""
    root = tmp_path / "repository"
    listed: list[tuple[str, str]] = []
    for number in ("0.1.0", "0.2.0"):
        write(root, listed, number)
        commit_all(root, number)
        listed.append((number, git(root, "rev-parse", "HEAD").strip()))
    write(root, listed, "0.3.0")
    commit_all(root, "Work")
    return root


def test_each_release_and_the_work_tree_are_tags(repository: Path, tmp_path: Path) -> None:
    (repository / "new.txt").write_text("not committed\n")
    (repository / ".gitignore").write_text("ignored.txt\n")
    (repository / "ignored.txt").write_text("ignored\n")
    state = git(repository, "status", "--porcelain"), git(repository, "log", "--format=%H")
    fresh = tmp_path / "fresh"
    git(tmp_path, "clone", "--quiet", "--no-tags", str(repository), str(fresh))
    for root in (repository, fresh):
        clone = tmp_path / f"of-{root.name}"
        tagged = tagged_clone(clone, root)
        assert [release.tag for release in tagged] == ["v0.1.0", "v0.2.0", "v0.3.0"]
        for release in tagged:
            assert git(clone, "rev-parse", release.tag).strip() == release.commit
        assert 'version = "0.1.0"' in git(clone, "show", "v0.1.0:pyproject.toml")
        assert git(clone, "status", "--porcelain") == ""
    assert (tmp_path / "of-repository" / "new.txt").read_text() == "not committed\n"
    assert not (tmp_path / "of-repository" / "ignored.txt").exists()
    assert state == (
        git(repository, "status", "--porcelain"),
        git(repository, "log", "--format=%H"),
    )
    assert git(repository, "tag") == ""


def test_a_shallow_clone_gets_advice(repository: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", repository.as_uri(), str(shallow))
    with pytest.raises(HookError, match=r"release 0.1.0 is commit \w+, .* git fetch --unshallow"):
        tagged_clone(tmp_path / "clone", shallow)


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([("0.2.0", "a" * 40), ("0.1.0", "b" * 40)], "0.1.0 comes after 0.2.0"),
        ([("0.1.0", "abc")], "40 digits"),
    ],
)
def test_a_bad_list_is_refused(tmp_path: Path, listed: list[tuple[str, str]], message: str) -> None:
    write(tmp_path, listed, "0.1.0")
    with pytest.raises(HookError, match=message):
        releases(tmp_path)


def test_the_next_version(tmp_path: Path) -> None:
    write(tmp_path, [], "0.1.0")
    assert next_version(tmp_path) == "0.1.0"
    write(tmp_path, [("0.1.0", "a" * 40)], "0.2.0")
    assert next_version(tmp_path) == "0.2.0"
    write(tmp_path, [("0.1.0", "a" * 40)], "0.1.0")
    assert next_version(tmp_path) == "0.1.1"


def test_our_own_list_can_be_read() -> None:
    assert [release.version for release in releases(ROOT)][:1] == ["0.1.0"]
