"""The label served is the label of the model: one threshold, in evaluation, batch and endpoint."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from credit_risk import sample
from mlops_platform import evidence, settings
from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import load_contract
from mlops_platform.data.decision import decide
from mlops_platform.evaluation import metrics, threshold
from mlops_platform.models import artifact, dataset, own_threshold
from mlops_platform.models.team import Team
from mlops_platform.report import card as cards
from mlops_platform.report import collect
from mlops_platform.serving import store
from mlops_platform.serving.scorer import Scorer
from mlops_platform.settings import Threshold
from mlops_platform.steps import score
from sklearn import metrics as theirs
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from package.tests import models
from package.tests.workspaces import CREDIT, TEAM

RNG = np.random.default_rng(0)
POSITIVE = np.round(RNG.uniform(size=400), 2)
TRUTH = (RNG.uniform(size=400) < POSITIVE**2).astype(int)  # overconfident in the positive class
PREDICTED = np.column_stack([1 - POSITIVE, POSITIVE])
ROWS = RNG.normal(size=(300, 2))
CODES = (ROWS[:, 0] + RNG.normal(size=300) > 1).astype(int)


def test_a_label_is_decided_from_the_threshold_on():
    probabilities = np.array([[0.8, 0.2], [0.7, 0.3], [0.5, 0.5], [0.2, 0.8]])
    assert decide(probabilities, 0.3).tolist() == [0, 1, 1, 1]
    assert decide(probabilities).tolist() == [0, 0, 0, 1]  # the most probable, the first of equals
    assert decide(np.array([[0.2, 0.5, 0.3]])).tolist() == [1]


@pytest.mark.parametrize("name", ["f1", "accuracy"])
def test_the_best_threshold_of_a_metric_is_found(name):
    """scikit-learn computes the metric, for each threshold that makes a difference."""
    chosen = threshold.choose(TRUTH, PREDICTED, Threshold(metric=name))
    function = {"f1": theirs.f1_score, "accuracy": theirs.accuracy_score}[name]
    best = max(function(TRUTH, each <= POSITIVE) for each in np.unique(POSITIVE))
    assert metrics.METRICS[name].at(chosen).compute(TRUTH, PREDICTED) == pytest.approx(best)
    assert best > metrics.METRICS[name].compute(TRUTH, PREDICTED)


@pytest.mark.parametrize(("false_positive", "false_negative"), [(1, 5), (5, 1), (1000, 1)])
def test_the_lowest_cost_is_found(false_positive, false_negative):
    rule = Threshold(cost={"false_positive": false_positive, "false_negative": false_negative})

    def cost(limit: float) -> float:
        _, false_positives, false_negatives, _ = theirs.confusion_matrix(
            TRUTH, limit <= POSITIVE, labels=[0, 1]
        ).ravel()
        return false_positive * false_positives + false_negative * false_negatives

    expected = min(cost(each) for each in [*np.unique(POSITIVE), 2])
    assert cost(threshold.choose(TRUTH, PREDICTED, rule)) == expected


def test_without_a_better_one_it_stays_a_half():
    sure = np.array([[0.9, 0.1], [0.1, 0.9]])
    assert threshold.choose(np.array([0, 1]), sure, Threshold(metric="f1")) == 0.5


def test_a_threshold_changes_metrics_of_labels_alone():
    for metric in metrics.METRICS.values():
        if metric.task == "classification":
            changed = metric.at(0.9).compute(TRUTH, PREDICTED)
            assert (changed != metric.compute(TRUTH, PREDICTED)) == metric.of_labels
    decided = (POSITIVE >= 0.9).astype(int)
    assert metrics.METRICS["f1"].at(0.9).compute(TRUTH, PREDICTED) == pytest.approx(
        theirs.f1_score(TRUTH, decided)
    )


# ---------------------------------------------------------------- a threshold of the model's own

INNER = LogisticRegression()
OWN = {
    "fixed": FixedThresholdClassifier(INNER, threshold=0.2),
    "fixed, automatic": FixedThresholdClassifier(INNER),
    "of the first class": FixedThresholdClassifier(INNER, threshold=0.9, pos_label=0),
    "tuned": TunedThresholdClassifierCV(INNER, scoring="f1", cv=3),
    "tuned for the first class": TunedThresholdClassifierCV(
        INNER, scoring=make_scorer(f1_score, pos_label=0), cv=3
    ),
    "in a pipeline": make_pipeline(
        StandardScaler(), FixedThresholdClassifier(INNER, threshold=0.2)
    ),
    "searched": GridSearchCV(
        FixedThresholdClassifier(INNER), {"threshold": [0.1, 0.2]}, scoring="f1", cv=3
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_the_labels_are_those_of_the_models_predict(name):
    fitted = OWN[name].fit(ROWS, CODES)
    found = own_threshold.of_model(fitted)
    new = RNG.normal(size=(2000, 2))
    np.testing.assert_array_equal(decide(fitted.predict_proba(new), found), fitted.predict(new))


def test_other_models_have_none():
    assert own_threshold.of_model(LogisticRegression().fit(ROWS, CODES)) is None


def train_with(workspace, monkeypatch, estimator) -> dict:
    monkeypatch.setattr(Team, "build_model", lambda team, parameters, seed: estimator)
    return workspace.pipeline()


def test_a_model_that_decides_by_another_number_is_refused_before_the_fit(workspace, monkeypatch):
    estimator = FixedThresholdClassifier(LogisticRegression(), response_method="decision_function")
    with pytest.raises(UsageError, match=r"model\.py: FixedThr.*decides by `decision_function`"):
        train_with(workspace, monkeypatch, estimator)


def test_two_thresholds_are_refused_before_the_fit(workspace, monkeypatch):
    workspace.change("train.yml", threshold={"metric": "f1"})
    with pytest.raises(UsageError, match=r"has a threshold, and conf/train\.yml has `threshold`"):
        train_with(workspace, monkeypatch, FixedThresholdClassifier(LogisticRegression()))


# ---------------------------------------------------------------- the same everywhere

RULES = {
    "metric": ({"metric": "f1"}, None, "the best f1 on the validation set"),
    "cost": (
        {"cost": {"false_positive": 1, "false_negative": 6}},
        None,
        "the lowest cost on the validation set, 1 for a false positive and 6 for a false negative",
    ),
    "own": (
        None,
        FixedThresholdClassifier(GradientBoostingClassifier(n_estimators=5), threshold=0.25),
        "the model's own",
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_evaluation_endpoint_and_batch_decide_alike(workspace, monkeypatch, name, tmp_path):
    rule, estimator, source = RULES[name]
    monkeypatch.chdir(workspace.root)
    if rule:
        workspace.change("train.yml", threshold=rule)
    if estimator is not None:
        monkeypatch.setattr(Team, "build_model", lambda team, parameters, seed: estimator)
    folders = workspace.pipeline()
    run = collect.read_folders([each / "evidence" for each in folders.values()])
    limit = artifact.load_card(folders["train"] / "model").threshold
    assert limit is not None and limit != 0.5
    assert run.training.threshold == run.evaluation.threshold == limit
    assert run.training.threshold_from == source

    # In the evaluation: the confusion matrix, and the metrics of labels.
    contract = workspace.contract
    rows = dataset.read_part(workspace.data, "test", contract)
    fitted = artifact.load(folders["train"] / "model", TEAM)
    positive = dataset.predict(fitted, rows[contract.features], contract.labels)[:, 1]
    decided, truth = (positive >= limit).astype(int), (rows["outcome"] == "defaulted").astype(int)
    assert not np.array_equal(decided, (positive > 0.5).astype(int))
    assert run.evaluation.confusion == theirs.confusion_matrix(truth, decided).tolist()
    values = {measure.name: measure.value for measure in run.evaluation.measures}
    assert values["accuracy"] == pytest.approx(theirs.accuracy_score(truth, decided))
    assert values["f1"] == pytest.approx(theirs.f1_score(truth, decided))

    # At the endpoint, and in a batch.
    workspace.registry.promote(None, "a threshold", "tests")
    scorer = Scorer(*store.fetch(workspace.conf, "champion"))
    sent = models.good_rows("credit_risk", workspace.conf / "data.yml", 60)
    answered = scorer.answer(json.dumps({"rows": sent}).encode())["predictions"]
    expected = [
        "defaulted" if each["probabilities"]["defaulted"] >= limit else "repaid"
        for each in answered
    ]
    assert [each["label"] for each in answered] == expected
    sample.make(60, seed=7).drop(columns="outcome").to_csv(tmp_path / "rows.csv", index=False)
    score.run(workspace.conf, tmp_path / "rows.csv", "champion", tmp_path / "s", tmp_path / "o")
    assert pd.read_csv(tmp_path / "s" / "scores.csv")["label"].tolist() == expected

    # In the model card, for people.
    card = cards.build_card(workspace.conf, run).markdown()
    assert f"**Decision**: defaulted from a probability of {limit:.4g} on; {source}" in card


def test_a_champion_is_compared_at_its_own_threshold(serving):
    """The same probabilities, and another threshold: the metrics of labels differ."""
    serving.change("gates.yml", metric="f1")
    folder = serving.fit("challenger", estimator=GradientBoostingClassifier(n_estimators=5))
    serving.crown(folder)
    card = artifact.load_card(folder)
    evidence.write(card.model_copy(update={"threshold": 0.2}), folder / "model.json")
    compared = serving.compare(folder)
    assert compared.difference == pytest.approx(compared.challenger_value - compared.champion_value)
    assert compared.difference != 0


def test_models_of_before_decide_by_the_most_probable_class(trained):
    path = trained.step("train") / "model" / "model.json"
    content = json.loads(path.read_text())
    del content["threshold"]
    path.write_text(json.dumps(content))
    assert artifact.load_card(path.parent).threshold is None


class Careful(LogisticRegression):
    """Decides early, and has no threshold that anybody could read."""

    def predict(self, rows):
        """From a fifth on."""
        return (self.predict_proba(rows)[:, 1] > 0.2).astype(int)


def test_a_model_whose_predict_is_not_its_probability_is_named(workspace, monkeypatch):
    workspace.change("project.yml", trusted=[f"{Careful.__module__}.Careful"])
    folders = train_with(workspace, monkeypatch, Careful())
    run = collect.read_folders([folders["train"] / "evidence"])
    named = [each for each in run.training.findings if "`predict` of Careful differs" in each]
    assert named and named[0] in [each.message for each in collect.verdicts(run)]


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({}, "give exactly one of `metric` and `cost`"),
        ({"metric": "f1", "cost": {"false_positive": 1, "false_negative": 1}}, "exactly one of"),
        ({"metric": "roc_auc"}, r"roc_auc does not depend on a threshold; choose one of accuracy"),
        ({"metric": "f2"}, "f2 does not depend on a threshold"),
        ({"cost": {"false_positive": 0, "false_negative": 1}}, "greater than 0"),
    ],
)
def test_a_wrong_rule_is_named(workspace, mlops, rule, says):
    workspace.change("train.yml", threshold=rule)
    code, _, err = mlops(workspace, "settings")
    assert code and "train.yml, field `threshold" in err and re.search(says, err)


def test_a_threshold_needs_two_classes(tmp_path):
    train = settings.load_train(CREDIT / "conf").model_copy(
        update={"threshold": Threshold(metric="f1")}
    )
    three = {"kind": "category", "role": "target", "values": ["a", "b", "c"]}
    source = models.change_contract(CREDIT / "conf" / "data.yml", tmp_path / "3.yml", outcome=three)
    for path, task, says in (
        (source, "classification", "is 3 classes"),
        (models.conf_of("energy_demand") / "data.yml", "regression", "is a number"),
    ):
        with pytest.raises(UsageError, match=f"needs a target with two classes.* {says}"):
            threshold.require_fitting(train, load_contract(path, task), CREDIT / "conf")
