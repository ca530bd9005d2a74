"""The champion is known without MLflow for as long as its store has not changed."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.core.paths import default_store
from mlops_platform.serving import store
from mlops_platform.tracking import remembered
from mlops_platform.tracking.registry import Registry
from mlops_platform.tracking.roles import MODEL_HASH

from package.tests import models
from package.tests.samples import EXAMPLES

NAME = "credit-risk"
WITHOUT_MLFLOW = """
import sys
from pathlib import Path
from mlops_platform.serving import server
server._load(Path(sys.argv[1]), "champion", None)
assert not any(name.split(".")[0] == "mlflow" for name in sys.modules)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.train("credit_risk", tmp_path_factory.mktemp("credit") / "model")


@pytest.fixture(scope="module")
def promoted(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.project(tmp_path_factory.mktemp("promoted"), model)


@pytest.fixture
def conf(promoted: Path, tmp_path: Path) -> Path:
    """The settings of a project of its own, with a champion."""
    root = tmp_path / "project"
    shutil.copytree(promoted.parent, root)
    return root / "conf"


def test_the_endpoint_starts_without_mlflow_after_a_promotion(conf):
    environment = os.environ | {"PYTHONPATH": str(EXAMPLES / "credit-risk" / "src")}
    command = [sys.executable, "-c", WITHOUT_MLFLOW, str(conf)]
    subprocess.run(command, env=environment, check=True, timeout=120)
    assert store.recall(conf) == store.fetch(conf, "1")


def test_a_change_of_roles_is_never_missed(conf, model):
    """Whoever makes it: a promotion, and a tag that is set with MLflow alone."""
    assert store.recall(conf).version == "1"
    models.add_version(conf, model)
    assert store.recall(conf).version == "2"
    registry = Registry(conf)
    registry._client.set_model_version_tag(NAME, "2", "role", "archived")
    registry._client.set_model_version_tag(NAME, "1", "role", "champion")
    assert store.recall(conf) is None
    assert store.fetch(conf, "champion").version == "1"
    assert store.recall(conf).version == "1"
    models.add_version(conf, model)
    assert store.recall(conf).version == "3"
    registry.rollback("a test", "tests")
    assert store.recall(conf).version == "1"


def test_what_sqlite_has_written_beside_the_file_counts(conf):
    file = default_store(conf.parent)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    Registry(conf).champion()
    before = file.read_bytes()
    assert store.recall(conf) is not None
    connection.execute("UPDATE model_version_tags SET value = 'archived' WHERE key = 'role'")
    connection.commit()
    assert file.read_bytes() == before
    assert store.recall(conf) is None
    with pytest.raises(UsageError, match="has no champion yet"):
        store.fetch(conf, "champion")
    connection.close()


def test_an_answer_during_which_the_store_was_written_is_not_kept(conf):
    champion = Registry(conf).champion()
    (conf.parent / ".mlops" / remembered.FILE).unlink()
    remembered.remember(conf, NAME, champion, "another hash")
    assert store.recall(conf) is None


def test_another_model_and_a_file_that_cannot_be_read_are_asked_for(conf):
    assert remembered.recall(conf, NAME) is not None
    assert remembered.recall(conf, "another-name") is None
    (conf.parent / ".mlops" / remembered.FILE).write_text('{"shape": "champion/1"')
    assert remembered.recall(conf, NAME) is None
    assert store.fetch(conf, "champion").version == "1"


def test_a_server_is_asked_each_time(conf, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
    assert store.recall(conf) is None


def test_a_version_whose_model_cannot_be_checked_is_asked_for(conf):
    registry = Registry(conf)
    registry._client.delete_model_version_tag(NAME, "1", MODEL_HASH)
    registry.champion()
    assert store.recall(conf) is None


def test_a_store_whose_model_was_changed_is_not_passed_over(conf):
    [file] = (conf.parent / ".mlops" / "artifacts").glob("*/artifacts/model/model.skops")
    file.write_bytes(b"another")
    assert store.recall(conf) is None
