"""Measures that need no run on disk: a planted fault that each catches; fair cases pass."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from mlops_platform.ethics import limits
from mlops_platform.ethics.measures import MEASURES
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline

from package.tests.ethics import cases

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
    made = fair(package)
    assert {name: cases.look(made, name).word for name in QUIET} == dict.fromkeys(QUIET, "passed")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_model_that_knows_nothing_is_found(fair, package):
    made = fair(package)
    drawn = np.random.default_rng(0).permutation(len(made.rows))
    vars(made).update(predicted=made.predicted[drawn])
    assert cases.look(made, "better-than-a-constant").word != "passed"
    worse = 1 - fair().predicted if package == "credit_risk" else -fair(package).predicted
    vars(made).update(predicted=worse)
    found = cases.look(made, "better-than-a-constant")
    assert found.word == "failed"
    assert "features.py" in found.next


@pytest.mark.parametrize("package", PACKAGES)
def test_predictions_that_are_not_what_happens_are_found(fair, package):
    made = fair(package)
    said = made.predicted
    off = np.eye(2)[said.argmax(axis=1)] if package == "credit_risk" else said + 60
    vars(made).update(predicted=off)
    found = cases.look(made, "calibration")
    assert found.word == "failed"
    assert "Calibrate" in found.next


@pytest.mark.parametrize(
    ("difference", "low", "high", "word"),
    [(0.04, 0.01, 0.07, "passed"), (-0.04, -0.07, -0.01, "failed")],
)
def test_a_model_that_is_worse_than_the_champion_is_found(fair, difference, low, high, word):
    made = fair()
    compared = SimpleNamespace(
        champion="1", metric="roc_auc", difference=difference, low=low, high=high
    )
    object.__setattr__(made, "comparison", compared)
    object.__setattr__(made, "evaluation", SimpleNamespace(rows=len(made.rows)))
    found = cases.look(made, "better-than-the-champion")
    assert found.word == word
    assert "version 1" in found.message


@pytest.mark.parametrize("package", PACKAGES)
def test_an_explanation_that_the_next_draw_turns_round_is_found(fair, package):
    made = fair(package)
    explained = permutation_importance(
        made.model,
        made.rows[made.contract.features],
        made.parts["test"][made.contract.target],
        n_repeats=5,
        random_state=7,
    ).importances_mean
    ranked = [each for _, each in sorted(zip(explained, made.contract.features, strict=True))]
    told = {name: float(rank) for rank, name in enumerate(ranked)}

    def look() -> str:
        importance = [SimpleNamespace(feature=name, mean=mean) for name, mean in told.items()]
        object.__setattr__(made, "evaluation", SimpleNamespace(importance=importance))
        return cases.look(made, "stable-explanations").word

    assert look() == "passed"
    told = {name: -rank for name, rank in told.items()}
    assert look() == "failed"


def test_people_of_the_test_set_who_were_learned_are_found(fair):
    made = fair()
    for name in ("test-set-by-id", "test-set-by-row"):
        assert cases.look(made, name).figures["value"] == 0
    seen = made.parts["train"].head(120)
    test = pd.concat([made.parts["test"].iloc[120:], seen], ignore_index=True)
    made.parts["test"] = test
    for name in ("test-set-by-id", "test-set-by-row"):
        found = cases.look(made, name)
        assert found.word == "failed"
        assert found.figures["value"] == pytest.approx(120 / len(test))
    renamed = made.parts["test"].assign(loan_id=[f"new {n}" for n in range(len(test))])
    made.parts["test"] = renamed
    assert cases.look(made, "test-set-by-id").word == "passed"
    assert cases.look(made, "test-set-by-row").word == "failed"  # the same people under other ids


def test_values_that_go_missing_are_found(fair):
    made = fair()
    made.parts["test"].loc[::4, "income"] = np.nan
    found = cases.look(made, "missing-values")
    assert found.word == "failed"
    assert "`income`" in found.message


def test_a_group_that_is_not_there_is_found(fair):
    made = fair()
    test = made.parts["test"]
    made.parts["test"] = test[test["age"] != "50+"]
    found = cases.look(made, "everybody-is-there")
    assert found.word == "failed"
    assert "age 50+" in found.message


@pytest.mark.parametrize("package", PACKAGES)
def test_a_feature_that_gives_a_group_away_is_found(fair, package):
    made = fair(package)
    column = made.contract.named("sensitive")[0]
    proxy = made.contract.numeric_features[0]
    first = made.contract.columns[column].values[0]
    for rows in made.parts.values():
        noise = np.random.default_rng(0).normal(0, 0.5, len(rows))
        rows[proxy] = (rows[column] == first) * 1.0 + noise
    found = cases.look(made, "proxies")
    assert found.word == "failed"
    assert found.message.endswith(f"({column})")
    [other] = [group for group in found.figures["groups"] if group.group != column]
    assert other.word == "passed"


class Fragile(TransformerMixin, BaseEstimator):
    """Reads the sample's features, and loses its head over what a test says."""

    def __init__(self, fault):
        self.fault = fault

    def fit(self, rows, target=None):
        """Learn nothing."""
        return self

    def transform(self, rows):
        """Zeros, and one feature that misleads, in the rows that are odd."""
        rows = rows.copy()
        if self.fault == "gaps":
            odd = rows[["income", "years_employed"]].isna().any(axis=1)
        elif self.fault == "words":
            odd = ~rows["purpose"].isin(["car", "home", "study", "other"])
        else:
            odd = rows["income"] % 1 > 0
        for name in ("income", "debt_ratio", "late_payments", "years_employed"):
            rows[name] = rows[name].where(~odd, 0)
        return rows.assign(debt_ratio=rows["debt_ratio"].where(~odd, rows.index % 2))


@pytest.mark.parametrize(
    ("check", "fault"), [("gaps", "gaps"), ("unseen-categories", "words"), ("noise", "decimals")]
)
def test_a_model_that_breaks_when_rows_are_a_little_other_is_found(fair, check, fault):
    sound = fair()
    broken = make_pipeline(Fragile(fault), *(step for _, step in sound.model.steps))
    rows = {part: each.dropna().reset_index(drop=True) for part, each in sound.parts.items()}
    made = cases.case("credit_risk", rows, broken)
    limit = {"max": 0.005} if check != "noise" else {}
    found = cases.look(made, check, **limit)
    assert found.word == "failed", found.message
    assert cases.look(cases.case("credit_risk", rows, sound.model), check).word == "passed"


def test_a_model_that_chance_decides_is_found(fair):
    made = fair()
    nobody = cases.fit("credit_risk", made.parts["train"].assign(outcome=_shuffled(made)))
    vars(made).update(reseeded=[nobody])
    found = cases.look(made, "other-seeds")
    assert found.word == "failed"
    assert "seeds" in found.next


def _shuffled(made):
    return made.parts["train"]["outcome"].sample(frac=1, random_state=0).to_numpy()


def test_requests_that_a_loose_contract_lets_in_are_found(fair):
    known = cases.settings_of("credit_risk")["contract"]
    assert cases.look(fair(), "unsupported-uses").figures["rows"] >= 15
    strict = known.columns["purpose"].model_copy(update={"values": ["(no such value)"]})
    made = fair(contract=known.model_copy(update={"columns": {**known.columns, "purpose": strict}}))
    found = cases.look(made, "unsupported-uses")
    assert found.word == "failed"
    assert "conf/data.yml" in found.next


def test_twenty_thousand_rows_are_enough(fair, monkeypatch):
    from mlops_platform.ethics import case as module  # noqa: PLC0415

    monkeypatch.setattr(module, "MOST_ROWS", 500)
    made = fair()
    assert len(made.rows) == 500
    assert cases.look(made, "selection-rates").figures["rows"] == 500
    again = fair()
    assert again.rows.equals(made.rows)


def test_each_measure_that_a_check_may_name_is_computed() -> None:
    assert limits.AT_LEAST.isdisjoint(limits.AT_MOST)
    assert MEASURES.keys() == limits.AT_LEAST | limits.AT_MOST
