"""Saved models: skops instead of pickle, and only trusted types."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from mlops_platform.core.errors import UsageError
from mlops_platform.models import artifact
from mlops_platform.models.team import Team
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from package.tests.workspaces import CREDIT, TEAM

CARD = artifact.Card(run_id="r", task="classification", labels=["a", "b"], features=["x", "y"])
CONTRACT = CREDIT / "conf" / "data.yml"
RNG = np.random.default_rng(0)
ROWS = pd.DataFrame(RNG.normal(size=(60, 2)), columns=["x", "y"])
TRUTH = np.where(ROWS["x"] + RNG.normal(size=60) > 0, "b", "a")


def saved(folder: Path, *steps) -> Path:
    artifact.save(
        make_pipeline(*steps).fit(ROWS, TRUTH), folder, TEAM, card=CARD, contract=CONTRACT
    )
    return folder


@pytest.mark.parametrize(
    "steps",
    [
        [GradientBoostingClassifier(n_estimators=3)],
        [HistGradientBoostingClassifier(max_iter=3)],
        [SelectKBest(f_classif, k=1), GradientBoostingClassifier(n_estimators=3)],
    ],
)
def test_what_is_loaded_predicts_the_same_bit_for_bit(tmp_path, steps):
    folder = saved(tmp_path / "model", *steps)
    before = make_pipeline(*steps).predict_proba(ROWS)
    np.testing.assert_array_equal(artifact.load(folder, TEAM).predict_proba(ROWS), before)


def test_the_folder_holds_what_others_need_and_no_pickle(tmp_path):
    folder = saved(tmp_path / "model", GradientBoostingClassifier(n_estimators=3))
    names = {path.name for path in folder.iterdir()}
    assert {"MLmodel", "model.skops", "requirements.txt", "contract.yml", "model.json"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
    card = artifact.load_card(folder)
    assert card == CARD.model_copy(update={"packages": card.packages})
    assert {"numpy", "scikit-learn", "skops"} <= set(card.packages)
    assert (folder / "contract.yml").read_bytes() == CONTRACT.read_bytes()
    required = (folder / "requirements.txt").read_text().splitlines()
    assert {line.partition("==")[0] for line in required} >= set(artifact.REQUIREMENTS)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert artifact.size_mb(folder) == size / 1e6


def test_a_lambda_is_refused_before_anything_is_written(tmp_path):
    steps = FunctionTransformer(lambda rows: rows), GradientBoostingClassifier(n_estimators=3)
    with pytest.raises(UsageError, match=r"src/credit_risk/model\.py or features\.py: the model"):
        saved(tmp_path / "model", *steps)
    assert not (tmp_path / "model").exists()


def test_a_class_that_another_process_could_not_find_is_refused(tmp_path):
    class Local(GradientBoostingClassifier):
        pass

    Local.__module__, Local.__qualname__ = "credit_risk.model", "Local"
    with pytest.raises(
        UsageError, match=r"contains credit_risk\.model\.Local.* at the top of a module"
    ):
        saved(tmp_path / "model", Local(n_estimators=3))
    assert not (tmp_path / "model").exists()


def test_a_folder_that_holds_something_is_not_overwritten(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match="is not an empty folder"):
        saved(tmp_path, GradientBoostingClassifier(n_estimators=3))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def planted(folder: Path, module: str, function: str) -> Path:
    """A model whose first step calls the given function."""
    harmless = make_pipeline(FunctionTransformer(np.sqrt), FunctionTransformer(np.exp))
    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(harmless)))
    schema = json.loads(source.read("schema.json"))
    text = json.dumps(schema)
    func = {
        "__class__": function,
        "__module__": module,
        "__loader__": "FunctionNode",
        "__id__": 1,
    }
    folder.mkdir()
    good = json.dumps(_find(schema, "func"))
    assert good in text
    with zipfile.ZipFile(folder / "model.skops", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "schema.json":
                content = text.replace(good, json.dumps(func)).encode()
            target.writestr(name, content)
    return folder


def _find(node: object, key: str) -> object:
    """The first value under this key, however deep."""
    if isinstance(node, dict):
        if key in node:
            return node[key]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            found = _find(child, key)
            if found is not None:
                return found
    return None


def record_types(folder: Path, *types: str) -> None:
    """Write the types of the model into MLmodel."""
    written = {"flavors": {"sklearn": {"skops_trusted_types": list(types)}}}
    (folder / "MLmodel").write_text(yaml.safe_dump(written))


@pytest.mark.parametrize("recorded", [False, True], ids=["not recorded", "recorded"])
@pytest.mark.parametrize(
    ("module", "function"),
    [
        ("os", "system"),
        ("subprocess", "check_output"),
        ("builtins", "eval"),
        # Under a trusted name, but subprocess's own function.
        ("sklearn.utils._testing", "check_output"),
        ("sklearn.utils._testing", "assert_run_python_script_without_output"),
        ("mlops_platform.cli", "invoke"),
        ("mlops_platform.pipelines.runner", "run"),
        ("sklearn.metrics.pairwise", "euclidean_distances"),
        ("credit_risk.features", "build"),
        ("credit_risk.data", "Path"),
        ("sklearn.no_such_module", "x"),
        ("sklearn.utils", "no_such_function"),
    ],
)
def test_a_planted_function_is_refused_and_never_called(tmp_path, module, function, *, recorded):
    folder = planted(tmp_path / "model", module, function)
    if recorded:  # an attacker can also write that it is trusted
        record_types(folder, f"{module}.{function}")
    with pytest.raises(UsageError, match=r"model\.skops: (the model contains|cannot be loaded)"):
        artifact.load(folder, TEAM)


@pytest.mark.parametrize("types", [[], ["credit_risk.features.build"]], ids=["short", "whole"])
def test_a_function_of_the_teams_own_is_trusted_by_its_name(tmp_path, types):
    folder = planted(tmp_path / "model", "credit_risk.features", "build")
    named = Team("credit_risk", ("credit_risk.features.build",))
    assert artifact.load(folder, named)
    record_types(folder, *types)
    assert artifact.load(folder, named)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"this is no zip file",
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b"sklearn", b"sklaern"),
    ],
    ids=["empty", "text", "cut", "altered"],
)
def test_a_damaged_file_says_what_to_do(tmp_path, damage):
    folder = saved(tmp_path / "model", GradientBoostingClassifier(n_estimators=3))
    path = folder / "model.skops"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UsageError, match=r"model\.skops: (cannot be loaded|the model contains)"):
        artifact.load(folder, TEAM)


def test_no_model_and_no_card(tmp_path):
    with pytest.raises(UsageError, match=r"has no model\.skops\. Train a model"):
        artifact.load(tmp_path, TEAM)
    with pytest.raises(UsageError, match=r"model\.json: does not exist"):
        artifact.load_card(tmp_path)
    (tmp_path / "model.json").write_text('{"shape": "model/2"}')
    with pytest.raises(UsageError, match=r"model\.json: does not have the shape model/1"):
        artifact.load_card(tmp_path)
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(UsageError, match=r"model\.json: does not have the shape"):
        artifact.load_card(tmp_path)
