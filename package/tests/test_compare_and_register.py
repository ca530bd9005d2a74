"""Comparison with the champion, and registration of accepted and rejected models."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from credit_risk import sample
from mlops_platform import evidence
from mlops_platform.core.errors import UsageError
from mlops_platform.data.decision import decide
from mlops_platform.evaluation import metrics
from mlops_platform.models import artifact, dataset
from mlops_platform.steps import compare, register
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier

from package.tests.workspaces import TEAM


def noisy(workspace, name: str = "noisy"):
    """A model that learned from outcomes of which most were drawn at random."""
    return workspace.fit(name, sample.make(300, seed=3, noise=0.95))


def limits(workspace, **rails: float) -> None:
    content = yaml.safe_load((workspace.conf / "gates.yml").read_text())["guardrails"]
    workspace.change("gates.yml", guardrails=content | rails)


def trained_model(workspace):
    return workspace.step("train") / "model"


def test_the_first_model_has_nobody_to_beat(trained):
    compared = evidence.read(
        evidence.Comparison, trained.step("compare") / "evidence" / "comparison.json"
    )
    assert (compared.decision, compared.champion) == ("accepted", None)
    made = evidence.read(
        evidence.Registration, trained.step("register") / "evidence" / "registration.json"
    )
    assert (made.version, made.role, made.new) == ("1", "challenger", True)


def test_the_first_model_must_keep_the_guardrails(trained):
    limits(trained, size_mb=1e-6)
    compared = trained.compare(trained_model(trained))
    assert compared.decision == "rejected"
    assert "guardrails.size_mb" in compared.reason


def test_a_better_challenger_is_accepted(trained):
    trained.crown(noisy(trained))
    compared = trained.compare(trained_model(trained))
    assert compared.decision == "accepted"
    assert compared.difference == pytest.approx(compared.challenger_value - compared.champion_value)
    assert compared.low > 0
    assert set(compared.champion_measures) == {
        metric.name for metric in metrics.metrics_for_task("classification")
    }


def test_a_worse_challenger_is_rejected(serving):
    compared = serving.compare(noisy(serving))
    assert compared.decision == "rejected"
    assert compared.reason.startswith("worse than the champion by")
    assert compared.difference < 0


def test_an_equal_challenger_is_rejected(serving):
    compared = serving.compare(trained_model(serving))
    assert (compared.decision, compared.difference) == ("rejected", 0)
    assert compared.reason.startswith("tie")


def test_a_challenger_that_is_better_by_less_than_the_margin_is_rejected(trained):
    trained.crown(noisy(trained))
    trained.change("gates.yml", margin=0.9)
    assert "conf/gates.yml requires 0.9" in trained.compare(trained_model(trained)).reason


def test_a_challenger_that_is_better_by_chance_is_rejected(trained):
    """Two models of much the same data: one of them is better on 120 rows, and no wonder."""
    trained.change("gates.yml", margin=0)
    one = trained.fit("one", estimator=GradientBoostingClassifier(n_estimators=15, random_state=0))
    two = trained.fit("two", estimator=GradientBoostingClassifier(n_estimators=12, random_state=1))
    trained.crown(one)
    first = trained.compare(two)
    if first.difference < 0:
        trained.crown(two)
        first = trained.compare(one)
    assert first.difference > 0
    assert first.low <= 0
    assert first.decision == "rejected"
    assert "not significantly" in first.reason


def test_a_metric_where_less_is_better_points_the_same_way(trained):
    trained.change("gates.yml", metric="log_loss", margin=0.001)
    trained.crown(trained.fit("constant", estimator=DummyClassifier()))
    compared = trained.compare(trained_model(trained))
    assert compared.challenger_value < compared.champion_value
    assert compared.difference > 0
    assert compared.decision == "accepted"


@pytest.mark.parametrize("rail", ["size_mb", "load_seconds"])
def test_a_guardrail_vetoes_a_better_challenger(trained, rail):
    trained.crown(noisy(trained))
    limits(trained, **{rail: 1e-9})
    compared = trained.compare(trained_model(trained))
    assert compared.decision == "rejected"
    assert compared.reason.startswith("guardrail violated")
    assert f"`guardrails.{rail}`" in compared.reason


def test_footprints_are_measured_beside_the_champions(trained):
    trained.crown(noisy(trained))
    compared = trained.compare(trained_model(trained))
    challenger, champion = compared.footprints
    assert challenger.size_mb == pytest.approx(artifact.size_mb(trained_model(trained)))
    assert 0 < champion.load_seconds < 5
    assert 0.1 < champion.memory_mb < 100
    assert {"numpy", "scikit-learn"} <= set(champion.packages) == set(challenger.packages)
    gates = [verdict.gate for verdict in compared.verdicts]
    assert "guardrail: new packages (none)" in gates


def test_a_challenger_that_brings_many_packages_is_rejected(trained):
    limits(trained, new_packages=0)
    trained.crown(noisy(trained))
    card = trained_model(trained) / "model.json"
    content = json.loads(card.read_text())
    card.write_text(json.dumps(content | {"packages": [*content["packages"], "large-library"]}))
    compared = trained.compare(trained_model(trained))
    assert compared.decision == "rejected"
    assert "new packages (large-library)" in compared.reason
    assert "guardrails.new_packages" in compared.reason


def labels_of(folder, rows, contract):
    predicted = dataset.predict(
        artifact.load(folder, TEAM), rows[contract.features], contract.labels
    )
    return np.array(contract.labels)[decide(predicted)]


def test_a_better_challenger_that_leaves_a_group_behind_is_rejected(trained):
    """The truth is planted.

    Where the two disagree, the challenger is right about all men and the champion about two of
    three women; where they agree about women, both are wrong half of the time.
    """
    champion = trained.fit("champion", sample.make(400, seed=3, noise=0.7))
    trained.crown(champion)
    path = trained.data / "test.parquet"
    rows = pd.read_parquet(path)
    old, new = (
        labels_of(folder, rows, trained.contract) for folder in (champion, trained_model(trained))
    )
    agree = old == new
    wrong = np.where(new == "repaid", "defaulted", "repaid")
    of_women = rows["sex"] == "female"
    turn = np.where(agree, (of_women & agree).cumsum(), (of_women & ~agree).cumsum())
    women = np.where(agree, np.where(turn % 2, wrong, new), np.where(turn % 3, old, new))
    rows["outcome"] = np.where(rows["sex"] == "male", new, women)
    rows.to_parquet(path, index=False)

    trained.change("gates.yml", metric="accuracy", margin=0, confidence=0.6)
    limits(trained, worst_group_drop=0.5, min_group_rows=10)
    assert trained.compare(trained_model(trained)).decision == "accepted"
    limits(trained, worst_group_drop=0, min_group_rows=10)
    compared = trained.compare(trained_model(trained))
    assert compared.decision == "rejected"
    assert compared.difference > 0
    assert "worst group (sex = female)" in compared.reason
    assert "`guardrails.worst_group_drop`" in compared.reason


def test_both_are_measured_on_the_same_rows(serving):
    compared = serving.compare(noisy(serving))
    contract = serving.contract
    written = evidence.read(
        evidence.Evaluation, serving.step("evaluate") / "evidence" / "evaluation.json"
    )
    assert compared.test_hash == written.test_hash
    [own] = [measure for measure in written.measures if measure.name == compared.metric]
    assert compared.champion_value == own.value
    assert contract.labels == ["repaid", "defaulted"]


def test_a_column_that_the_champion_needs_and_the_data_lost(serving):
    columns = yaml.safe_load((serving.conf / "data.yml").read_text())["columns"]
    del columns["purpose"]
    serving.change("data.yml", columns=columns)
    challenger = serving.fit("narrow")
    with pytest.raises(UsageError, match=r"version 1, the champion, .* it needs purpose, which"):
        serving.compare(challenger)


def test_a_champion_of_other_classes(serving):
    path = serving.conf / "data.yml"
    path.write_text(path.read_text().replace("defaulted", "lost"))
    for part in ("train", "validation", "test"):
        file = serving.data / f"{part}.parquet"
        rows = pd.read_parquet(file)
        rows.replace({"outcome": {"defaulted": "lost"}}).to_parquet(file, index=False)
    challenger = serving.fit("renamed")
    with pytest.raises(UsageError, match="it knows the classes") as refused:
        serving.compare(challenger)
    assert f"start over: move {serving.root / '.mlops'} out of the project" in str(refused.value)


def test_messages_of_guardrails(serving):
    compared = serving.compare(noisy(serving))
    messages = {verdict.gate: verdict.message for verdict in compared.verdicts}
    number = r"\d+(\.\d+)?(e-\d+)?"
    for gate, message in {
        "model size": rf"model size is {number} MB; "
        "conf/gates.yml, `guardrails.size_mb` allows 50 MB",
        "load time relative to the champion": rf"load time is {number} s, the champion's "
        rf"{number} s; conf/gates.yml, `guardrails.growth` allows {number} s",
        "new packages (none)": r"new packages \(none\): 0; conf/gates.yml, "
        "`guardrails.new_packages` allows 10",
    }.items():
        assert re.fullmatch(message, messages[f"guardrail: {gate}"]), messages
    [group] = [text for gate, text in messages.items() if "worst group" in gate]
    assert re.match(r"worst group \(\w+ = .+\) is (no )?worse than ", group), group


def test_a_registry_that_is_down_is_an_error_and_no_comparison(serving, monkeypatch):
    folder, out = trained_model(serving), serving.root / "out"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{serving.root}/gone/mlflow.db")
    with pytest.raises(UsageError, match="nothing was changed"):
        compare.run(serving.conf, serving.data, folder, serving.step("evaluate") / "evidence", out)
    assert not out.exists()


def registered(workspace, folder, decision: str) -> evidence.Registration:
    out = folder.parent / f"{folder.name}-evidence"
    compared = evidence.read(evidence.Comparison, out / "comparison.json")
    assert compared.decision == decision
    register.run(workspace.conf, folder, out, out, out)
    return evidence.read(evidence.Registration, out / "registration.json")


def test_a_rejected_model_is_kept_with_the_reason(serving):
    folder = noisy(serving)
    compared = serving.compare(folder)
    made = registered(serving, folder, "rejected")
    assert (made.version, made.role, made.reason) == ("2", "rejected", compared.reason)
    assert serving.registry.get("2").tags["role_why"] == compared.reason
    assert serving.roles() == {"1": "champion", "2": "rejected"}


def test_a_version_says_from_what_it_was_made(trained):
    tags = trained.registry.get("1").tags
    written = evidence.read(
        evidence.Evaluation, trained.step("evaluate") / "evidence" / "evaluation.json"
    )
    assert tags["predictions_hash"] == written.predictions_hash
    for measure in written.measures:
        assert tags[f"test_{measure.name}"] == repr(measure.value)
    for tag in ("code_hash", "conf_hash", "data_hash", "test_hash"):
        assert len(tags[tag]) == 64
    assert (tags["seed"], tags["trigger"], tags["regulated"]) == ("0", "manual", "false")


def test_registering_twice_makes_no_second_version(trained):
    trained.pipeline()
    made = evidence.read(
        evidence.Registration, trained.step("register") / "evidence" / "registration.json"
    )
    assert (made.version, made.new) == ("1", False)
    assert trained.roles() == {"1": "challenger"}


def test_a_run_that_the_store_does_not_know(trained):
    folder = trained_model(trained)
    trained.compare(folder)
    card = folder / "model.json"
    card.write_text(card.read_text().replace(artifact.load_card(folder).run_id, "f" * 32))
    out = folder.parent / "model-evidence"
    with pytest.raises(UsageError, match=r"run 'ffff.*': no runs begin so"):
        register.run(trained.conf, folder, out, out, out)
    assert not (out / "registration.json").exists()
    assert trained.roles() == {"1": "challenger"}


def test_a_model_that_is_registered_again_keeps_why_it_was_rejected(serving):
    worse = noisy(serving)
    serving.compare(worse)
    out = worse.parent / f"{worse.name}-evidence"
    for _ in range(2):
        register.run(serving.conf, worse, out, out, out)
    made = evidence.read(evidence.Registration, out / "registration.json")
    assert (made.role, made.new) == ("rejected", False)
    assert made.reason.startswith("already registered, and rejected: worse than the champion by")


def test_a_models_load_is_measured_once(trained):
    compared = trained.compare(trained_model(trained))
    (footprint,) = compared.footprints
    by_gate = {verdict.gate: verdict.value for verdict in compared.verdicts}
    assert by_gate["guardrail: load time"] == footprint.load_seconds
    measured = evidence.read(
        evidence.Evaluation, trained.step("evaluate") / "evidence" / "evaluation.json"
    )
    assert measured.load_seconds is None


def test_a_model_that_predicts_as_one_that_was_rolled_back_needs_a_reason(mlops, trained):
    trained.crown(noisy(trained))
    for name in ("good", "again"):
        folder = trained.fit(name)
        assert trained.compare(folder).decision == "accepted"
        out = folder.parent / f"{name}-evidence"
        register.run(trained.conf, folder, out, out, out)
        if name == "good":
            assert mlops(trained, "promote")[0] == 0
            assert mlops(trained, "rollback", "--why", "wrong in June")[0] == 0
    assert trained.roles() == {
        **{"1": "archived", "2": "champion"},
        **{"3": "rolled_back", "4": "challenger"},
    }
    code, _, err = mlops(trained, "promote")
    assert code == 2
    said = "it predicts exactly as version 3, which was rolled back: wrong in June"
    assert f"version 4 was registered with findings: {said}. " in err
    assert mlops(trained, "promote", "--why", "June was a fault of the data")[0] == 0
