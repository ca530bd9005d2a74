"""Boosted trees of LightGBM, XGBoost and CatBoost, from training to the last answer.

CatBoost's wheel has 100 MB: CI does without it, CONTRIBUTING.md names its command.
"""

import importlib
import importlib.metadata
import io
import json
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from credit_risk import sample
from mlops_platform import cli
from mlops_platform.core.errors import UsageError
from mlops_platform.models import artifact, contents, libraries, trust
from mlops_platform.models.team import Team
from mlops_platform.pipelines import reproduce
from mlops_platform.report import build, collect
from mlops_platform.serving import store
from mlops_platform.serving.scorer import Scorer
from mlops_platform.steps import score, train
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import Birch
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from package.tests import models, workspaces
from package.tests.workspaces import CREDIT, TEAM

CARD = artifact.Card(run_id="r", task="classification", labels=["a", "b"], features=["x", "y"])
RNG = np.random.default_rng(0)
ROWS = pd.DataFrame(RNG.normal(size=(80, 2)), columns=["x", "y"])
TRUTH = (ROWS["x"] + RNG.normal(size=80) > 0).astype(int)
# The distribution, the module, its classifier and regressor, and the options of a small one.
KINDS = {
    "lightgbm": ("lightgbm", "LGBM", {"n_estimators": 5, "verbose": -1, "n_jobs": 1}),
    "xgboost-cpu": ("xgboost", "XGB", {"n_estimators": 5, "n_jobs": 1}),
    "catboost": (
        "catboost",
        "CatBoost",
        {"iterations": 5, "verbose": 0, "thread_count": 1, "allow_writing_files": False},
    ),
}
LIBRARIES = [
    "lightgbm",
    "xgboost-cpu",
    pytest.param("catboost", marks=pytest.mark.catboost),
]
SHAPES = {
    "alone": lambda model: model,
    "in a pipeline": lambda model: make_pipeline(StandardScaler(), model),
    "calibrated": lambda model: CalibratedClassifierCV(model, cv=2),
    "stacked": lambda model: StackingClassifier([("a", model)], LogisticRegression(), cv=2),
    "searched": lambda model: GridSearchCV(model, {"random_state": [0, 1]}, scoring="f1", cv=2),
}


def made(library: str, kind: str = "Classifier", **options: Any) -> Any:
    """A small estimator of a library, not fitted."""
    module, prefix, defaults = KINDS[library]
    return getattr(importlib.import_module(module), f"{prefix}{kind}")(**defaults, **options)


def kept(fitted: Any, folder: Path) -> Path:
    artifact.save(fitted, folder, TEAM, card=CARD, contract=CREDIT / "conf" / "data.yml")
    return folder


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_classifier_predicts_the_same_after_it_was_saved(tmp_path, library, shape):
    fitted = SHAPES[shape](made(library)).fit(ROWS, TRUTH)
    folder = kept(fitted, tmp_path / "model")
    loaded = artifact.load(folder, TEAM)
    np.testing.assert_array_equal(loaded.predict_proba(ROWS), fitted.predict_proba(ROWS))
    assert contents.find_unsafe(folder, TEAM) == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_regressor_predicts_the_same_after_it_was_saved(tmp_path, library):
    fitted = made(library, "Regressor").fit(ROWS, ROWS["x"])
    loaded = artifact.load(kept(fitted, tmp_path / "model"), TEAM)
    np.testing.assert_array_equal(loaded.predict(ROWS), fitted.predict(ROWS))


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_model_names_the_library_in_its_requirements(tmp_path, library):
    folder = kept(made(library).fit(ROWS, TRUTH), tmp_path / "model")
    required = (folder / "requirements.txt").read_text().splitlines()
    assert f"{library}=={importlib.metadata.version(library)}" in required


@pytest.fixture(scope="module", params=LIBRARIES)
def served(request, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A project with text labels whose champion is a model of the library, and its report."""
    workspace = workspaces.make(tmp_path_factory.mktemp("boosting") / "project")
    with pytest.MonkeyPatch.context() as patch:
        option = "random_seed" if request.param == "catboost" else "random_state"
        patch.setattr(
            Team,
            "build_model",
            lambda team, parameters, seed: made(request.param, **{option: seed}),
        )
        folders = workspace.pipeline()
        workspace.registry.promote(None, "first model", "tests")
        yield workspace, folders


def test_a_model_of_text_labels_is_registered_reported_and_served(served):
    workspace, folders = served
    assert workspace.contract.labels == ["repaid", "defaulted"]
    run = collect.read_folders([each / "evidence" for each in folders.values()])
    assert run.evaluation and run.evaluation.measures[0].value > 0.6
    build.write(workspace.conf, run, workspace.root / "report.html")
    scorer = Scorer(*store.fetch(workspace.conf, "champion"))
    rows = models.good_rows("credit_risk", workspace.conf / "data.yml", 30)
    answered = scorer.answer(json.dumps({"rows": rows}).encode())["predictions"]
    assert {each["label"] for each in answered} <= {"repaid", "defaulted"}
    # A row that defaults is given a higher probability of it: no class has changed its place.
    data = sample.make(300, seed=9)
    given = scorer.predict(scorer.read(data)[0])[:, 1]
    assert given[data["outcome"] == "defaulted"].mean() > given[data["outcome"] == "repaid"].mean()


def test_batch_gives_what_the_endpoint_gives(served, tmp_path, monkeypatch):
    workspace, _ = served
    monkeypatch.chdir(workspace.root)
    data = sample.make(40, seed=9).drop(columns="outcome")
    data.to_csv(tmp_path / "rows.csv", index=False)
    scores = tmp_path / "scores"
    score.run(workspace.conf, tmp_path / "rows.csv", "champion", scores, tmp_path / "out")
    written = pd.read_csv(scores / "scores.csv")
    scorer = Scorer(*store.fetch(workspace.conf, "champion"))
    expected = scorer.predict(scorer.read(data)[0])
    assert written["label"].tolist() == scorer.chosen(expected)
    np.testing.assert_allclose(written["probability_defaulted"], expected[:, 1], atol=1e-15)


def test_a_version_is_reproduced_bit_for_bit(served, monkeypatch):
    workspace, _ = served
    monkeypatch.chdir(workspace.root)
    pipeline = workspace.root / "pipelines" / "train.yml"
    result = reproduce.run(workspace.conf, "1", pipeline=pipeline, invoke=cli.invoke)
    assert result.identical, result.differences


# ---------------------------------------------------------------- what a changed file could do


def planted(folder: Path, loader: str, content: Any) -> Path:
    """A saved LightGBM model in which another loader builds its Booster."""
    kept(made("lightgbm").fit(ROWS, TRUTH), folder)
    path = folder / "model.skops"
    source = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    schema = json.loads(source.read("schema.json"))

    def change(node: Any) -> Any:
        if isinstance(node, dict):
            if (node.get("__module__"), node.get("__class__")) == ("lightgbm.basic", "Booster"):
                return node | {"__loader__": loader, "content": content}
            return {key: change(value) for key, value in node.items()}
        return [change(each) for each in node] if isinstance(node, list) else node

    with zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            changed = json.dumps(change(schema)).encode()
            target.writestr(name, changed if name == "schema.json" else source.read(name))
    return folder


def test_a_file_may_only_fill_a_type_and_not_call_it(tmp_path):
    """The only way to a Booster is its state."""
    arguments = json.loads(zipfile.ZipFile(io.BytesIO(skops.io.dumps(({},)))).read("schema.json"))
    folder = planted(tmp_path / "model", "ConstructorFromReduceNode", arguments)
    with pytest.raises(UsageError, match=r"calls lightgbm\.basic\.Booster, where a saved model"):
        artifact.load(folder, TEAM)
    assert "calls lightgbm.basic.Booster" in " ".join(contents.find_unsafe(folder, TEAM))


@pytest.mark.parametrize(
    "name",
    [
        "lightgbm.Booster",
        "lightgbm.basic.Dataset",
        "lightgbm.sklearn.LGBMRanker",
        "xgboost.core.DMatrix",
        "xgboost.core._deserialize",
        "catboost.core.Pool",
        "catboost.core._CatBoostBase.load_model",
    ],
)
def test_no_other_name_of_these_libraries_is_trusted(name):
    assert trust.find_untrusted([name], TEAM) == [name]


def test_a_type_that_needs_no_library_needs_no_file():
    libraries.require_own_format(Path("no such file"), [])
    assert libraries.requirements([]) == []


# ---------------------------------------------------------------- refused before the fit


def test_pytorch_is_refused_before_the_fit_with_the_reason(trained, monkeypatch):
    """A class of that name stands in for it: PyTorch has 800 MB."""

    def fit(*_: Any) -> None:
        raise AssertionError("it was fitted")

    members = {"__module__": "skorch.classifier", "fit": fit}
    kind = type("NeuralNetClassifier", (LogisticRegression,), members)
    module = types.ModuleType("skorch.classifier")
    module.NeuralNetClassifier = kind
    monkeypatch.setitem(sys.modules, "skorch", types.ModuleType("skorch"))
    monkeypatch.setitem(sys.modules, "skorch.classifier", module)
    monkeypatch.setattr(Team, "build_model", lambda team, parameters, seed: kind())
    out = trained.root / "again"
    with pytest.raises(
        UsageError, match=r"contains skorch\.classifier\.NeuralNetClassifier.*format.*is a pickle"
    ):
        train.run(trained.conf, trained.data, out / "model", out / "evidence", "test")
    assert not out.exists()


def test_what_skops_cannot_save_is_refused_before_the_fit(trained, monkeypatch):
    def build(team: Team, parameters: dict, seed: int) -> Any:
        return make_pipeline(Birch(), LogisticRegression())

    monkeypatch.setattr(Team, "build_model", build)
    with pytest.raises(UsageError, match=r"skops cannot save a fitted Birch\."):
        train.run(trained.conf, trained.data, trained.root / "m", trained.root / "e", "test")
