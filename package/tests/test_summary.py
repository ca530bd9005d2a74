"""What a pipeline says at its end, and `mlops summary` on the pages of CI."""

import json
import shutil
from typing import Any

import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.delivery import summary


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


def test_broken_data_are_told_to_the_pull_request(mlops, workspace):
    raw = workspace.raw / "credit.csv"
    raw.write_text(raw.read_text().replace("female", "woman", 1))
    assert mlops(workspace, "run", "pipelines/train.yml")[0] == 1
    code, out, err = mlops(workspace, "summary")
    assert (code, "**Stopped** by the data contract:\n\n- column `sex`" in out) == (0, True), err
    assert (workspace.root / "outputs" / "summary.md").read_text() == out


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"shape": "evaluation/9"}'])
def test_broken_evidence_is_named_by_the_summary(mlops, trained, text):
    file = trained.step("evaluate") / "evidence" / "evaluation.json"
    file.write_text(text)
    code, _, err = mlops(trained, "summary")
    assert code == 2
    assert f"{file.relative_to(trained.root)}: does not have the shape evaluation/" in err


def test_evidence_of_a_teams_own_step_is_told_too(mlops, trained):
    ours = trained.step("evaluate") / "evidence" / "ours.json"
    ours.write_text('{"checked": 3}')
    code, out, _ = mlops(trained, "run", "pipelines/train.yml", "--json")
    assert code == 0
    assert json.loads(out)["ours"] == {"checked": 3}
    ours.write_text("{")
    code, _, err = mlops(trained, "summary")
    assert code == 2
    assert "ours.json: is not JSON" in err


@pytest.mark.parametrize(("stage", "then"), [("explore", "Make it"), ("develop", "poe ethics")])
def test_the_next_step_is_the_stages(mlops, trained, stage, then):
    trained.change("project.yml", stage=stage)
    code, out, _ = mlops(trained, "run", "pipelines/train.yml")
    assert (code, then in out) == (0, True), out


def test_a_run_whose_store_is_gone_is_trained_again(mlops, trained):
    shutil.rmtree(trained.root / ".mlops")
    code, out, err = mlops(trained, "run", "pipelines/train.yml")
    assert (code, "credit-risk version 1: challenger" in out) == (0, True), err
    assert "train: train unchanged" not in err


def test_a_run_whose_version_was_rolled_back_says_what_makes_another(mlops, trained):
    trained.crown(trained.fit("other"))
    first = trained.registry.get("1")
    trained.registry.mark(first.run_id, {"role": "rolled_back"})
    assert trained.roles() == {"1": "rolled_back", "2": "champion"}
    code, out, _ = mlops(trained, "run", "pipelines/train.yml")
    assert code == 0
    assert "credit-risk version 1: rolled_back (registered before)\nIt comes from the same" in out
