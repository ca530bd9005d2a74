"""One decision on retraining: a reason, new labelled rows, and the end of the cool-down."""

import itertools
import json
from collections.abc import Callable

import pandas as pd
import pytest
from credit_risk import sample
from mlops_platform.core.errors import GateError
from mlops_platform.delivery import decision
from mlops_platform.monitoring import retraining
from mlops_platform.monitoring.retraining import NewRows
from mlops_platform.truth import new_rows

from package.tests.workspaces import Workspace

Mlops = Callable[..., tuple[int, str, str]]
WAIT = "the last training started at 2026-05-08 09:00 UTC"
REASON = "a reason: neither drift nor a broken verdict on real outcomes"
NONE = "new labelled rows: there are none since the last training"
COOL = f"the end of the cool-down: {WAIT}"


FIVE = NewRows(5)


def decide(
    *, drift: bool = True, truth: bool = False, new: NewRows = FIVE, wait: bool = False
) -> retraining.Retraining:
    return retraining.decide(
        drift="income" if drift else "",
        truth="roc_auc is 0.5" if truth else "",
        new=new,
        least=1,
        wait=WAIT if wait else "",
        manual_command="mlops retrain",
    )


@pytest.mark.parametrize(
    ("drift", "truth", "rows", "wait"), list(itertools.product([True, False], repeat=4))
)
def test_each_combination_of_the_conditions(
    drift: bool, truth: bool, rows: bool, wait: bool
) -> None:
    found = decide(drift=drift, truth=truth, new=NewRows(5 if rows else 0), wait=wait)
    reasons = ["drift: income"] * drift + ["real outcomes: roc_auc is 0.5"] * truth
    missing = [REASON] * (not reasons) + [NONE] * (not rows) + [COOL] * wait
    assert (found.reasons, found.missing) == (reasons, missing)
    assert found.decision == ("notify" if missing else "train")
    assert all(text in found.message for text in [*reasons, *missing])
    if not missing:
        assert found.trigger == "; ".join(reasons)
        assert "it ends at a challenger" in found.message
        assert found.notify == []
    else:
        assert found.message.startswith("no retraining. ")
        assert "A person may train at any time: `mlops retrain`." in found.message
        people = ["domain expert", "data engineer"] if reasons else []
        assert found.notify == people
        assert ("Tell the domain expert and the data engineer." in found.message) == bool(reasons)


@pytest.mark.parametrize(
    ("new", "least", "missing"),
    [
        (NewRows(10), 10, ""),
        (NewRows(9), 10, "10 new labelled rows: there are 9 since the last training"),
        (NewRows(0), 10, NONE),
        (NewRows(changed=True), 10, ""),
        (NewRows(), 1, "new labelled rows: the data is that of the last training"),
        (NewRows(unknown="nobody counted"), 1, "new labelled rows: nobody counted"),
    ],
)
def test_how_many_new_rows_are_enough(new: NewRows, least: int, missing: str) -> None:
    found = retraining.decide(
        drift="income", truth="", new=new, least=least, wait="", manual_command="x"
    )
    assert found.missing == [missing] * bool(missing)


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({}, ""),
        ({"truth": "doubtful", "truth_why": "x"}, ""),
        ({"truth": "broken", "truth_why": "roc_auc is 0.5"}, "roc_auc is 0.5"),
    ],
)
def test_only_a_broken_verdict_is_a_reason(tags: dict[str, str], why: str) -> None:
    assert retraining.broken(tags) == why


def test_people_are_told_in_a_file_and_on_the_page_of_the_job(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    with pytest.raises(GateError, match="no retraining"):
        decision.act_on(decide(new=NewRows(0)), tmp_path)
    written = json.loads((tmp_path / "outputs" / "retraining.json").read_text())
    assert (written["decision"], written["missing"]) == ("notify", [NONE])
    text = page.read_text()
    assert "## No retraining" in text
    assert "drift: income" in text
    assert f"- {NONE}" in text
    assert "For: domain expert, data engineer." in text
    decision.act_on(decide(), tmp_path)
    assert json.loads((tmp_path / "outputs" / "retraining.json").read_text())["trigger"]


def add_rows(workspace: Workspace, rows: int, *, labelled: bool = True) -> pd.DataFrame:
    """Rows of a later year for the training, or only without outcomes."""
    frame = sample.make(rows, seed=5)
    frame["month"] = "2026-01-01"
    if not labelled:
        frame["outcome"] = ""
    path = workspace.raw / "credit.csv"
    pd.concat([pd.read_csv(path), frame]).to_csv(path, index=False)
    return frame


def test_new_labelled_rows_are_counted_by_their_ids(trained: Workspace) -> None:
    assert new_rows.count(trained.conf, trained.raw) == NewRows(0)
    add_rows(trained, 30)
    assert new_rows.count(trained.conf, trained.raw) == NewRows(30)
    add_rows(trained, 30, labelled=False)
    assert new_rows.count(trained.conf, trained.raw) == NewRows(30)


def test_without_ids_other_data_counts_as_new(trained: Workspace) -> None:
    text = (trained.conf / "data.yml").read_text(encoding="utf-8")
    (trained.conf / "data.yml").write_text(text.replace("role: id", "role: ignored"))
    assert new_rows.count(trained.conf, trained.raw) == NewRows(changed=False)
    add_rows(trained, 30)
    assert new_rows.count(trained.conf, trained.raw) == NewRows(changed=True)


def drifted(workspace: Workspace) -> None:
    (workspace.root / "now").mkdir()
    sample.make(1000, seed=7, drift=1).to_csv(workspace.root / "now" / "rows.csv", index=False)


MONITOR = ("monitor", "--current", "now", "--retrain")


def test_drift_alone_only_notifies(serving: Workspace, mlops: Mlops) -> None:
    drifted(serving)
    serving.change("train.yml", retrain={"cool_down_hours": 0})
    code, _, err = mlops(serving, *MONITOR)
    assert code == 1
    assert f"Missing: {NONE}. Tell the domain expert and the data engineer." in err
    assert serving.roles() == {"1": "champion"}
    assert (serving.root / "outputs" / "retraining.json").is_file()


def test_drift_with_new_rows_trains_and_promotes_nothing(serving: Workspace, mlops: Mlops) -> None:
    drifted(serving)
    add_rows(serving, 200)
    serving.change("train.yml", retrain={"cool_down_hours": 24})
    code, _, err = mlops(serving, *MONITOR)
    assert (code, "the end of the cool-down" in err) == (1, True)
    assert serving.roles() == {"1": "champion"}
    serving.change("train.yml", retrain={"cool_down_hours": 0})
    code, _, err = mlops(serving, *MONITOR)
    assert (code, "the champion is the same" in err) == (1, True)
    roles = serving.roles()
    assert roles["1"] == "champion"
    assert roles["2"] in ("challenger", "rejected")


def test_a_broken_champion_retrains_once_there_are_rows_to_learn_from(
    serving: Workspace, mlops: Mlops
) -> None:
    later = sample.make(3000, seed=7, noise=1)
    later = later[later["month"] >= "2025-10"]
    for folder, part in (("new", later.drop(columns="outcome")), ("later", later)):
        (serving.root / folder).mkdir()
        part.to_csv(serving.root / folder / "rows.csv", index=False)
    serving.change("train.yml", retrain={"cool_down_hours": 0})
    assert mlops(serving, "run", "pipelines/batch.yml", "--input", "data=new")[0] == 0
    judge = ("truth", "--labels", "later", "--as-of", "2026-03-01", "--retrain")
    code, _, err = mlops(serving, *judge)
    assert code == 1
    assert "Found: real outcomes: roc_auc is" in err
    assert NONE in err
    assert serving.roles() == {"1": "champion"}
    path = serving.raw / "credit.csv"
    pd.concat([pd.read_csv(path), later]).to_csv(path, index=False)
    code, _, err = mlops(serving, *judge)
    assert code == 1
    decided = json.loads((serving.root / "outputs" / "retraining.json").read_text())
    assert decided["decision"] == "train"
    assert decided["reasons"][0].startswith("real outcomes: roc_auc is")
