"""What a model's file may hold: scikit-learn's estimators can be saved, nothing else gets in."""

import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from lightgbm import LGBMRanker
from mlops_platform.cli import settings_check
from mlops_platform.core.errors import UsageError
from mlops_platform.models import artifact, trust
from mlops_platform.models.team import Team, load_team
from scipy.sparse import csr_matrix
from sklearn import (
    calibration,
    compose,
    ensemble,
    feature_selection,
    gaussian_process,
    linear_model,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
)
from sklearn.base import BaseEstimator
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  the usual way to get it
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.utils import all_estimators
from sklearn.utils._test_common.instance_generator import _construct_instances
from sklearn.utils.estimator_checks import (
    _enforce_estimator_tags_X,
    _enforce_estimator_tags_y,
)

from package.tests.workspaces import CREDIT, TEAM

RNG = np.random.default_rng(0)
ROWS = np.abs(RNG.normal(size=(60, 5)))
TRUTH = (ROWS[:, 0] > ROWS[:, 1]).astype(int)
TEXTS, TEXT_TRUTH = ["a cat", "the dog ran"] * 20, np.arange(40) % 2
TABLE = pd.DataFrame({"a": ROWS[:, 0], "b": np.where(ROWS[:, 2] > 0.5, "u", "v")})
TABLE.loc[0, "a"] = np.nan
CARD = artifact.Card(run_id="r", task="classification", labels=["0", "1"], features=["x"])
# They need other data than a table of numbers.
FITTED_WITH: dict[str, tuple[Any, Any]] = {
    "DictVectorizer": ([{"a": 1.0, "b": "u"}, {"a": 2.0}], None),
    "LabelBinarizer": (TRUTH, None),
    "LabelEncoder": (TRUTH, None),
    "MultiLabelBinarizer": ([("a", "b"), ("c",)], None),
    "PatchExtractor": (np.ones((2, 8, 8)), None),
}
NOT_BUILT = {"FrozenEstimator", "SparseCoder"}  # they are made from something fitted
REFUSED = {"Birch": r"skops cannot save Birch \(Objects of type Birch"}


def kept(estimator: Any, folder: Path, team: Team = TEAM) -> Any:
    """What another process gets after it was saved."""
    artifact.save(estimator, folder, team, card=CARD, contract=CREDIT / "conf" / "data.yml")
    return artifact.load(folder, team)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "kind"), [each for each in all_estimators() if each[0] not in NOT_BUILT]
)
def test_each_estimator_of_scikit_learn_is_saved_or_refused_by_name(name, kind):
    estimator = next(iter(_construct_instances(kind)))
    rows = _enforce_estimator_tags_X(estimator, ROWS)
    truth = _enforce_estimator_tags_y(estimator, TRUTH)
    if estimator.__sklearn_tags__().input_tags.string and name != "MissingIndicator":
        rows, truth = TEXTS, TEXT_TRUTH
    if estimator.__sklearn_tags__().input_tags.one_d_array and name == "IsotonicRegression":
        rows = ROWS[:, 0]
    rows, truth = FITTED_WITH.get(name, (rows, truth))
    fitted = estimator.fit(rows) if truth is None else estimator.fit(rows, truth)
    if name in REFUSED:
        with pytest.raises(UsageError, match=REFUSED[name]):
            artifact._dump(fitted, "src/credit_risk/model.py")
        return
    content = artifact._dump(fitted, "src/credit_risk/model.py")
    types = trust.require_trusted(skops.io.get_untrusted_types(data=content), TEAM, "model.py")
    assert type(skops.io.loads(content, trusted=types)) is kind


def of(*steps: Any) -> Any:
    return pipeline.make_pipeline(*steps)


TRANSFORMED = compose.make_column_transformer(
    (preprocessing.StandardScaler(), ["a"]), (preprocessing.OneHotEncoder(), ["b"])
)
SELECTED = compose.make_column_transformer(
    (preprocessing.OrdinalEncoder(), compose.make_column_selector(dtype_exclude=float)),
    remainder="passthrough",
)
LOGISTIC = linear_model.LogisticRegression()
BINNED = ensemble.HistGradientBoostingClassifier(max_iter=2, categorical_features=[0])
USUAL: dict[str, tuple[Any, Any, Any]] = {
    "columns": (of(TRANSFORMED, ensemble.HistGradientBoostingClassifier(max_iter=2)), TABLE, TRUTH),
    "selected columns, categories": (of(SELECTED, BINNED), TABLE, TRUTH),
    "isotonic": (calibration.CalibratedClassifierCV(LOGISTIC, method="isotonic"), ROWS, TRUTH),
    "temperature": (
        calibration.CalibratedClassifierCV(LOGISTIC, method="temperature"),
        ROWS,
        TRUTH,
    ),
    "stacked": (
        ensemble.StackingClassifier([("a", svm.SVC()), ("b", neighbors.KNeighborsClassifier())]),
        ROWS,
        TRUTH,
    ),
    "searched": (
        GridSearchCV(LOGISTIC, {"C": [0.1, 1]}, scoring="roc_auc", cv=TimeSeriesSplit(3)),
        ROWS,
        TRUTH,
    ),
    "sparse KNeighbors": (
        of(TfidfVectorizer(), neighbors.KNeighborsClassifier()),
        TEXTS,
        TEXT_TRUTH,
    ),
    "sparse support vectors": (svm.SVC(), csr_matrix(ROWS), TRUTH),
    "ball tree": (
        neighbors.KNeighborsClassifier(algorithm="ball_tree", metric="manhattan"),
        ROWS,
        TRUTH,
    ),
    "perceptron": (neural_network.MLPClassifier((3,), solver="sgd", max_iter=3), ROWS, TRUTH),
    "Gaussian process": (
        gaussian_process.GaussianProcessClassifier(
            gaussian_process.kernels.ConstantKernel() * gaussian_process.kernels.Matern()
        ),
        ROWS,
        TRUTH,
    ),
    "ufunc": (of(preprocessing.FunctionTransformer(np.log1p), LOGISTIC), ROWS, TRUTH),
    "best columns": (
        of(feature_selection.SelectKBest(feature_selection.chi2, k=2), LOGISTIC),
        ROWS,
        TRUTH,
    ),
    "gamma": (linear_model.TweedieRegressor(power=2), ROWS, TRUTH + 1),
    "log of the target": (
        compose.TransformedTargetRegressor(
            linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1
        ),
        ROWS,
        TRUTH,
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", USUAL)
def test_a_usual_pipeline_predicts_the_same_after_it_was_saved(tmp_path, name):
    model, rows, truth = USUAL[name]
    model.fit(rows, truth)
    np.testing.assert_array_equal(
        kept(model, tmp_path / "model").predict(rows), model.predict(rows)
    )


@pytest.mark.parametrize(
    "name",
    [
        # scikit-learn's own functions, and others that it only imports.
        "sklearn.datasets._svmlight_format_io.dump_svmlight_file",
        "sklearn.utils._testing.check_output",
        "sklearn.metrics.pairwise.euclidean_distances",
        "sklearn.metrics._dist_metrics.PyFuncDistance64",
        "sklearn.utils.parallel.Parallel",
        # Beside a trusted name: longer, shorter, another module, a method.
        "sklearn.tree._tree.TreeOfMine",
        "sklearn.tree._tree",
        "sklearn_tree._tree.Tree",
        "sklearn.linear_model._logistic.LogisticRegression.fit",
        "sklearn.no_such_module.x",
        # Other libraries.
        "numpy.load",
        "numpy.ctypeslib.load_library",
        "numpy.random._pickle.__randomstate_ctor",
        "scipy.io._mio.savemat",
        "scipy.sparse._csr.csr_matrix_of_mine",
        "pandas.io.pickle.read_pickle",
        "functools.reduce",
        "builtins.eval",
        "operator.methodcaller",
        "mlops_platform.cli.invoke",
        # The team's, but not named; imported only; within a function; no such name.
        "credit_risk.features.build",
        "credit_risk.features.make_pipeline",
        "credit_risk.features.build.<locals>.inner",
        "credit_risk.features.nothing",
        "credit_risk.nothing.build",
        "credit_risk_of_mine.features.build",
        "",
        "Tree",
    ],
)
def test_nothing_else_is_trusted(name):
    assert trust.find_untrusted([name, "sklearn.tree._tree.Tree"], TEAM) == [name]
    with pytest.raises(UsageError, match="cannot be loaded safely"):
        trust.require_trusted([name], TEAM, "model.skops")


def define(monkeypatch: pytest.MonkeyPatch, **members: Any) -> None:
    """Add to the team's features.py, as if it were written there."""
    features = importlib.import_module("credit_risk.features")  # other tests load it again
    for name, member in members.items():
        member.__module__, member.__qualname__, member.__name__ = features.__name__, name, name
        monkeypatch.setattr(features, name, member, raising=False)


class Halved(BaseEstimator):
    """An estimator as a team writes it."""

    def fit(self, rows: Any, truth: Any = None) -> "Halved":
        """Fit."""
        self.fitted_ = True
        return self

    def transform(self, rows: Any) -> Any:
        """Half of it."""
        return rows / 2


class Lookup:
    """A class of the team without scikit-learn's API."""


def halve(rows: Any) -> Any:
    """A function of the team."""
    return rows / 2


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Defines members of the team's features.py."""
    return lambda **members: define(monkeypatch, **members)


def test_an_estimator_of_the_team_needs_no_name(tmp_path, own):
    own(Halved=Halved)
    model = of(Halved(), linear_model.LogisticRegression()).fit(ROWS, TRUTH)
    np.testing.assert_array_equal(
        kept(model, tmp_path / "model").predict(ROWS), model.predict(ROWS)
    )


def test_a_class_that_only_looks_like_an_estimator_is_refused(own):
    own(Lookup=Lookup, Nothing=type("Nothing", (BaseEstimator,), {}))
    names = ["credit_risk.features.Lookup", "credit_risk.features.Nothing"]
    assert trust.find_untrusted(names, TEAM) == names


def test_a_function_of_the_team_is_trusted_when_the_settings_name_it(tmp_path, own, workspace):
    own(halve=halve)
    model = of(preprocessing.FunctionTransformer(halve), LOGISTIC).fit(ROWS, TRUTH)
    name = "credit_risk.features.halve"
    with pytest.raises(UsageError, match=f"name {name} under `trusted` in conf/project.yml"):
        kept(model, tmp_path / "refused")
    assert not (tmp_path / "refused").exists()
    workspace.change("project.yml", trusted=[name])
    team = load_team(workspace.conf)
    assert kept(model, tmp_path / "model", team).predict(ROWS).shape == (60,)
    with pytest.raises(UsageError, match=f"contains {name}, which cannot be loaded safely"):
        artifact.load(tmp_path / "model", TEAM)  # the settings of another project


@pytest.mark.parametrize("name", ["credit_risk", "credit_risk.features.build()"])
def test_the_settings_name_modules_and_what_is_in_them(workspace, name):
    workspace.change("project.yml", trusted=[name])
    with pytest.raises(UsageError, match=r"project\.yml.*trusted.*should match pattern"):
        load_team(workspace.conf)


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "credit_risk_of_mine.x",
        "numpy.load",
        "lightgbm.LGBMRanker",  # not its full name
        "lightgbm.basic.Dataset",
        "sklearn.base.BaseEstimator",  # no estimator that can be fitted
    ],
)
def test_of_libraries_the_settings_can_name_estimators_only(workspace, name):
    workspace.change("project.yml", trusted=[name])
    team = load_team(workspace.conf)
    assert trust.find_untrusted([name], team) == [name]
    says = f"field `trusted`: {name} is neither of the package `credit_risk` nor an estimator"
    assert says in " ".join(settings_check.find_problems(workspace.conf))


def test_an_estimator_of_a_library_is_trusted_when_the_settings_name_it(tmp_path, workspace):
    """LGBMRanker stands for the estimators of all libraries that are not built in."""
    model = LGBMRanker(n_estimators=3, verbose=-1).fit(ROWS, TRUTH, group=[60])
    name = "lightgbm.sklearn.LGBMRanker"
    with pytest.raises(UsageError, match=f"name {name} under `trusted` in conf/project.yml"):
        kept(model, tmp_path / "refused")
    workspace.change("project.yml", trusted=[name])
    assert "trusted" not in " ".join(settings_check.find_problems(workspace.conf))
    team = load_team(workspace.conf)
    np.testing.assert_array_equal(
        kept(model, tmp_path / "model", team).predict(ROWS), model.predict(ROWS)
    )


def test_a_library_that_only_a_file_names_is_not_imported(monkeypatch):
    def imported(name: str) -> None:
        raise AssertionError(f"{name} was imported")

    monkeypatch.setattr(importlib, "import_module", imported)
    with pytest.raises(UsageError, match=r"contains antigravity\.Estimator, which cannot be"):
        trust.require_trusted(["antigravity.Estimator"], TEAM, "model.skops")


def test_a_step_that_skops_cannot_save_is_named(tmp_path):
    class Endless(preprocessing.StandardScaler):
        def fit(self, rows: Any, truth: Any = None) -> "Endless":
            self.rows = (row for row in rows)  # a generator
            return super().fit(rows)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = of(Endless(), LOGISTIC).fit(ROWS, TRUTH)
    with pytest.raises(UsageError, match=r"model\.py or features\.py: skops cannot save Endless"):
        kept(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()
