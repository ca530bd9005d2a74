"""`hooks fleet update --pull-request` asks the owners of each project for a review."""

import json
from pathlib import Path

import pytest

from hooks.fleet import pull_requests
from hooks.projects import HookError
from tests.update.fleets import Fleet, command_lines, git, published, rows

BRANCH = "copier-update-v0.2.0"
HOSTS = {"gh": "https://github.example/o/r.git", "az": "https://dev.azure.com/o/p/_git/r"}
ADDRESSES = {
    "gh": "https://github.com/o/r/pull/7",
    "az": "https://dev.azure.com/o/p/_git/r/pullrequest/7",
}


@pytest.fixture
def project(fleet: Fleet) -> Path:
    """A project with owners, and an origin."""
    project = fleet.start("one")
    answers = project / ".copier-answers.yml"
    answers.write_text(f"{answers.read_text()}team: '@contoso/lending'\nuser_email: ml@x.com\n")
    git(project, "commit", "--quiet", "--all", "--message", "Owners")
    bare, _ = published(project, fleet.home)
    git(project, "remote", "add", "origin", str(bare))
    return project


def place_at(project: Path, program: str) -> None:
    """Give origin the address of a host; git reaches the folder that it is."""
    folder = git(project, "remote", "get-url", "origin").strip()
    git(project, "remote", "set-url", "origin", HOSTS[program])
    git(project, "config", f"url.{folder}.pushInsteadOf", HOSTS[program])


@pytest.mark.parametrize(
    ("program", "owners"),
    [("gh", ["--reviewer", "contoso/lending"]), ("az", ["--reviewers", "ml@x.com"])],
)
def test_the_owners_are_asked_once(
    fleet: Fleet, project: Path, program: str, owners: list[str]
) -> None:
    place_at(project, program)
    path, kept = command_lines(fleet.home)
    first = rows(fleet.run("update", "--json", "--pull-request", project, PATH=path))["one"]
    assert (first["state"], first["pull_request"]) == ("updated", ADDRESSES[program])
    again = rows(fleet.run("update", "--json", "--pull-request", project, PATH=path))["one"]
    assert (again["state"], again["pull_request"]) == ("there already", ADDRESSES[program])
    [made] = json.loads(kept.read_text())
    assert (made["program"], made["branch"], made["folder"]) == (program, BRANCH, str(project))
    assert made["words"][-2:] == owners
    assert "Update to v0.2.0 of the template" in made["words"]


def test_a_request_that_fails_is_told_and_can_be_repeated(fleet: Fleet, project: Path) -> None:
    path, kept = command_lines(fleet.home)
    asked = ("update", "--json", "--pull-request", project)
    row = rows(fleet.run(*asked, expect=1, PATH=path, REFUSES="1"))["one"]
    assert row["state"] == "by hand"
    assert row["note"].startswith(f"{BRANCH} is at origin, but has no pull request. `gh pr list`")
    assert "could not resolve to a Team" in row["note"]
    assert "secret" not in row["note"]
    assert not kept.exists()
    row = rows(fleet.run(*asked, PATH=path))["one"]
    assert (row["state"], row["pull_request"]) == ("there already", ADDRESSES["gh"])


@pytest.mark.parametrize(
    ("program", "said"), [("gh", "set GH_TOKEN"), ("az", "set AZURE_DEVOPS_EXT_PAT")]
)
def test_without_the_command_line_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HookError, match=f"`{program}` is not on PATH. Install .*{said}"):
        pull_requests._run(tmp_path, program, "pr", "list")
