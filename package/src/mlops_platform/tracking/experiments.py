"""Experiment runs in MLflow: a local SQLite file, or the server that MLFLOW_TRACKING_URI names.

Only this module and `registry` use MLflow's stores. Azure ML's endpoint has no `log_model`, so runs
and files go through the client, which works with both.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_file
from mlops_platform.core.locks import exclusive
from mlops_platform.core.paths import STATE, project_root
from mlops_platform.settings import load_project
from mlops_platform.tracking.store import (
    SQLITE,
    examine,
    has_store,
    local_files,
    path_of,
    store_errors,
    store_uri,
)

# Before MLflow is imported: it reads its level once.
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")  # 7 wait four minutes for a dead one
logging.getLogger("alembic").setLevel(logging.WARNING)

from mlflow.entities import Metric, Param, Run, RunTag  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

__all__ = ["MlflowClient", "MlflowException", "Run", "has_store", "store_errors", "store_uri"]


def how_to_start_over(conf: Path) -> str:
    """What to do if earlier versions can no longer be used."""
    if os.environ.get("MLFLOW_TRACKING_URI"):
        return "set the champion's tag `role` to `archived`, and start over."
    state = project_root(conf) / STATE
    return (
        f"start over: move {state} out of the project. It holds the runs and versions of this "
        "machine; keep it as long as one of them may be needed."
    )


def connect(conf: Path) -> MlflowClient:
    """Connect to the store; creates the project's own SQLite file on first use.

    A folder in MLFLOW_TRACKING_URI must exist: a new store at a misspelled path would have no
    champion.
    """
    uri = store_uri(conf)
    with store_errors("Opening the tracking store", uri):
        path = path_of(uri)
        if path is not None:
            if not os.environ.get("MLFLOW_TRACKING_URI"):
                path.parent.mkdir(exist_ok=True)
            elif not path.parent.is_dir():
                raise FileNotFoundError(f"there is no folder {path.parent}")
            if path.exists():
                examine(path)
            else:
                _create(path)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _create(path: Path) -> None:
    """Create a store, whole or not at all; one process does, others wait for it."""
    with exclusive(path.parent, "the setup of the tracking store", wait=60):
        if path.exists():
            return
        with atomic_file(path) as scratch:
            with _fast_writes():
                client = MlflowClient(tracking_uri=f"{SQLITE}{scratch.as_posix()}")
                client._tracking_client.store.engine.dispose()  # Windows renames no open file
            with scratch.open("rb+") as file:
                os.fsync(file.fileno())


@contextmanager
def _fast_writes() -> Iterator[None]:
    """Let SQLite write without waiting for the disk.

    MLflow creates a store in hundreds of small changes, and each would wait.
    """
    from sqlalchemy import Engine, event  # noqa: PLC0415  a server's client does without

    def disable_sync(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", disable_sync)
    try:
        yield
    finally:
        event.remove(Engine, "connect", disable_sync)


def experiment(conf: Path, client: MlflowClient) -> str:
    """The id of the project's experiment, made on first use."""
    name = load_project(conf).name
    with store_errors("Reading the experiment", store_uri(conf)):
        existing = client.get_experiment_by_name(name)
        if existing is not None:
            return str(existing.experiment_id)
        local = path_of(store_uri(conf)) is not None
        files = (project_root(conf) / STATE / "artifacts").as_uri() if local else None
        return str(client.create_experiment(name, artifact_location=files))


def start(conf: Path, *, name: str, tags: dict[str, str]) -> str:
    """Start a run and return its id; inside an Azure ML job, the job's own run."""
    client = connect(conf)
    with store_errors("Starting a run", store_uri(conf)):
        run_id = os.environ.get("MLFLOW_RUN_ID")
        if run_id is None:
            run_id = client.create_run(experiment(conf, client), run_name=name).info.run_id
        record(conf, run_id, tags=tags)
        return str(run_id)


def record(
    conf: Path,
    run_id: str,
    *,
    parameters: dict[str, object] | None = None,
    metrics: dict[str, float] | None = None,
    tags: dict[str, str] | None = None,
) -> None:
    """Add parameters, metrics and tags to a run, in one request."""
    client = connect(conf)
    now = int(time.time() * 1000)
    with store_errors("Writing to the run", store_uri(conf)):
        client.log_batch(
            run_id,
            metrics=[Metric(key, value, now, 0) for key, value in (metrics or {}).items()],
            params=[Param(key, str(value)) for key, value in (parameters or {}).items()],  # type: ignore[no-untyped-call]
            tags=[RunTag(key, value) for key, value in (tags or {}).items()],  # type: ignore[no-untyped-call]
        )


def upload(conf: Path, run_id: str, folder: Path, name: str) -> None:
    """Copy a folder into a run's files."""
    client = connect(conf)
    with store_errors("Uploading files to the run", store_uri(conf)):
        if local := local_files(conf, run_id):
            shutil.copytree(folder, local / name, dirs_exist_ok=True)
        else:
            client.log_artifacts(run_id, str(folder), name)


def download(conf: Path, run_id: str, name: str, folder: Path) -> Path:
    """Copy a folder of a run's files into `folder`, and return where it lies."""
    client = connect(conf)
    with store_errors(f"Loading `{name}` of run {run_id}", store_uri(conf)):
        if local := local_files(conf, run_id):
            return Path(shutil.copytree(local / name, folder / name))
        return Path(client.download_artifacts(run_id, name, str(folder)))


@contextmanager
def files(conf: Path, run_id: str, name: str) -> Iterator[Path]:
    """A folder of a run's files, to read: where it lies, or a copy for the time of the block."""
    local = local_files(conf, run_id)
    if local and (local / name).is_dir():
        yield local / name
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield download(conf, run_id, name, Path(scratch))


def finish(conf: Path, run_id: str, *, ok: bool) -> None:
    """Close a run that `start` made."""
    if os.environ.get("MLFLOW_RUN_ID"):
        return
    client = connect(conf)
    with store_errors("Closing the run", store_uri(conf)):
        client.set_terminated(run_id, "FINISHED" if ok else "FAILED")


def runs(conf: Path, limit: int = 20) -> list[Run]:
    """The project's latest runs, newest first."""
    client = connect(conf)
    with store_errors("Listing runs", store_uri(conf)):
        return list(client.search_runs([experiment(conf, client)], max_results=limit))


def start_times(conf: Path) -> list[datetime]:
    """When the latest runs began, in UTC."""
    timestamps = (each.info.start_time / 1000 for each in runs(conf, limit=100))
    return [datetime.fromtimestamp(seconds, tz=UTC) for seconds in timestamps]


def run(conf: Path, run_id: str) -> Run:
    """One run by its id, or by the beginning of it."""
    matches = [each for each in runs(conf, limit=1000) if each.info.run_id.startswith(run_id)]
    if len(matches) != 1:
        raise UsageError(
            f"run '{run_id}': {'several' if matches else 'no'} runs begin so. "
            "`uv run mlops runs` lists them."
        )
    return matches[0]
