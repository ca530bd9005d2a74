"""A run's summary on the pages of CI, against stand-ins for GitHub and Azure Repos."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.delivery import job_page, pull_request

from package.tests import services
from package.tests.services import Service


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    services.no_ci(monkeypatch)


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Service]:
    with services.serve() as service:
        yield services.as_github(service, monkeypatch, tmp_path)


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with services.serve() as service:
        yield services.as_azure(service, monkeypatch)


def test_one_comment_is_kept_current_on_github(github: Service) -> None:
    assert pull_request.comment("first")
    assert pull_request.comment("second")
    assert [each["body"] for each in github.comments] == [
        "somebody's",
        None,
        f"{pull_request.MARK}\nsecond",
    ]


@pytest.mark.parametrize("others", [98, 99, 100, 198, 250])
def test_a_comment_on_a_later_page_is_found(github: Service, others: int) -> None:
    github.comments += [{"id": 1000 + number, "body": "x"} for number in range(others - 2)]
    assert pull_request.comment("first")
    assert pull_request.comment("second")
    ours = [each for each in github.comments if pull_request.MARK in (each["body"] or "")]
    assert [each["body"] for each in ours] == [f"{pull_request.MARK}\nsecond"]


def test_one_comment_is_kept_current_in_azure_repos(azure: Service) -> None:
    assert pull_request.comment("first")
    assert pull_request.comment("second")
    assert [thread["comments"][0]["content"] for thread in azure.threads] == [
        "somebody's",
        f"{pull_request.MARK}\nsecond",
    ]


def test_outside_of_a_pull_request_there_is_nothing_to_comment(
    github: Service, tmp_path: Path
) -> None:
    (tmp_path / "event.json").write_text(json.dumps({"ref": "refs/heads/main"}))
    assert not pull_request.comment("text")
    assert len(github.comments) == 2


@pytest.mark.parametrize(("token", "says"), [("", "GITHUB_TOKEN is not set"), ("x", "403")])
def test_a_token_that_may_not_is_told(
    github: Service, monkeypatch: pytest.MonkeyPatch, token: str, says: str
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", token)
    with pytest.raises(UsageError, match=says):
        pull_request.comment("text")
    assert len(github.comments) == 2


def test_the_pages_of_jobs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "summary.md"
    text.write_text("## Training\n")
    job_page.add_summary(text)
    job_page.set_output("version", "3")
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("TF_BUILD", "True")
    job_page.add_summary(text)
    job_page.set_output("version", "3")
    assert capsys.readouterr().out.splitlines() == [
        f"##vso[task.uploadsummary]{text}",
        "##vso[task.setvariable variable=version;isOutput=true]3",
    ]
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "values"))
    job_page.add_summary(text)
    job_page.set_output("version", "3")
    assert (tmp_path / "page").read_text() == "## Training\n"
    assert (tmp_path / "values").read_text() == "version=3\n"
