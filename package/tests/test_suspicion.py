"""Too good or too bad to be true: a finding in the report, and a reason before `promote`."""

import numpy as np
import pandas as pd
import pytest
from mlops_platform import evidence
from mlops_platform.core.errors import GateError
from mlops_platform.data.contract import load_contract
from mlops_platform.evaluation import suspicion
from mlops_platform.evidence import Measure
from mlops_platform.models.team import Team
from mlops_platform.report import collect
from mlops_platform.steps import train
from sklearn.linear_model import LogisticRegression

from package.tests import models, workspaces
from package.tests.workspaces import CREDIT

RNG = np.random.default_rng(0)
PERFECT = Measure(
    name="roc_auc", higher_is_better=True, value=1.0, low=None, high=None, baseline=0.5
)


def leak(workspace, **columns) -> None:
    """Change the data of a workspace, and add the new columns to its contract."""
    path = workspace.raw / "credit.csv"
    table = pd.read_csv(path, dtype=str)
    for name, (column, values) in columns.items():
        table[name] = values(table)
        source = workspace.conf / "data.yml"
        models.change_contract(source, source, **{name: column})
    table.to_csv(path, index=False)


def spoken(workspace, folders) -> list[str]:
    run = collect.read_folders([each / "evidence" for each in folders.values()])
    return [each.message for each in suspicion.among(collect.verdicts(run))]


LEAKS = {
    "a number": (
        {"kind": "number"},
        lambda table: (
            np.where(table["outcome"] == "defaulted", 9, 1) + RNG.uniform(size=len(table))
        ),
    ),
    "a category": (
        {"kind": "category", "values": ["closed", "sued", "sold"]},
        lambda table: np.where(
            table["outcome"] == "repaid", "closed", RNG.choice(["sued", "sold"], len(table))
        ),
    ),
    "whether it is missing": (
        {"kind": "number", "missing": 0.99},
        lambda table: np.where(table["outcome"] == "repaid", "1.5", ""),
    ),
}


@pytest.mark.parametrize("kind", LEAKS)
def test_a_column_that_knows_the_outcome_is_named_before_promote(workspace, mlops, kind):
    leak(workspace, recovery=LEAKS[kind])
    messages = spoken(workspace, workspace.pipeline())
    assert len(messages) == 1 and messages[0].startswith("column `recovery` alone gives outcome")
    assert workspace.roles() == {"1": "challenger"}  # a person decides
    code, _, said = mlops(workspace, "promote")
    assert code == 2 and "column `recovery` alone" in said and "--why REASON" in said
    assert workspace.roles() == {"1": "challenger"}
    code, _, _ = mlops(workspace, "promote", "--why", "known at the time of the request")
    assert (code, workspace.roles()) == (0, {"1": "champion"})


def test_the_sample_is_not_suspicious(trained, mlops):
    run = collect.read_folders([trained.step("evaluate") / "evidence"])
    assert not suspicion.among(run.evaluation.verdicts)
    assert mlops(trained, "promote")[0] == 0


def test_a_class_that_is_never_predicted_is_named(workspace, mlops, monkeypatch):
    """One row in ten: the probability never reaches a half."""
    rows = pd.read_csv(workspace.raw / "credit.csv", dtype=str)
    few = rows.index % 10 == 0
    rows["outcome"] = np.where(few, "defaulted", "repaid")
    high = (rows.index % 20 == 0) | (rows.index % 6 == 1)
    rows["debt_ratio"] = np.where(high, "0.9", "0.2")
    rows.to_csv(workspace.raw / "credit.csv", index=False)
    monkeypatch.setattr(Team, "build_model", lambda *_: LogisticRegression(max_iter=1000))
    messages = spoken(workspace, workspace.pipeline())
    [never] = [each for each in messages if "never predicts" in each]
    assert "never predicts `defaulted`, which " in never and "`threshold`" in never
    code, _, said = mlops(workspace, "promote")
    assert code == 2 and "never predicts `defaulted`" in said


def test_a_perfect_model_without_a_perfect_column_is_named():
    contract = workspaces.Workspace(CREDIT).contract
    found = list(suspicion._too_good([PERFECT]))
    assert len(found) == 1 and "no column alone explains it" in found[0].message
    assert not list(suspicion._too_good([PERFECT.model_copy(update={"value": 0.99})]))
    assert not any(verdict.blocks or verdict.passed for verdict in found)
    assert contract.labels


def test_a_number_as_the_target_is_looked_at_too(tmp_path):
    source = models.conf_of("energy_demand") / "data.yml"
    contract = load_contract(source, "regression")
    sample = models.module("energy_demand", "sample")
    rows = contract.typed(sample.make(600, seed=0))[0]
    target = rows[contract.target].to_numpy()
    name = contract.numeric_features[0]
    leaking = rows.assign(**{name: target * 1.2 + 3})
    for table, expected in ((rows, []), (leaking, [f"{suspicion.GATE}: {name} alone"])):
        halves = table[:300], table[300:]
        found = suspicion.find(
            *halves, (target[:300], target[300:]), decided=target, measures=[], contract=contract
        )
        assert [each.gate for each in found] == expected


@pytest.mark.parametrize(("rows", "named"), [(29, 1), (30, 0)])
def test_a_class_with_too_few_rows_is_named_with_its_count(rows, named):
    checked, fitted = np.array([0] * 200 + [1] * rows), np.array([0] * 500 + [1] * 40)
    found = suspicion.few_rows(fitted, checked, ["no", "yes"], enough=30)
    assert len(found) == named
    if named:
        assert f"class `yes` has {rows} of {200 + rows} rows of the validation set" in found[0]
        assert "40 of 540 of the training set" in found[0]


def test_training_that_stops_says_the_class_and_its_count(trained, monkeypatch):
    """Noise about six rows in a hundred: no better than a constant, and no verdict either."""
    for part in ("train", "validation"):
        path = trained.data / f"{part}.parquet"
        rows = pd.read_parquet(path)
        rows["outcome"] = np.where(rows.index % 40 == 0, "defaulted", "repaid")
        rows.to_parquet(path, index=False)
    trained.change("gates.yml", metric="log_loss", quality=[])
    out = trained.root / "again"
    with pytest.raises(
        GateError, match=r"training stopped: .* Class `defaulted` has \d of \d+ rows"
    ):
        train.run(trained.conf, trained.data, out / "model", out / "evidence", "test")
    written = evidence.read(evidence.Training, out / "evidence" / "training.json")
    assert "class `defaulted` has" in written.findings[0]
