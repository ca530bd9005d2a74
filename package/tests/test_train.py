"""Training: time budget, comparison with a baseline, and reproducibility bit for bit."""

import signal
import time

import numpy as np
import pandas as pd
import pytest
from mlops_platform import evidence
from mlops_platform.core.budget import time_budget
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.models import artifact, dataset
from mlops_platform.models.team import Team
from mlops_platform.monitoring import reference
from mlops_platform.steps import prepare, train
from mlops_platform.tracking import experiments
from sklearn.dummy import DummyClassifier

from package.tests.workspaces import TEAM


class Slow(DummyClassifier):
    """Takes a minute, in small steps."""

    def fit(self, rows, target):
        """Sleep."""
        for _ in range(600):
            time.sleep(0.1)
        return super().fit(rows, target)


class Broken(DummyClassifier):
    """Cannot be fitted."""

    def fit(self, rows, target):
        """Raise."""
        raise ValueError("no memory left")


def run(workspace, name: str = "again"):
    """Train once more on the divided data; the folders of model and evidence."""
    model, out = workspace.root / name / "model", workspace.root / name / "evidence"
    train.run(workspace.conf, workspace.data, model, out, "test")
    return model, out


def latest(workspace):
    return experiments.runs(workspace.conf)[0]


def test_a_run_says_from_what_it_was_made(trained):
    model, out = run(trained)
    written = evidence.read(evidence.Training, out / "training.json")
    found = latest(trained)
    assert written.run_id == found.info.run_id == artifact.load_card(model).run_id
    assert written.outcome == found.data.tags["outcome"] == "trained"
    assert found.info.status == "FINISHED"
    assert found.data.params["n_estimators"] == "15"
    assert found.data.metrics["validation_roc_auc"] == written.value
    assert found.data.metrics["baseline_roc_auc"] == written.baseline == 0.5
    tags = ("git_commit", "git_dirty", "code_hash", "conf_hash", "lock_hash", "data_hash")
    assert all(found.data.tags[tag] for tag in (*tags, "test_hash", "seed", "stage", "trigger"))
    assert {file.name for file in model.iterdir()} >= {"model.skops", "reference.json"}


def predictions(workspace, model) -> bytes:
    contract = workspace.contract
    rows = dataset.read_part(workspace.data, "test", contract)
    return dataset.predict(
        artifact.load(model, TEAM), rows[contract.features], contract.labels
    ).tobytes()


def test_the_same_seed_gives_the_same_predictions_bit_for_bit(trained):
    first, second = run(trained, "first")[0], run(trained, "second")[0]
    assert predictions(trained, first) == predictions(trained, second)
    assert (first / "reference.json").read_bytes() == (second / "reference.json").read_bytes()


def test_another_seed_gives_another_model(trained):
    trained.change("train.yml", parameters={"n_estimators": 15, "max_depth": 2, "subsample": 0.7})
    first = run(trained, "first")[0]
    trained.change("train.yml", seed=1)
    assert predictions(trained, first) != predictions(trained, run(trained, "second")[0])


def test_a_slow_fit_is_interrupted(trained, monkeypatch):
    trained.change("project.yml", trusted=[f"{Slow.__module__}.Slow"])
    monkeypatch.setattr(Team, "build_model", lambda team, parameters, seed: Slow())
    trained.change("train.yml", time_budget_seconds=0.3)
    began = time.perf_counter()
    with pytest.raises(UsageError, match=r"train\.yml, field `time_budget_seconds`: .*0\.3 s"):
        run(trained)
    assert time.perf_counter() - began < 10
    assert not (trained.root / "again" / "model").exists()
    assert latest(trained).info.status == "FAILED"


def test_the_budget_holds_where_interrupts_are_ignored(tmp_path):
    """As a shell starts its background jobs."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(UsageError), time_budget(0.2, tmp_path):
            time.sleep(20)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_quick_block_is_left_alone(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with time_budget(60, tmp_path):
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_a_person_who_interrupts_is_not_the_budget(tmp_path):
    with pytest.raises(KeyboardInterrupt), time_budget(60, tmp_path):
        raise KeyboardInterrupt


def test_a_fit_that_fails_closes_its_run(trained, monkeypatch):
    trained.change("project.yml", trusted=[f"{Broken.__module__}.Broken"])
    monkeypatch.setattr(Team, "build_model", lambda team, parameters, seed: Broken())
    with pytest.raises(UsageError, match="fitting failed: ValueError: no memory left"):
        run(trained)
    assert latest(trained).info.status == "FAILED"
    assert latest(trained).data.tags["outcome"] == "failed"
    assert "no memory left" in latest(trained).data.tags["outcome_why"]
    assert not (trained.root / "again").exists()


def test_no_better_than_a_constant_stops_with_evidence(trained, monkeypatch):
    monkeypatch.setattr(Team, "build_model", lambda team, parameters, seed: DummyClassifier())
    with pytest.raises(GateError, match=r"roc_auc on the validation set is 0\.5000, a constant"):
        run(trained)
    written = evidence.read(
        evidence.Training, trained.root / "again" / "evidence" / "training.json"
    )
    assert written.outcome == "no_better_than_baseline"
    assert latest(trained).data.tags["outcome"] == "no_better_than_baseline"
    assert latest(trained).info.status == "FAILED"
    assert not (trained.root / "again" / "model").exists()


def test_a_validation_set_of_one_class_is_no_verdict_on_the_model(trained):
    path = trained.data / "validation.parquet"
    pd.read_parquet(path).assign(outcome="repaid").to_parquet(path, index=False)
    with pytest.raises(UsageError, match=r"roc_auc is not defined on the \d+ rows of the valid"):
        run(trained)


def test_a_model_in_the_way_is_not_overwritten(trained):
    model, _ = run(trained)
    before = (model / "model.json").read_bytes()
    with pytest.raises(UsageError, match="is not an empty folder"):
        run(trained)
    assert (model / "model.json").read_bytes() == before


def test_the_reference_is_of_predictions_for_rows_not_learned_and_learned_ones(trained):
    """A tree that knows each row by heart is sure of it, and only of it."""
    trained.change(
        "train.yml", parameters={"n_estimators": 60, "max_depth": 8, "learning_rate": 0.5}
    )
    model, _ = run(trained)
    contract = trained.contract
    parts = [dataset.read_part(trained.data, part, contract) for part in prepare.PARTS]
    rows = pd.concat(parts, ignore_index=True)
    own = dataset.predict(artifact.load(model, TEAM), rows[contract.features], contract.labels)
    kept = evidence.read(reference.Reference, model / "reference.json")
    [unseen], [learned] = kept.predictions, kept.learned
    positive, count = pd.Series(own[:, 1].round(2)), len(parts[0])
    assert learned == reference.describe(positive[:count], unseen.name)
    assert unseen == reference.describe(positive[count:], unseen.name)
    assert np.std(unseen.quantiles) < np.std(learned.quantiles)
    assert all(found == reference.describe(rows[found.name], found.name) for found in kept.features)


def test_data_that_was_not_prepared(trained, tmp_path):
    with pytest.raises(UsageError, match=r"split\.json: does not exist"):
        train.run(trained.conf, tmp_path, tmp_path / "model", tmp_path / "out", "test")
