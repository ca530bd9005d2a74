"""A run's summary on the pages of CI, against stand-ins for GitHub and Azure Repos."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from credit_risk.mlops import pull_request, run_page, summary
from credit_risk.mlops.errors import UsageError

from tests.standard import services
from tests.standard.services import Service


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
    run_page.summary(text)
    run_page.value("version", "3")
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("TF_BUILD", "True")
    run_page.summary(text)
    run_page.value("version", "3")
    assert capsys.readouterr().out.splitlines() == [
        f"##vso[task.uploadsummary]{text}",
        "##vso[task.setvariable variable=version;isOutput=true]3",
    ]
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "values"))
    run_page.summary(text)
    run_page.value("version", "3")
    assert (tmp_path / "page").read_text() == "## Training\n"
    assert (tmp_path / "values").read_text() == "version=3\n"


def test_the_table_has_metrics_beside_the_champions_and_gates() -> None:
    verdict = {"gate": "quality: auc", "passed": False, "blocks": True, "message": "auc is 0.6"}
    evaluation = {
        "measures": [
            {"name": "auc", "value": 0.61234, "low": 0.6, "high": 0.7},
            {"name": "f1", "value": 0.5, "low": None, "high": None},
        ],
        "verdicts": [verdict],
    }
    comparison = {
        "decision": "rejected",
        "reason": "worse than the champion by 0.1",
        "champion_measures": {"auc": 0.7},
        "verdicts": [{**verdict, "gate": "size", "passed": True, "message": "1 MB"}],
    }
    text = summary.markdown({"evaluation": evaluation, "comparison": comparison})
    assert "**Rejected**: worse than the champion by 0.1." in text
    assert "| auc | 0.6123 | 0.6000 to 0.7000 | 0.7000 |" in text
    assert "| f1 | 0.5000 | none | none |" in text
    assert "| quality: auc | FAILED | auc is 0.6 |" in text
    assert "| size | passed | 1 MB |" in text

    alone = summary.markdown({"evaluation": evaluation})
    assert "| auc | 0.6123 | 0.6000 to 0.7000 | not compared |" in alone


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (
            {"validation": {"findings": [{"column": "kwh", "message": "the column is missing"}]}},
            "**Stopped** by the data contract:\n\n- column `kwh`: the column is missing\n",
        ),
        (
            {
                "validation": {"findings": []},
                "training": {
                    "outcome": "no_better_than_baseline",
                    "metric": "auc",
                    "value": 0.49,
                    "baseline": 0.5,
                },
            },
            "**Stopped** by training:\n\n- auc on the validation set is 0.4900, a constant",
        ),
    ],
)
def test_a_run_that_stopped_early_says_where_and_why(found: dict[str, Any], says: str) -> None:
    assert says in summary.markdown(found)


def test_without_a_run_there_is_no_table() -> None:
    with pytest.raises(UsageError, match="poe pipeline"):
        summary.markdown({})
