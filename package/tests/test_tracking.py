"""Runs: what was said is stored, where it came from is told, and a dead store is an error."""

import shutil
import time
from pathlib import Path

import pytest
from mlops_platform.core.errors import UsageError
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


def test_a_file_that_is_no_store(workspace):
    (workspace.root / ".mlops" / "mlflow.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(
        UsageError, match=r"(?s)Opening the tracking store failed.*mlflow\.db"
    ) as caught:
        experiments.runs(workspace.conf)
    assert "restore it from a copy, or delete it to start over" in str(caught.value)
