"""Measures that need no run on disk: each detects a problem, and fair runs pass."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from mlops_platform.ethics import limits
from mlops_platform.ethics.measures import MEASURES
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline

from package.tests.ethics import runs

PACKAGES = ["credit_risk", "energy_demand"]
QUIET = [
    "better-than-a-constant",
    "test-set-by-id",
    "test-set-by-row",
    "missing-values",
    "noise",
    "gaps",
    "unseen-categories",
    "other-seeds",
    "calibration",
    "unsupported-uses",
    "everybody-is-there",
    "proxies",
]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_sound_case_passes(fair, package):
    run = fair(package)
    assert {name: runs.check(run, name).verdict for name in QUIET} == dict.fromkeys(QUIET, "passed")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_model_that_knows_nothing_is_found(fair, package):
    run = fair(package)
    drawn = np.random.default_rng(0).permutation(len(run.rows))
    vars(run).update(predicted=run.predicted[drawn])
    assert runs.check(run, "better-than-a-constant").verdict != "passed"
    worse = 1 - fair().predicted if package == "credit_risk" else -fair(package).predicted
    vars(run).update(predicted=worse)
    outcome = runs.check(run, "better-than-a-constant")
    assert outcome.verdict == "failed"
    assert "features.py" in outcome.next_step


@pytest.mark.parametrize("package", PACKAGES)
def test_predictions_that_are_not_what_happens_are_found(fair, package):
    run = fair(package)
    predicted = run.predicted
    off = np.eye(2)[predicted.argmax(axis=1)] if package == "credit_risk" else predicted + 60
    vars(run).update(predicted=off)
    outcome = runs.check(run, "calibration")
    assert outcome.verdict == "failed"
    assert "Calibrate" in outcome.next_step


@pytest.mark.parametrize(
    ("difference", "low", "high", "verdict"),
    [(0.04, 0.01, 0.07, "passed"), (-0.04, -0.07, -0.01, "failed")],
)
def test_a_model_that_is_worse_than_the_champion_is_found(fair, difference, low, high, verdict):
    run = fair()
    compared = SimpleNamespace(
        champion="1", metric="roc_auc", difference=difference, low=low, high=high
    )
    object.__setattr__(run, "comparison", compared)
    object.__setattr__(run, "evaluation", SimpleNamespace(rows=len(run.rows), threshold=None))
    outcome = runs.check(run, "better-than-the-champion")
    assert outcome.verdict == verdict
    assert "version 1" in outcome.message


@pytest.mark.parametrize("package", PACKAGES)
def test_an_explanation_that_the_next_draw_turns_round_is_found(fair, package):
    run = fair(package)
    explained = permutation_importance(
        run.model,
        run.rows[run.contract.features],
        run.parts["test"][run.contract.target],
        n_repeats=5,
        random_state=7,
    ).importances_mean
    ranked = [each for _, each in sorted(zip(explained, run.contract.features, strict=True))]
    importances = {name: float(rank) for rank, name in enumerate(ranked)}

    def verdict() -> str:
        items = importances.items()
        importance = [SimpleNamespace(feature=name, mean=mean) for name, mean in items]
        object.__setattr__(
            run, "evaluation", SimpleNamespace(importance=importance, threshold=None)
        )
        return runs.check(run, "stable-explanations").verdict

    assert verdict() == "passed"
    importances = {name: -rank for name, rank in importances.items()}
    assert verdict() == "failed"


def test_people_of_the_test_set_who_were_learned_are_found(fair):
    run = fair()
    for name in ("test-set-by-id", "test-set-by-row"):
        assert runs.check(run, name).details["value"] == 0
    seen = run.parts["train"].head(120)
    test = pd.concat([run.parts["test"].iloc[120:], seen], ignore_index=True)
    run.parts["test"] = test
    for name in ("test-set-by-id", "test-set-by-row"):
        outcome = runs.check(run, name)
        assert outcome.verdict == "failed"
        assert outcome.details["value"] == pytest.approx(120 / len(test))
    renamed = run.parts["test"].assign(loan_id=[f"new {n}" for n in range(len(test))])
    run.parts["test"] = renamed
    assert runs.check(run, "test-set-by-id").verdict == "passed"
    assert runs.check(run, "test-set-by-row").verdict == "failed"  # the same people under other ids


def test_values_that_go_missing_are_found(fair):
    run = fair()
    run.parts["test"].loc[::4, "income"] = np.nan
    outcome = runs.check(run, "missing-values")
    assert outcome.verdict == "failed"
    assert "`income`" in outcome.message


def test_a_group_that_is_not_there_is_found(fair):
    run = fair()
    test = run.parts["test"]
    run.parts["test"] = test[test["age"] != "50+"]
    outcome = runs.check(run, "everybody-is-there")
    assert outcome.verdict == "failed"
    assert "age 50+" in outcome.message


@pytest.mark.parametrize("package", PACKAGES)
def test_a_feature_that_gives_a_group_away_is_found(fair, package):
    run = fair(package)
    column = run.contract.named("sensitive")[0]
    proxy = run.contract.numeric_features[0]
    first = run.contract.columns[column].values[0]
    for rows in run.parts.values():
        noise = np.random.default_rng(0).normal(0, 0.5, len(rows))
        rows[proxy] = (rows[column] == first) * 1.0 + noise
    outcome = runs.check(run, "proxies")
    assert outcome.verdict == "failed"
    assert outcome.message.endswith(f"({column})")
    [other] = [group for group in outcome.details["groups"] if group.group != column]
    assert other.word == "passed"


class Fragile(TransformerMixin, BaseEstimator):
    """Misleads the model for rows with a property that the test chooses."""

    def __init__(self, problem):
        self.problem = problem

    def fit(self, rows, target=None):
        """Learn nothing."""
        return self

    def transform(self, rows):
        """Zeros, and one misleading feature, in the affected rows."""
        rows = rows.copy()
        if self.problem == "gaps":
            odd = rows[["income", "years_employed"]].isna().any(axis=1)
        elif self.problem == "words":
            odd = ~rows["purpose"].isin(["car", "home", "study", "other"])
        else:
            odd = rows["income"] % 1 > 0
        for name in ("income", "debt_ratio", "late_payments", "years_employed"):
            rows[name] = rows[name].where(~odd, 0)
        return rows.assign(debt_ratio=rows["debt_ratio"].where(~odd, rows.index % 2))


@pytest.mark.parametrize(
    ("check", "problem"), [("gaps", "gaps"), ("unseen-categories", "words"), ("noise", "decimals")]
)
def test_a_model_that_fails_on_perturbed_rows_is_detected(fair, check, problem):
    sound = fair()
    broken = make_pipeline(Fragile(problem), *(step for _, step in sound.model.steps))
    rows = {part: each.dropna().reset_index(drop=True) for part, each in sound.parts.items()}
    run = runs.build("credit_risk", rows, broken)
    limit = {"max": 0.005} if check != "noise" else {}
    outcome = runs.check(run, check, **limit)
    assert outcome.verdict == "failed", outcome.message
    assert runs.check(runs.build("credit_risk", rows, sound.model), check).verdict == "passed"


def test_a_model_that_chance_decides_is_found(fair):
    run = fair()
    nobody = runs.fit("credit_risk", run.parts["train"].assign(outcome=_shuffled(run)))
    vars(run).update(refits=[nobody])
    outcome = runs.check(run, "other-seeds")
    assert outcome.verdict == "failed"
    assert "seeds" in outcome.next_step


def _shuffled(run):
    return run.parts["train"]["outcome"].sample(frac=1, random_state=0).to_numpy()


def test_requests_that_a_loose_contract_lets_in_are_found(fair):
    known = runs.settings_of("credit_risk")["contract"]
    assert runs.check(fair(), "unsupported-uses").details["rows"] >= 15
    strict = known.columns["purpose"].model_copy(update={"values": ["(no such value)"]})
    run = fair(contract=known.model_copy(update={"raw": {**known.raw, "purpose": strict}}))
    outcome = runs.check(run, "unsupported-uses")
    assert outcome.verdict == "failed"
    assert "conf/data.yml" in outcome.next_step


def test_twenty_thousand_rows_are_enough(fair, monkeypatch):
    from mlops_platform.ethics import evaluated_run as module  # noqa: PLC0415

    monkeypatch.setattr(module, "MAX_ROWS", 500)
    run = fair()
    assert len(run.rows) == 500
    assert runs.check(run, "selection-rates").details["rows"] == 500
    again = fair()
    assert again.rows.equals(run.rows)


def test_each_measure_that_a_check_may_name_is_computed() -> None:
    assert limits.AT_LEAST.isdisjoint(limits.AT_MOST)
    assert MEASURES.keys() == limits.AT_LEAST | limits.AT_MOST
