"""From raw data to champion and back: who may serve, and who may not."""

import pandas as pd
import pytest
from mlops_platform import evidence, settings
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.models import artifact
from mlops_platform.steps import compare, evaluate, register, train
from mlops_platform.tracking import experiments

from .conftest import TEAM


def compare_with_champion(workspace, model, evaluation, out):
    compare.run(workspace.conf, workspace.step("prepare") / "data", model, evaluation, out)
    return evidence.read(evidence.Comparison, out / "comparison.json")


def compare_ours(workspace):
    """Compare the pipeline's own model, which is evaluated already."""
    model, evaluation = workspace.step("train") / "model", workspace.step("evaluate") / "evidence"
    return compare_with_champion(workspace, model, evaluation, workspace.root / "compared")


def test_the_pipeline_ends_with_a_challenger(trained):
    [version] = trained.registry.versions()
    assert version.role == "challenger"
    assert version.tags["data_hash"] and version.tags["predictions_hash"]


def test_the_model_beats_a_constant(trained):
    training = trained.evidence(evidence.Training, "train")
    assert training.outcome == "trained"
    assert training.value != training.baseline


def test_the_quality_limits_hold(trained):
    evaluation = trained.evidence(evidence.Evaluation, "evaluate")
    missed = [verdict.message for verdict in evaluation.verdicts if not verdict.passed]
    assert evaluation.verdicts
    if settings.load_project(trained.conf).gates_block:  # at stage `explore` they only report
        assert missed == []


def test_running_again_changes_nothing(trained):
    trained.pipeline()
    assert [version.role for version in trained.registry.versions()] == ["challenger"]


def test_features_that_say_nothing_stop_training(trained, contract):
    data, out = trained.step("prepare") / "data", trained.root / "stopped"
    for part in ("train.parquet", "validation.parquet"):
        rows = pd.read_parquet(data / part)
        rows[contract.features] = rows.loc[0, contract.features].to_numpy()
        rows.to_parquet(data / part, index=False)
    known = settings.load_train(trained.conf).parameters
    # Learned from draws of the rows, a constant is a little better or worse than theirs, by chance.
    trained.change("train.yml", parameters={**known, "subsample": 1.0})
    with pytest.raises(GateError, match="constant baseline"):
        train.run(trained.conf, data, out / "model", out, "test")
    assert experiments.runs(trained.conf)[0].data.tags["outcome"] == "no_better_than_baseline"
    assert not (out / "model").exists()


def test_a_better_challenger_is_accepted(trained):
    trained.register_shuffled()
    trained.registry.promote(None, "planted", "tests")
    comparison = compare_ours(trained)
    assert comparison.decision == "accepted"
    assert comparison.low > 0


def test_a_worse_challenger_is_rejected(serving):
    model, out = serving.shuffled, serving.root / "compared"
    evaluate.run(serving.conf, serving.step("prepare") / "data", model, out)
    comparison = compare_with_champion(serving, model, out, out)
    assert comparison.decision == "rejected"
    assert "worse" in comparison.reason
    register.run(serving.conf, model, out, out, out)
    assert [version.role for version in serving.registry.versions()] == ["champion", "rejected"]
    with pytest.raises(GateError, match="only a challenger"):
        serving.registry.promote("2", "please", "tests")


def test_an_equal_challenger_is_rejected(serving):
    comparison = compare_ours(serving)
    assert (comparison.decision, comparison.difference) == ("rejected", 0)


def test_a_guardrail_vetoes(trained):
    limits = {"size_mb": 1e-6, "load_seconds": 5, "worst_group_drop": 1, "min_group_rows": 30}
    trained.change("gates.yml", guardrails=limits)
    comparison = compare_ours(trained)
    assert comparison.decision == "rejected"
    assert "guardrails.size_mb" in comparison.reason


def test_a_registry_that_is_down_promotes_nothing(serving, monkeypatch):
    store, out = serving.root / ".mlops" / "mlflow.db", serving.root / "compared"
    before = store.read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{serving.root / 'gone' / 'mlflow.db'}")
    step, seen = serving.step, serving.step("evaluate") / "evidence"
    with pytest.raises(UsageError, match="gone"):
        compare.run(serving.conf, step("prepare") / "data", step("train") / "model", seen, out)
    with pytest.raises(UsageError, match="gone"):
        serving.registry.promote(None, "please", "tests")
    assert not out.exists()
    assert store.read_bytes() == before


def test_rollback_restores_the_champion_before(serving):
    serving.register_shuffled()
    serving.registry.promote(None, "a mistake", "tests")
    restored, failed = serving.registry.rollback("complaints", "tests")
    assert (restored.number, restored.role) == ("1", "champion")
    assert (failed.number, failed.role) == ("2", "rolled_back")
    assert failed.tags["role_why"] == "complaints"


def test_what_is_saved_is_what_is_loaded(trained):
    model = artifact.load(trained.step("train") / "model", TEAM)
    assert hasattr(model, "predict")
    assert not list((trained.step("train") / "model").glob("*.pkl"))
