"""Runs: what was said is stored, where it came from is told, and a dead store is an error."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.core.locks import exclusive
from mlops_platform.tracking import experiments


def test_tags_parameters_and_metrics_are_stored(workspace):
    run_id = experiments.start(workspace.conf, name="first", tags={"trigger": "drift"})
    experiments.record(
        workspace.conf,
        run_id,
        parameters={"depth": 3, "loss": None},
        metrics={"test_f1": 0.5},
        tags={"outcome": "trained"},
    )
    experiments.finish(workspace.conf, run_id, ok=True)
    found = experiments.run(workspace.conf, run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"depth": "3", "loss": "None"}
    assert found.data.metrics == {"test_f1": 0.5}
    assert found.data.tags["trigger"] == "drift"
    assert found.data.tags["outcome"] == "trained"


def test_a_new_store_waits_for_the_disk_once_it_is_made(tmp_path):
    (tmp_path / "conf").mkdir()
    store = experiments.connect(tmp_path / "conf")._tracking_client.store
    with store.engine.connect() as opened:
        assert opened.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def test_a_metric_that_is_measured_again_is_the_new_one(workspace):
    run_id = experiments.start(workspace.conf, name="first", tags={})
    experiments.record(workspace.conf, run_id, metrics={"test_f1": 0.9})
    time.sleep(0.002)
    experiments.record(workspace.conf, run_id, metrics={"test_f1": 0.4})
    assert experiments.run(workspace.conf, run_id).data.metrics == {"test_f1": 0.4}


def test_a_run_is_found_by_the_beginning_of_its_id(workspace):
    ids = [experiments.start(workspace.conf, name=name, tags={}) for name in "ab"]
    assert [run.info.run_id for run in experiments.runs(workspace.conf)] == ids[::-1]
    assert experiments.run(workspace.conf, ids[0][:12]).info.run_id == ids[0]
    with pytest.raises(UsageError, match="run 'xyz': no runs begin so"):
        experiments.run(workspace.conf, "xyz")
    with pytest.raises(UsageError, match="run '': several runs begin so"):
        experiments.run(workspace.conf, "")


def test_files_are_kept_beside_the_project(workspace):
    run_id = experiments.start(workspace.conf, name="first", tags={})
    (workspace.root / "files").mkdir()
    (workspace.root / "files" / "a.txt").write_text("a")
    experiments.upload(workspace.conf, run_id, workspace.root / "files", "model")
    [kept] = (workspace.root / ".mlops" / "artifacts").rglob("a.txt")
    assert kept.parent.name == "model"
    assert not (workspace.root / "mlruns").exists()
    assert not Path("mlruns").exists()


def test_the_environment_names_another_store(workspace, monkeypatch, tmp_path):
    shutil.copy(workspace.root / ".mlops" / "mlflow.db", tmp_path / "other.db")
    before = (workspace.root / ".mlops" / "mlflow.db").read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{(tmp_path / 'other.db').as_posix()}")
    run_id = experiments.start(workspace.conf, name="elsewhere", tags={})
    registered = workspace.registry.register(run_id, "challenger", {}, "planted")
    assert registered.number == "1"
    assert (workspace.root / ".mlops" / "mlflow.db").read_bytes() == before
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert experiments.runs(workspace.conf) == []
    assert workspace.registry.versions() == []


def test_a_job_in_the_cloud_has_its_run_already(workspace, monkeypatch):
    run_id = experiments.start(workspace.conf, name="given", tags={})
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    assert experiments.start(workspace.conf, name="ours", tags={"trigger": "x"}) == run_id
    experiments.finish(workspace.conf, run_id, ok=False)
    [run] = experiments.runs(workspace.conf)
    assert (run.info.status, run.data.tags["trigger"]) == ("RUNNING", "x")


def test_a_store_at_a_misspelt_place_is_an_error_and_is_not_made(workspace, monkeypatch, tmp_path):
    """A new and empty store would say that there is no champion to beat."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/gone/mlflow.db")
    with pytest.raises(UsageError, match="nothing was changed: there is no folder"):
        workspace.registry.holder("champion")
    assert not (tmp_path / "gone").exists()


def test_a_server_that_is_down_is_an_error_soon(workspace, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@127.0.0.1:9")
    with pytest.raises(UsageError, match="Reading the registry failed, nothing") as caught:
        workspace.registry.holder("champion")
    assert "http://***@127.0.0.1:9" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("uri", ["nonsense://x", "postgresql://ann:secret@localhost/x"])
def test_a_store_of_an_unknown_kind(workspace, monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(UsageError, match="Opening the tracking store failed") as caught:
        experiments.runs(workspace.conf)
    assert "secret" not in str(caught.value)


# ---------------------------------------------------------------- a store that cannot be used


def refusal(workspace, path: Path) -> str:
    """What is said about the store; the file must be as it was, and no advice deletes it."""
    before = path.read_bytes()
    with pytest.raises(UsageError, match="Opening the tracking store failed, nothing") as caught:
        experiments.runs(workspace.conf)
    assert path.read_bytes() == before
    said = str(caught.value)
    assert str(path) in said
    assert "delete" not in said.lower()
    return said


@pytest.fixture
def store(workspace) -> Path:
    """The file of a project's own store."""
    return workspace.root / ".mlops" / "mlflow.db"


def test_a_locked_store_is_sound_and_its_writer_is_named(workspace, store, monkeypatch):
    monkeypatch.setattr("mlops_platform.tracking.store.LOCK_SECONDS", 0.01)
    home = workspace.root / "outputs" / "train"
    with closing(sqlite3.connect(store)) as writer, exclusive(home, "the pipeline `train`"):
        writer.execute("BEGIN EXCLUSIVE")
        said = refusal(workspace, store)
        writer.rollback()
    assert f"Another process writes to it (perhaps process {os.getpid()}, the pipeline" in said
    assert "The store is sound: wait until" in said
    assert experiments.runs(workspace.conf) == []


def test_a_store_that_is_locked_in_the_middle_of_a_command(workspace, store):
    with (
        pytest.raises(UsageError, match="Another process writes to it"),
        closing(sqlite3.connect(store)) as writer,
        closing(sqlite3.connect(store, timeout=0.01)) as other,
    ):
        writer.execute("BEGIN EXCLUSIVE")
        with experiments.store_errors("Writing", f"sqlite:///{store}"):
            other.execute("DELETE FROM runs")


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        ("feedfacecafe", "A newer MLflow made it: its schema feedfacecafe is unknown to MLflow"),
        ("0a8213491aaa", "An older MLflow made it. Copy"),
    ],
)
def test_a_store_of_another_mlflow(workspace, store, revision, says):
    with closing(sqlite3.connect(store)) as other, other:
        other.execute("UPDATE alembic_version SET version_num = ?", [revision])
    said = refusal(workspace, store)
    assert says in said
    assert ("mlflow db upgrade sqlite:///" in said) == says.startswith("An older")


def middle_overwritten(content: bytes) -> bytes:
    """The first page is sound, and the others are not."""
    return content[:100] + b"\xff" * (len(content) - 100)


@pytest.mark.parametrize(
    "damage", [lambda content: b"not a database" * 1000, middle_overwritten, lambda content: b""]
)
def test_a_damaged_store_is_kept(workspace, store, damage):
    store.write_bytes(damage(store.read_bytes()))
    said = refusal(workspace, store)
    assert "The file is damaged. Keep it" in said
    assert f"move it to {store}.damaged, and restore mlflow.db from a backup" in said


def test_a_folder_where_the_store_belongs(workspace, store):
    store.unlink()
    store.mkdir()
    with pytest.raises(UsageError, match="Check the permissions of the file"):
        experiments.runs(workspace.conf)


def test_a_store_that_cannot_be_reached_is_named_with_its_address(workspace, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(UsageError, match=r"(?s)The store is http://127\.0\.0\.1:9\. It cannot be"):
        experiments.runs(workspace.conf)


def test_a_new_store_appears_whole(tmp_path, monkeypatch):
    """A process that stops while it makes a store leaves none."""
    (tmp_path / "conf").mkdir()

    def stop(descriptor: int) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", stop)
        with pytest.raises(UsageError, match=r"Check the permissions .* and the space"):
            experiments.connect(tmp_path / "conf")
    assert list((tmp_path / ".mlops").glob("*.db*")) == []
    assert experiments.connect(tmp_path / "conf").search_experiments()


def test_two_processes_make_one_store(tmp_path):
    (tmp_path / "conf").mkdir()
    code = "import sys, pathlib; from mlops_platform.tracking import experiments; "
    code += "experiments.connect(pathlib.Path(sys.argv[1])).create_experiment(sys.argv[2])"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "conf"), name], stderr=subprocess.PIPE
        )
        for name in "ab"
    ]
    said = [process.communicate(timeout=120)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    names = {each.name for each in experiments.connect(tmp_path / "conf").search_experiments()}
    assert names == {"Default", "a", "b"}
