"""Errors in the team's modules are reported with file, function and line."""

import sys
from types import SimpleNamespace

import credit_risk
import numpy as np
import pandas as pd
import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import load_contract
from mlops_platform.models import dataset, team
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

from package.tests.workspaces import CREDIT, TEAM

CONTRACT = load_contract(CREDIT / "conf" / "data.yml", "classification")


@pytest.fixture
def written(monkeypatch, tmp_path):
    """Replaces a module of the team with this text."""

    def write(module: str, text: str) -> None:
        (tmp_path / f"{module}.py").write_text(text)
        monkeypatch.delitem(sys.modules, f"credit_risk.{module}", raising=False)
        monkeypatch.delattr(credit_risk, module, raising=False)
        monkeypatch.setattr(credit_risk, "__path__", [str(tmp_path)])

    yield write
    for module in ("data", "features", "model"):
        sys.modules.pop(f"credit_risk.{module}", None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nothing_like_this", "data.py cannot be imported: ModuleNotFoundError"),
        (
            "\n\n1/0",
            "data.py cannot be imported: ZeroDivisionError: division by zero (line 3 of data.py)",
        ),
        ("def load(path:\n", "data.py cannot be imported: SyntaxError"),
        ("", "data.py has no function `load`. docs/contract.md shows its signature"),
        ("load = 3", "data.py has no function `load`"),
        ("def load():\n    pass", "data.py, load(): TypeError"),
        (
            "def load(path):\n\n    return {}['x']",
            "data.py, load(): KeyError: 'x' (line 3 of data.py)",
        ),
        (
            "import pandas\ndef load(path):\n    return pandas.read_csv(path / 'gone.csv')",
            "data.py, load(): FileNotFoundError",
        ),
        ("def load(path):\n    pass", "data.py, load(): must return a DataFrame, got NoneType"),
        ("def load(path):\n    exit('no')", "data.py, load(): SystemExit: no (line 2 of data.py)"),
    ],
)
def test_errors_in_loading(written, tmp_path, text, says):
    written("data", text)
    with pytest.raises(UsageError) as caught:
        TEAM.load_raw(tmp_path)
    assert str(caught.value).startswith(f"src/credit_risk/{says}")


def test_data_that_is_not_there(tmp_path):
    with pytest.raises(
        UsageError, match=r"gone: does not exist\. Name a file or folder with raw data"
    ):
        TEAM.load_raw(tmp_path / "gone")


def test_rows_are_numbered_from_zero(written, tmp_path):
    written("data", "import pandas\ndef load(path):\n    return pandas.DataFrame({'a': [1]}, [7])")
    assert TEAM.load_raw(tmp_path).index.tolist() == [0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "def build(contract):\n    return 3",
            "features.py, build(): int has no fit and no tr",
        ),
        (
            "def build(contract):\n    return contract.featres",
            "features.py, build(): AttributeError",
        ),
        ("def build(contract):\n    pass", "features.py, build(): NoneType has no fit"),
    ],
)
def test_errors_in_features(written, text, says):
    written("features", text)
    with pytest.raises(UsageError) as caught:
        TEAM.build_features(CONTRACT)
    assert str(caught.value).startswith(f"src/credit_risk/{says}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def build(parameters, seed):\n    return 3", "model.py, build(): int has no fit"),
        ("def build(parameters):\n    pass", "model.py, build(): TypeError"),
        (
            "def build(parameters, seed):\n    return dict(**parameters, a=1)",
            "model.py, build(): TypeError: dict() got multiple values for keyword argument 'a' "
            "(line 2 of model.py)",
        ),
    ],
)
def test_errors_in_the_model(written, text, says):
    written("model", text)
    with pytest.raises(UsageError) as caught:
        TEAM.build_model({"a": 2}, 0)
    assert str(caught.value).startswith(f"src/credit_risk/{says}")


def test_a_parameter_that_the_estimator_does_not_know():
    with pytest.raises(
        UsageError, match=r"model\.py, build\(\): .*'trees' \(line \d+ of model\.py\)"
    ):
        TEAM.build_model({"trees": 3}, 0)


ROWS = pd.DataFrame({"colour": ["red", "blue"] * 5})
TARGET = pd.Series(["a", "b"] * 5)


class Picky(BaseEstimator):
    """Cannot be fitted."""

    def fit(self, rows, target):
        """Raise, as a wrong parameter would."""
        raise ValueError("max_depth must be positive")


def test_a_fit_that_fails():
    with pytest.raises(UsageError, match="fitting failed: ValueError: max_depth must be positive"):
        team.fit(Pipeline([("model", Picky())]), ROWS, TARGET)


def test_a_regressor_for_classes():
    labels = pd.Series(["paid", "default"] * 2)
    with pytest.raises(UsageError, match=r"could not convert .* must return a classifier"):
        team.fit(Pipeline([("model", LinearRegression())]), pd.DataFrame({"a": range(4)}), labels)


def test_a_value_that_training_did_not_have():
    pipeline = Pipeline([("features", OneHotEncoder()), ("model", DummyClassifier())])
    team.fit(pipeline, ROWS, TARGET)
    with pytest.raises(UsageError, match=r"predict_proba failed on 1 rows: .*Found unknown categ"):
        dataset.predict(pipeline, pd.DataFrame({"colour": ["green"]}), ["a", "b"])


def test_a_model_without_probabilities():
    pipeline = Pipeline([("features", OneHotEncoder()), ("model", LinearSVC())])
    team.fit(pipeline, ROWS, TARGET)
    with pytest.raises(UsageError, match="a classifier needs `predict_proba`"):
        dataset.predict(pipeline, ROWS, ["a", "b"])


def test_a_class_that_the_model_never_saw_has_probability_zero():
    pipeline = Pipeline([("features", OneHotEncoder()), ("model", DummyClassifier())])
    team.fit(pipeline, ROWS, TARGET)
    predicted = dataset.predict(pipeline, ROWS.head(1), ["c", "b", "a"])
    assert predicted.tolist() == [[0, 0.5, 0.5]]


@pytest.mark.parametrize("labels", [[], ["a", "b"]])
def test_a_prediction_that_is_nan(monkeypatch, labels):
    probabilities = np.array([[0.5, 0.5], [np.nan, 0.5]])
    given = probabilities if labels else probabilities[:, 0]
    monkeypatch.setattr(team, "predict", lambda model, method, rows: given)
    model = SimpleNamespace(classes_=labels)
    with pytest.raises(UsageError, match=r"model\.py: the model predicts NaN for 1 of 2 rows"):
        dataset.predict(model, ROWS.head(2), labels)
