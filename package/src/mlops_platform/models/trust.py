"""Which types and functions a model's file may hold.

skops builds what a file names, and asks before it builds a type that it does not trust by itself.
Trusted here: those that skops trusts, `NEEDED`, the types of `libraries`, of the team's package the
estimators, and what conf/project.yml names in `trusted`: functions and classes of the team's
package, and estimators of other libraries. Each by its exact name: no prefix is trusted.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.models import libraries
from mlops_platform.models.team import Team

# What scikit-learn's own estimators hold, by module. None of these opens a file, starts a program
# or imports a module, whatever a file gives it as arguments or state.
NEEDED = {
    # Trees of forests and of boosting. scikit-learn does not check the indices in them, so a
    # changed file could crash the process: a version's hash is checked before its model is loaded.
    "sklearn.tree._tree": ("Tree",),
    "sklearn.ensemble._hist_gradient_boosting.predictor": ("TreePredictor",),
    # KNeighbors and its like: the index of the training rows, likewise, and its distance.
    "sklearn.neighbors._kd_tree": ("KDTree",),
    "sklearn.neighbors._ball_tree": ("BallTree",),
    "sklearn.metrics._dist_metrics": (  # all but PyFuncDistance64, which calls a function
        "BrayCurtisDistance64",
        "CanberraDistance64",
        "ChebyshevDistance64",
        "EuclideanDistance64",
        "HammingDistance64",
        "HaversineDistance64",
        "JaccardDistance64",
        "MahalanobisDistance64",
        "ManhattanDistance64",
        "MinkowskiDistance64",
        "SEuclideanDistance64",
    ),
    # Rows as sparse matrices, which KNeighbors and SVC keep; arrays only.
    "scipy.sparse._csr": ("csr_array", "csr_matrix"),
    # The type of an array's values, in imputers and encoders; TypeNode's `object` likewise.
    # mean: how FeatureAgglomeration pools columns; ravel: one column of texts, as rows of TF-IDF.
    "numpy": ("dtype", "mean", "ravel"),
    "builtins": ("object",),  # the columns that make_column_selector takes
    "sklearn.compose._column_transformer": ("make_column_selector",),
    # Calibration: one curve for each fold, and two kinds of curves.
    "sklearn.calibration": ("_CalibratedClassifier", "_SigmoidCalibration", "_TemperatureScaling"),
    # LightGBM's record of its scores.
    "collections": ("OrderedDict",),
    # Stacking and voting: a dictionary of their estimators.
    "sklearn.utils._bunch": ("Bunch",),
    # Categories of histogram boosting: a partial of check_array. What a partial calls is checked
    # by its own name.
    "functools": ("partial",),
    "sklearn.utils.validation": ("check_array",),
    # Splines of SplineTransformer, with the function that makes their input an array.
    "scipy.interpolate._bsplines": ("BSpline",),
    "scipy._lib.array_api_compat.numpy._aliases": ("asarray",),
    # Losses of TweedieRegressor: skops trusts the others.
    "sklearn._loss.loss": ("HalfTweedieLoss", "HalfTweedieLossIdentity"),
    # The state of a fit of MLPClassifier and MLPRegressor.
    "sklearn.neural_network._stochastic_optimizers": ("AdamOptimizer", "SGDOptimizer"),
    # Kernels of Gaussian processes: numbers, and a formula.
    "sklearn.gaussian_process.kernels": (
        "CompoundKernel",
        "ConstantKernel",
        "DotProduct",
        "ExpSineSquared",
        "Exponentiation",
        "Matern",
        "PairwiseKernel",
        "Product",
        "RBF",
        "RationalQuadratic",
        "Sum",
        "WhiteKernel",
    ),
    "sklearn.gaussian_process._gpc": ("_BinaryGaussianProcessClassifierLaplace",),
    # Small parts of single estimators.
    "sklearn.cluster._bisect_k_means": ("_BisectingTree",),
    "sklearn.cluster._kmeans": ("_kmeans_single_elkan", "_kmeans_single_lloyd"),
    "sklearn.impute._iterative": ("IterativeImputer", "_ImputerTriplet"),
    "sklearn.multiclass": ("_ConstantPredictor",),
    # Score functions of SelectKBest and its like: statistics of two arrays.
    "sklearn.feature_selection._univariate_selection": (
        "chi2",
        "f_classif",
        "f_regression",
        "r_regression",
    ),
    "sklearn.feature_selection._mutual_info": ("mutual_info_classif", "mutual_info_regression"),
    # Searches keep how they split and scored. `_scorers` has the functions that scorers call.
    "sklearn.model_selection._search_successive_halving": (
        "HalvingGridSearchCV",
        "HalvingRandomSearchCV",
    ),
    "sklearn.model_selection._split": (
        "GroupKFold",
        "KFold",
        "PredefinedSplit",
        "RepeatedKFold",
        "RepeatedStratifiedKFold",
        "ShuffleSplit",
        "StratifiedKFold",
        "StratifiedShuffleSplit",
        "TimeSeriesSplit",
    ),
    "sklearn.metrics._scorer": ("_CurveScorer", "_PassthroughScorer", "_Scorer"),
    "sklearn.utils._metadata_requests": ("MetadataRequest", "MethodMetadataRequest"),
}
# By the library, whose fitted models hold what only pickle keeps.
NOT_KEPT = dict.fromkeys(
    ("skorch", "torch"),
    "PyTorch's own format for weights is a pickle, which this project does not load. Use "
    "scikit-learn's MLPClassifier or MLPRegressor, or a model of boosted trees.",
)


def find_untrusted(names: Iterable[str], team: Team) -> list[str]:
    """The names that must not be loaded, sorted.

    `names` are those that `skops.io.get_untrusted_types` returns, so without those that skops
    trusts.
    """
    return sorted(name for name in names if not _is_trusted(name, team))


def require_trusted(names: Iterable[str], team: Team, source: str) -> list[str]:
    """Return `names` if all may be loaded.

    Raises:
        UsageError: a name is not trusted; with what to do.
    """
    checked = list(names)
    refused = find_untrusted(checked, team)
    if refused:
        raise UsageError(
            f"{source}: the model contains {', '.join(refused)}, which cannot be loaded safely. "
            f"{_advice(refused, team)}"
        )
    return checked


def of_libraries(names: Iterable[str], team: Team) -> list[str]:
    """Those of `names` that are estimators of libraries beside scikit-learn, or parts of them."""
    return [
        name
        for name in names
        if libraries.is_known(name) or (name in team.trusted and not team.owns(name))
    ]


def find_refused_settings(team: Team) -> list[str]:
    """What conf/project.yml names in `trusted` without effect: nothing of it may be loaded."""
    return sorted(
        name
        for name in team.trusted
        if not team.owns(name) and not _is_estimator(_find_in_library(name))
    )


def _advice(refused: list[str], team: Team) -> str:
    for name in refused:
        if reason := NOT_KEPT.get(name.partition(".")[0]):
            return reason
    if all(_can_be_named(name, team) for name in refused):
        return (
            f"If you trust {'it' if len(refused) == 1 else 'them'}, name {', '.join(refused)} "
            "under `trusted` in conf/project.yml."
        )
    return (
        "Use only estimators of scikit-learn, LightGBM, XGBoost or CatBoost with their own "
        f"options, or a function or class at the top of a module of src/{team.package}/, named "
        "under `trusted` in conf/project.yml."
    )


def _can_be_named(name: str, team: Team) -> bool:
    """Whether `trusted` may name it. A library that no one has imported yet is not imported."""
    if team.owns(name):
        return team.find(name) is not None
    return name.rpartition(".")[0] in sys.modules and _is_estimator(_find_in_library(name))


def _is_trusted(name: str, team: Team) -> bool:
    module, _, attribute = name.rpartition(".")
    if attribute in NEEDED.get(module, ()) or libraries.is_known(name):
        return True
    if name.startswith("sklearn.metrics."):
        return name in _scorers()
    if team.owns(name):
        definition = team.find(name)
        return definition is not None and (name in team.trusted or _is_estimator(definition))
    return name in team.trusted and _is_estimator(_find_in_library(name))


def _find_in_library(name: str) -> Any:
    """What an installed module defines under a full name; None if there is no such name."""
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except (ImportError, ValueError):
        return None
    where = (getattr(found, "__module__", None), getattr(found, "__qualname__", None))
    return found if where == (module, attribute) else None


@cache
def _scorers() -> frozenset[str]:
    """Names of the functions behind the scorers that scikit-learn names: numbers of two arrays."""
    from sklearn.metrics import get_scorer, get_scorer_names  # noqa: PLC0415  for searches only

    functions = [get_scorer(name)._score_func for name in get_scorer_names()]
    return frozenset(f"{function.__module__}.{function.__name__}" for function in functions)


def _is_estimator(definition: Any) -> bool:
    """Whether it is a class with scikit-learn's API."""
    from sklearn.base import BaseEstimator  # noqa: PLC0415  slow to import, and for own classes only

    if not (isinstance(definition, type) and issubclass(definition, BaseEstimator)):
        return False
    can_fit, *uses = (
        callable(getattr(definition, method, None)) for method in ("fit", "predict", "transform")
    )
    return can_fit and any(uses)
