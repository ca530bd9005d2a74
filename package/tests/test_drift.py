"""The drift monitor: no alarm without drift, and columns and reasons with drift."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from credit_risk import sample as credit
from energy_demand import sample as energy
from mlops_platform import cli, evidence, settings
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.models import artifact, dataset
from mlops_platform.models.team import Team
from mlops_platform.monitoring import counts, drift, reference
from mlops_platform.pipelines.outputs import newest
from mlops_platform.steps import train as step
from mlops_platform.tracking.registry import Registry
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from package.tests.samples import EXAMPLES
from package.tests.workspaces import TEAM

CREDIT = EXAMPLES / "credit-risk"
LIMITS = settings.load_gates(CREDIT / "conf").drift
SEEDS = range(1, 41)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(CREDIT / "conf" / "data.yml", "classification")


@pytest.fixture(scope="module")
def then(contract: Contract) -> reference.Reference:
    rows = contract.typed(credit.make(3000, seed=0))[0]
    return reference.build_reference(rows, predict(rows), contract)


def predict(rows: pd.DataFrame) -> np.ndarray:
    """Stands in for a model: a probability that follows debt alone."""
    positive = 0.1 + 0.8 * rows["debt_ratio"].fillna(0.3).to_numpy()
    return np.column_stack([1 - positive, positive])


def compared(
    rows: pd.DataFrame,
    then: reference.Reference,
    contract: Contract,
    predictions: np.ndarray | None = None,
) -> evidence.DriftReport:
    typed = contract.typed(rows)[0]
    return drift.compare(
        typed,
        predict(typed) if predictions is None else predictions,
        then,
        contract=contract,
        limits=LIMITS,
        model="m",
        version="1",
    )


def column(report: evidence.DriftReport, name: str) -> evidence.ColumnDrift:
    return next(found for found in report.columns if found.column == name)


def drifted(report: evidence.DriftReport) -> set[str]:
    return {found.column for found in report.columns if found.drifted}


# ---------------------------------------------------------------- false alarms


@pytest.mark.parametrize("rows", [200, 3000])
def test_no_drift_no_alarm_in_forty_draws(rows, then, contract):
    """The budget is one false alarm in a hundred reports: forty draws have none."""
    reports = [compared(credit.make(rows, seed=seed), then, contract) for seed in SEEDS]
    assert [report.verdict for report in reports] == ["stable"] * len(reports)


def test_no_drift_no_alarm_in_regression():
    contract = load_contract(EXAMPLES / "energy-demand" / "conf" / "data.yml", "regression")
    rows = contract.typed(energy.make(3000, seed=0))[0]
    then = reference.build_reference(rows, rows["kwh"].to_numpy(), contract)
    verdicts = []
    for seed in SEEDS:
        now = contract.typed(energy.make(500, seed=seed))[0]
        report = drift.compare(
            now,
            now["kwh"].to_numpy(),
            then,
            contract=contract,
            limits=LIMITS,
            model="m",
            version="1",
        )
        verdicts.append(report.verdict)
    assert verdicts == ["stable"] * len(verdicts)


def test_the_p_values_mean_what_they_say(then, contract):
    """Without drift, chance is below 0.05 in about one column of twenty, counts included."""
    chances = [
        found.p_value
        for seed in SEEDS
        for found in compared(credit.make(1000, seed=seed), then, contract).columns
    ]
    assert 0.01 < np.mean(np.array(chances) < 0.05) < 0.09


# ---------------------------------------------------------------- drift that must be detected


def test_drift_names_the_columns_that_moved(then, contract):
    report = compared(credit.make(1000, seed=1, drift=1), then, contract)
    assert report.verdict == "drift"
    assert drifted(report) == {"income", "debt_ratio", "probability of defaulted"}
    assert "income" in report.message
    assert column(report, "income").reasons[0].startswith("PSI ")


def test_drift_in_regression_names_the_columns_that_moved():
    contract = load_contract(EXAMPLES / "energy-demand" / "conf" / "data.yml", "regression")
    rows = contract.typed(energy.make(3000, seed=0))[0]
    then = reference.build_reference(rows, rows["kwh"].to_numpy(), contract)
    now = contract.typed(energy.make(1000, seed=1, drift=1))[0]
    report = drift.compare(
        now,
        rows["kwh"].to_numpy()[:1000],
        then,
        contract=contract,
        limits=LIMITS,
        model="m",
        version="1",
    )
    assert {"area", "temperature"} <= drifted(report) <= {"area", "temperature", "prediction"}


def test_a_new_category(then, contract):
    rows = credit.make(1000, seed=1)
    rows.loc[:249, "purpose"] = "crypto"
    rows.loc[250:299, "purpose"] = "boat"
    found = column(compared(rows, then, contract), "purpose")
    assert found.drifted
    assert found.new_values == 2
    assert found.bins[-1] == counts.NEW_VALUES
    assert found.then[-1] == 0
    assert found.now[-1] == pytest.approx(0.3)
    assert "2 values that training did not have" in found.reasons


def test_a_category_that_is_gone(then, contract):
    rows = credit.make(1000, seed=1)
    rows = rows[rows["purpose"] != "car"]
    found = column(compared(rows, then, contract), "purpose")
    assert found.drifted
    assert found.now[found.bins.index("car")] == 0


def test_more_values_are_missing(then, contract):
    rows = credit.make(1000, seed=1)
    rows.loc[:249, "years_employed"] = None
    report = compared(rows, then, contract)
    assert drifted(report) == {"years_employed"}
    assert "missing" in column(report, "years_employed").reasons[0]


def test_what_cannot_be_read_counts_as_missing(then, contract):
    rows = credit.make(1000, seed=1).astype(object)
    rows.loc[:399, "years_employed"] = "a while"
    found = column(compared(rows, then, contract), "years_employed")
    assert found.drifted
    assert found.missing_now > 0.4


def test_a_column_that_is_all_missing(then, contract):
    rows = credit.make(1000, seed=1)
    rows["income"] = None
    rows["housing"] = None
    report = compared(rows, then, contract)
    assert drifted(report) == {"income", "housing"}
    assert column(report, "income").missing_now == 1


def test_predictions_alone(then, contract):
    rows = credit.make(1000, seed=1)
    positive = np.clip(predict(rows)[:, 1] + 0.2, 0, 1)
    report = compared(rows, then, contract, np.column_stack([1 - positive, positive]))
    assert drifted(report) == {"probability of defaulted"}
    assert column(report, "probability of defaulted").kind == "prediction"


# ---------------------------------------------------------------- differences that are not drift


def test_the_training_data_itself_is_stable(then, contract):
    report = compared(credit.make(3000, seed=0), then, contract)
    assert report.verdict == "stable"
    assert max(found.psi for found in report.columns) < 0.01
    assert max(found.distance for found in report.columns) < 0.01


def counted(rows: pd.DataFrame, then: reference.Reference, contract: Contract) -> drift.Comparison:
    """What is counted of raw rows, chunk by chunk."""
    made = drift.Comparison(then, contract)
    for first in range(0, len(rows), 150):
        typed = contract.typed(rows.iloc[first : first + 150])[0]
        made.add(typed, predict(typed))
    return made


@pytest.mark.parametrize("parts", [(0, 700), (0, 40, 700), (0, 300, 301, 700)])
def test_parts_that_are_merged_are_as_the_whole(parts, then, contract):
    """Numbers, categories, new values, missing ones, and predictions with their mixes."""
    rows = credit.make(700, seed=3, drift=0.3)
    rows.loc[:60, "purpose"] = "boat"
    rows.loc[50:90, "income"] = np.nan
    rows.loc[600:, "housing"] = np.nan
    learned = predict(contract.typed(credit.make(3000, seed=0))[0])
    both = then.model_copy(
        update={
            "learned": reference.build_reference(
                contract.typed(credit.make(3000, seed=0))[0], learned, contract
            ).predictions
        }
    )
    whole = counted(rows, both, contract)
    first, *others = [counted(rows.iloc[low:high], both, contract) for low, high in pairwise(parts)]
    for other in others:
        first.merge(other)
    assert whole.rows == 700
    assert first.report(LIMITS, "m", "1") == whole.report(LIMITS, "m", "1")
    assert whole.report(LIMITS, "m", "1") == compared(rows, both, contract)


def test_predictions_are_compared_with_every_mix_of_learned_and_unseen_rows(contract):
    """Of 100 values each, those of unseen rows are low, those of learned ones high."""
    unseen = reference.Distribution(
        name="probability of defaulted", rows=400, missing=0, quantiles=[0.0, 0.1, 0.2]
    )
    learned = unseen.model_copy(update={"quantiles": [0.8, 0.9, 1.0]})
    found = [each.quantiles for each in drift._mixes(unseen, learned)]
    assert len(found) == 5
    assert (found[0], found[-1]) == (unseen.quantiles, learned.quantiles)
    assert [each[0] for each in found[1:4]] == [0.0, 0.0, 0.0]
    assert [each[-1] for each in found[1:4]] == [1.0, 1.0, 1.0]
    # A quarter, a half, three quarters of learned rows: so the median rises past the gap.
    assert [round(each[1], 2) for each in found[1:4]] == [0.15, 0.5, 0.85]
    none = unseen.model_copy(update={"quantiles": []})
    assert drift._mixes(unseen, none) == [unseen]
    assert drift._mixes(none, learned) == [none]
    assert drift._mixes(unseen, None) == [unseen]


@pytest.mark.parametrize(("values", "is_clock"), [([1, 1, 2, 3], True), ([1, 1, 1, 2], False)])
def test_a_number_that_rises_with_the_time_is_a_clock_if_two_rows_say_so(
    values, is_clock, contract
):
    rows = contract.typed(credit.make(4, seed=0))[0]
    rows["month"] = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-02-01", "2024-03-01"])
    rows["income"] = 2000.0  # a constant before it changes nothing
    rows["late_payments"] = np.array(values, dtype=float)
    found = reference.build_reference(rows, predict(rows), contract)
    clocks = {each.name for each in found.features if each.clock}
    assert ("late_payments" in clocks) == is_clock


def test_too_few_rows_are_no_evidence_either_way(then, contract):
    report = compared(credit.make(199, seed=1, drift=3), then, contract)
    assert report.verdict == "insufficient evidence"
    assert "199 rows, at least 200" in report.message
    assert compared(credit.make(1).iloc[:0], then, contract).verdict == "insufficient evidence"


def test_a_trifle_in_a_large_file_is_no_alarm(then, contract):
    rows = credit.make(100_000, seed=1, drift=0.1)
    report = compared(rows, then, contract)
    assert column(report, "income").p_value < 1e-6, "the shift is certain"
    assert report.verdict == "stable", "and too small to matter"


# ---------------------------------------------------------------- the commands


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project with a champion."""
    root = tmp_path_factory.mktemp("drift") / "credit-risk"
    shutil.copytree(CREDIT, root, ignore=shutil.ignore_patterns("outputs", ".mlops"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(root)
        cli.invoke(["run", "pipelines/train.yml"])
        cli.invoke(["promote"])
    return root


@pytest.fixture
def here(project, monkeypatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(project)
    return project


def write(rows: pd.DataFrame, path: Path) -> str:
    rows.to_csv(path, index=False)
    return str(path)


def roles() -> list[str]:
    return [version.role for version in Registry(Path("conf")).versions()]


def report_of(root: Path) -> dict:
    return json.loads((newest(root / "outputs/monitor") / "drift/evidence/drift.json").read_text())


def test_monitor_says_stable(here, tmp_path, capsys):
    rows = credit.make(1000, seed=7).drop(columns=["outcome", "sex"]).assign(clerk="x")
    cli.invoke(["monitor", "--current", write(rows, tmp_path / "now.csv")])
    said = capsys.readouterr().out
    assert f"stable: none of 7 columns drifted; compared: {tmp_path / 'now.csv'}\n" in said
    found = report_of(here)
    assert found["verdict"] == "stable"
    assert found["version"] == "1"
    assert found["unknown_columns"] == ["clerk"]


@pytest.mark.parametrize("version", ["champion", "1"])
def test_monitor_says_that_its_data_is_that_of_the_training(here, version, capsys):
    cli.invoke(["monitor", "--version", version])
    own = "compared: data/raw, the data that version 1 was trained on; give newer rows: "
    said = capsys.readouterr().out
    assert f"stable: none of 7 columns drifted; {own}`uv run poe monitor --current FILE`" in said
    more = here / "data" / "raw" / "more.csv"
    write(credit.make(50, seed=8), more)
    try:
        cli.invoke(["monitor", "--version", version])
    finally:
        more.unlink()
    assert "stable: none of 7 columns drifted; compared: data/raw\n" in capsys.readouterr().out


def test_monitor_says_that_the_evidence_is_insufficient(here, tmp_path, capsys):
    cli.invoke(["monitor", "--current", write(credit.make(20), tmp_path / "now.csv")])
    assert "insufficient evidence: 20 rows" in capsys.readouterr().out
    assert report_of(here)["columns"] == []


def test_monitor_reads_an_empty_file(here, tmp_path, capsys):
    cli.invoke(["monitor", "--current", write(credit.make(20).iloc[:0], tmp_path / "now.csv")])
    assert "insufficient evidence: 0 rows" in capsys.readouterr().out


def test_monitor_raises_the_alarm_with_columns_reasons_and_next_step(here, tmp_path):
    path = write(credit.make(1000, seed=7, drift=1), tmp_path / "now.csv")
    with pytest.raises(GateError) as alarm:
        cli.invoke(["monitor", "--current", path])
    message = str(alarm.value)
    assert path in message
    assert "income: PSI" in message
    assert "uv run poe retrain" in message
    assert report_of(here)["verdict"] == "drift"
    assert "champion" in roles()


def test_drift_can_train_a_challenger_and_nothing_more(here, tmp_path):
    before = roles()
    train = here / "conf" / "train.yml"
    original = train.read_text()
    assert "cool_down_hours: 24" in original
    train.write_text(original.replace("cool_down_hours: 24", "cool_down_hours: 0"))
    path = write(credit.make(1000, seed=7, drift=1), tmp_path / "now.csv")
    more = here / "data" / "raw" / "more.csv"
    write(credit.make(50, seed=8), more)  # without new rows, drift only notifies
    try:
        with pytest.raises(GateError, match="the champion is the same"):
            cli.invoke(["monitor", "--current", path, "--retrain"])
    finally:
        train.write_text(original)
        more.unlink()
    after = roles()
    assert len(after) == len(before) + 1
    assert after[: len(before)] == before
    assert after[-1] in ("challenger", "rejected")
    assert trigger_of_latest() == "drift"


def test_drift_soon_after_a_training_waits(here, tmp_path):
    before = roles()
    path = write(credit.make(1000, seed=7, drift=1), tmp_path / "now.csv")
    with pytest.raises(GateError, match=r"the next one can start at .*cool_down_hours"):
        cli.invoke(["monitor", "--current", path, "--retrain"])
    assert roles() == before


def test_without_drift_nothing_is_trained(here, tmp_path):
    before = roles()
    path = write(credit.make(1000, seed=7), tmp_path / "now.csv")
    cli.invoke(["monitor", "--current", path, "--retrain"])
    assert roles() == before


def test_retrain_by_hand_keeps_the_reason(here):
    before = roles()
    cli.invoke(["retrain", "--why", "prices rose, and more"])
    assert roles()[: len(before)] == before
    assert len(roles()) == len(before) + 1
    assert trigger_of_latest() == "prices rose, and more"


def trigger_of_latest() -> str:
    return Registry(Path("conf")).versions()[-1].tags["trigger"]


def test_a_feature_that_is_absent_is_wrong_use(here, tmp_path):
    path = write(credit.make(1000).drop(columns="income"), tmp_path / "now.csv")
    with pytest.raises(UsageError, match="column `income`: the column is missing"):
        cli.invoke(["monitor", "--current", path])


def test_a_version_that_does_not_exist_is_wrong_use(here):
    with pytest.raises(UsageError, match="version '99' of credit-risk does not exist"):
        cli.invoke(["monitor", "--version", "99"])


def test_a_model_that_knows_its_rows_by_heart_does_not_drift_at_once(here, tmp_path):
    """A forest's predictions for rows that it learned are bolder than for any others."""

    def forest(team: Team, parameters: dict, seed: int) -> object:
        return make_pipeline(SimpleImputer(), RandomForestClassifier(50, random_state=seed))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Team, "build_model", forest)
        out, folder = tmp_path / "out", tmp_path / "model"
        out.mkdir()
        folder.mkdir()
        rows = newest(here / "outputs/train") / "prepare/data"
        step.run(here / "conf", rows, folder, out, "test")
    contract = load_contract(folder / "contract.yml", "classification")
    then = evidence.read(reference.Reference, folder / "reference.json")
    fitted = artifact.load(folder, TEAM)
    rows = contract.typed(credit.make(1000, seed=7))[0]
    predicted = dataset.predict(fitted, rows[contract.features], contract.labels)
    assert compared(rows, then, contract, predicted).verdict == "stable"
    learned = dataset.read_part(newest(here / "outputs/train") / "prepare/data", "train", contract)
    bold = reference.build_reference(
        learned,
        dataset.predict(fitted, learned[contract.features], contract.labels),
        contract,
    )
    assert compared(rows, bold, contract, predicted).verdict == "drift", "the problem this prevents"
