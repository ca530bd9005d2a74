"""What the check `safe-files` finds in a model's folder, whatever its files are called."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlops_platform.models import contents

from package.tests import models
from package.tests.test_artifact import planted
from package.tests.workspaces import TEAM


@pytest.fixture(scope="module")
def _saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = models.train("credit_risk", tmp_path_factory.mktemp("saved") / "model")
    (folder / "reference.json").write_text("{}\n")  # as the step `train` does
    return folder


@pytest.fixture
def folder(_saved: Path, tmp_path: Path) -> Path:
    """A copy of a saved model."""
    return shutil.copytree(_saved, tmp_path / "model")


def holding(module: str, function: str) -> Callable[[Path], None]:
    """Puts a model in place that holds this function; it is not called."""

    def change(folder: Path) -> None:
        other = planted(folder.parent / "other", module, function)
        shutil.copyfile(other / "model.skops", folder / "model.skops")

    return change


def described(flavor: str, **fields: Any) -> Callable[[Path], None]:
    """Changes what MLflow reads about the model."""

    def change(folder: Path) -> None:
        read = yaml.safe_load((folder / "MLmodel").read_text())
        read["flavors"].setdefault(flavor, {}).update(fields)
        (folder / "MLmodel").write_text(yaml.safe_dump(read))

    return change


def written(name: str, content: bytes) -> Callable[[Path], None]:
    """Writes a file."""

    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    return change


def test_a_saved_model_is_safe(folder):
    assert contents.find_unsafe(folder, TEAM) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            holding("sklearn.utils._testing", "check_output"),
            "model.skops: holds sklearn.utils._testing.check_output",
        ),
        (holding("credit_risk.features", "build"), "model.skops: holds credit_risk.features.build"),
        (holding("numpy", "load"), "model.skops: holds numpy.load"),
        (
            written("model.skops", pickle.dumps([1])),
            "model.skops: holds no model of skops",
        ),
        # A pickle under a name of its own, of a text, and of a folder.
        (written("weights.bin", pickle.dumps([1])), "weights.bin: is not a file of a saved model"),
        (written("contract.yml", pickle.dumps([1])), "contract.yml: is not text"),
        (written("code/model.skops", b""), "code/model.skops: is not a file of a saved model"),
        (
            described("sklearn", serialization_format="cloudpickle"),
            "MLmodel: `serialization_format` of sklearn is cloudpickle, not skops",
        ),
        (
            described("sklearn", pickled_model="../other/model.skops"),
            "MLmodel: `pickled_model` of sklearn is ../other/model.skops, not model.skops",
        ),
        (described("sklearn", code="code"), "MLmodel: `code` of sklearn is code, not None"),
        (
            described("sklearn", skops_trusted_types=["os.system", "sklearn.tree._tree.Tree"]),
            "MLmodel: trusts os.system",
        ),
        (
            described("python_function", loader_module="loader"),
            "MLmodel: `loader_module` of python_function is loader, not mlflow.sklearn",
        ),
        (
            described("keras", data="model"),
            "MLmodel: `flavors` are not python_function and sklearn",
        ),
        (written("MLmodel", b"[]"), "MLmodel: `flavors` are not python_function and sklearn"),
    ],
)
def test_each_way_to_run_code_is_found(folder, change, found):
    change(folder)
    assert contents.find_unsafe(folder, TEAM) == [found]
