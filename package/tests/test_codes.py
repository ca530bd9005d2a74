"""Models are fitted to codes of the labels; what names the labels by their text is translated."""

import numpy as np
import pandas as pd
import pytest
from mlops_platform.data.contract import Contract
from mlops_platform.models import codes, dataset
from scipy.stats import uniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import Pipeline

from package.tests.workspaces import CREDIT

LABELS = ["repaid", "defaulted"]  # the positive one is last, also against the alphabet


def searched(**options) -> GridSearchCV:
    return GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, **options)


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps the target that it was fitted to."""

    def fit(self, rows, target):
        """Keep it."""
        self.target_, self.classes_ = target, np.unique(target)
        return self


@pytest.fixture
def rows(workspace) -> pd.DataFrame:
    raw = pd.read_csv(workspace.raw / "credit.csv", dtype=str)
    return workspace.contract.typed(raw)[0]


def test_the_positive_class_is_one_in_the_fit(workspace, rows):
    pipeline = Pipeline([("model", Recorder())])
    dataset.fit(pipeline, rows, workspace.contract)
    expected = (rows["outcome"] == "defaulted").astype(int)
    pd.testing.assert_series_equal(pipeline[-1].target_, expected)


def test_a_scorer_of_the_positive_class_works_with_text_labels(workspace, rows):
    features = ["debt_ratio", "late_payments"]
    columns = {name: workspace.contract.columns[name] for name in [*features, "outcome"]}
    contract = Contract(min_rows=10, columns=columns)
    search = searched(scoring="f1", error_score="raise")
    dataset.fit(search, rows, contract)
    best = LogisticRegression(**search.best_params_).fit(rows[features], rows["outcome"])
    expected = f1_score(rows["outcome"], best.predict(rows[features]), pos_label="defaulted")
    assert search.score(rows[features], rows["outcome"] == "defaulted") == expected


@pytest.mark.parametrize(
    ("estimator", "option", "expected"),
    [
        (
            LogisticRegression(class_weight={"repaid": 1, "defaulted": 5}),
            "class_weight",
            {0: 1, 1: 5},
        ),
        (LogisticRegression(class_weight="balanced"), "class_weight", "balanced"),
        (LogisticRegression(class_weight={0: 1, 1: 5}), "class_weight", {0: 1, 1: 5}),
        (
            TunedThresholdClassifierCV(LogisticRegression(class_weight={"defaulted": 3})),
            "estimator__class_weight",
            {1: 3},
        ),
    ],
)
def test_options_that_name_labels_are_translated(estimator, option, expected):
    codes.translate_settings(estimator, LABELS)
    assert estimator.get_params()[option] == expected


def test_a_scorer_that_names_the_positive_label_is_translated_and_the_teams_own_is_unchanged():
    own = make_scorer(f1_score, pos_label="defaulted")
    one, several = searched(scoring=own), searched(scoring={"f": own}, refit="f")
    for search in (one, several):
        codes.translate_settings(search, LABELS)
    assert one.scoring._kwargs == several.scoring["f"]._kwargs == {"pos_label": 1}
    assert own._kwargs == {"pos_label": "defaulted"}


def test_a_grid_that_names_labels_is_translated():
    grid = {"class_weight": [None, {"repaid": 1, "defaulted": 2}], "C": [1.0]}
    search = GridSearchCV(LogisticRegression(), grid)
    codes.translate_settings(search, LABELS)
    assert search.param_grid == {"class_weight": [None, {0: 1, 1: 2}], "C": [1.0]}


def test_a_random_search_that_names_labels_is_translated():
    strengths = uniform(0.1, 1.0)
    tried = {"class_weight": [None, {"repaid": 1, "defaulted": 2}], "C": strengths}
    several = [tried, {"C": np.array([1.0, 2.0])}]
    for given in (tried, several):
        search = RandomizedSearchCV(LogisticRegression(), given)
        codes.translate_settings(search, LABELS)
        found = search.param_distributions
        first = found[0] if isinstance(found, list) else found
        assert first == {"class_weight": [None, {0: 1, 1: 2}], "C": strengths}
    assert found[1] is several[1]
    assert tried["class_weight"][1] == {"repaid": 1, "defaulted": 2}, "the team's own is unchanged"


def test_a_random_search_that_names_labels_is_fitted(workspace, rows):
    tried = {"class_weight": [{"repaid": 1, "defaulted": 9}], "C": [0.1]}
    columns = {name: workspace.contract.columns[name] for name in ["debt_ratio", "outcome"]}
    contract = Contract(min_rows=10, columns=columns)
    search = RandomizedSearchCV(LogisticRegression(), tried, n_iter=1, cv=2, random_state=0)
    dataset.fit(search, rows, contract)
    assert search.best_params_["class_weight"] == {0: 1, 1: 9}


@pytest.mark.parametrize("classes", [["defaulted", "repaid"], [1, 0]], ids=["text", "codes"])
def test_models_of_before_have_texts_as_classes(classes):
    class Fixed:
        """Predicts the same for each row."""

        classes_ = np.array(classes)

        def predict_proba(self, rows):
            return np.full((len(rows), 2), [0.9, 0.1])

    predicted = dataset.predict(Fixed(), pd.DataFrame({"x": [1, 2]}), LABELS)
    np.testing.assert_array_equal(predicted, [[0.1, 0.9]] * 2)


def test_the_sample_is_such_a_case():
    assert "positive: defaulted" in (CREDIT / "conf" / "data.yml").read_text()
    assert sorted(LABELS) != LABELS
