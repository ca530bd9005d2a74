"""Experiment runs, in MLflow: a SQLite file here, or the server that MLFLOW_TRACKING_URI names.

This module and `registry` are the only ones that know MLflow's stores. Azure ML's endpoint lacks
`log_model`; runs and files go through the client, which works on both.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.paths import STATE, root_of, store_in
from mlops_platform.settings import load_project

# Before MLflow is imported: it reads its level once.
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")  # 7 wait four minutes for a dead one
logging.getLogger("alembic").setLevel(logging.WARNING)

from mlflow.entities import Metric, Param, Run, RunTag  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

__all__ = ["MlflowClient", "MlflowException", "Run"]
PASSWORD = re.compile(r"//[^/@\s]+@")


def store_uri(conf: Path) -> str:
    """Where runs and versions are kept."""
    remote = os.environ.get("MLFLOW_TRACKING_URI")
    return remote or f"sqlite:///{store_in(root_of(conf)).as_posix()}"


@contextmanager
def reachable(
    doing: str, uri: str, afterwards: str = "nothing was changed by it"
) -> Iterator[None]:
    """Turn what MLflow and its stores raise into one message; nothing is ever taken for a yes.

    A password in the store's address is left out of the message.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        then = (
            "Check MLFLOW_TRACKING_URI and your access, then try again."
            if os.environ.get("MLFLOW_TRACKING_URI")
            else "If the file is broken, bring it back from a copy, or delete it to begin anew: "
            "its versions are gone then."
        )
        message = f"{doing} failed, {afterwards}: {first}\nThe store is {uri}. {then}"
        raise UsageError(PASSWORD.sub("//***@", message)) from error


def begin_anew(conf: Path) -> str:
    """What to do where the versions of before are of no more use."""
    if os.environ.get("MLFLOW_TRACKING_URI"):
        return "set the champion's tag `role` to `archived`, and begin anew."
    state = root_of(conf) / STATE
    return f"begin anew: delete {state}, which holds the runs and versions of this machine."


def connect(conf: Path) -> MlflowClient:
    """A client for runs and model versions; makes the project's own SQLite file on first use.

    A folder that MLFLOW_TRACKING_URI names must be there: a store made anew at a misspelt place
    would say that there is no champion.
    """
    uri = store_uri(conf)
    with reachable("Opening the tracking store", uri):
        folder = Path(uri.removeprefix("sqlite:///")).parent
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            folder.mkdir(exist_ok=True)
        elif uri.startswith("sqlite:///") and not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {folder}")
        new = uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists()
        with _in_haste() if new else nullcontext():
            return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def _in_haste() -> Iterator[None]:
    """Let SQLite not wait for the disk.

    MLflow makes a new store in hundreds of small changes, each of which waits otherwise. The store
    is empty until the end: a power failure could break it, but lose nothing.
    """
    from sqlalchemy import Engine, event  # noqa: PLC0415  a server's client does without

    opened: list[sqlite3.Connection] = []

    def hurry(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")
        opened.append(connection)

    event.listen(Engine, "connect", hurry)
    try:
        yield
    finally:
        event.remove(Engine, "connect", hurry)
        for connection in opened:
            with suppress(sqlite3.ProgrammingError):  # closed again
                connection.execute("PRAGMA synchronous = FULL")


def experiment(conf: Path, client: MlflowClient) -> str:
    """The id of the project's experiment, made on first use."""
    name = load_project(conf).name
    with reachable("Reading the experiment", store_uri(conf)):
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        local = store_uri(conf).startswith("sqlite:///")
        files = (root_of(conf) / STATE / "artifacts").as_uri() if local else None
        return str(client.create_experiment(name, artifact_location=files))


def start(conf: Path, *, name: str, tags: dict[str, str]) -> str:
    """Start a run and return its id; inside an Azure ML job, the job's own run."""
    client = connect(conf)
    with reachable("Starting a run", store_uri(conf)):
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
    with reachable("Writing to the run", store_uri(conf)):
        client.log_batch(
            run_id,
            metrics=[Metric(key, value, now, 0) for key, value in (metrics or {}).items()],
            params=[Param(key, str(value)) for key, value in (parameters or {}).items()],
            tags=[RunTag(key, value) for key, value in (tags or {}).items()],
        )


def upload(conf: Path, run_id: str, folder: Path, name: str) -> None:
    """Copy a folder into a run's files."""
    client = connect(conf)
    with reachable("Uploading files to the run", store_uri(conf)):
        if local := _local_files(conf, run_id):
            shutil.copytree(folder, local / name, dirs_exist_ok=True)
        else:
            client.log_artifacts(run_id, str(folder), name)


def download(conf: Path, run_id: str, name: str, folder: Path) -> Path:
    """Copy a folder of a run's files into `folder`, and return where it lies."""
    client = connect(conf)
    with reachable(f"Loading `{name}` of run {run_id}", store_uri(conf)):
        if local := _local_files(conf, run_id):
            return Path(shutil.copytree(local / name, folder / name))
        return Path(client.download_artifacts(run_id, name, str(folder)))


def _local_files(conf: Path, run_id: str) -> Path | None:
    """Where a run's files lie beside a SQLite store; MLflow keeps them under the same names.

    Found from where the store is now: MLflow notes absolute paths, and a project may be moved.
    """
    uri = store_uri(conf)
    if not uri.startswith("sqlite:///"):
        return None
    return Path(uri.removeprefix("sqlite:///")).parent / "artifacts" / run_id / "artifacts"


def finish(conf: Path, run_id: str, *, ok: bool) -> None:
    """Close a run that `start` made."""
    if os.environ.get("MLFLOW_RUN_ID"):
        return
    client = connect(conf)
    with reachable("Closing the run", store_uri(conf)):
        client.set_terminated(run_id, "FINISHED" if ok else "FAILED")


def runs(conf: Path, limit: int = 20) -> list[Run]:
    """The project's latest runs, newest first."""
    client = connect(conf)
    with reachable("Listing runs", store_uri(conf)):
        return list(client.search_runs([experiment(conf, client)], max_results=limit))


def starts(conf: Path) -> list[datetime]:
    """When the latest runs began, in UTC."""
    began = (found.info.start_time / 1000 for found in runs(conf, limit=100))
    return [datetime.fromtimestamp(seconds, tz=UTC) for seconds in began]


def run(conf: Path, run_id: str) -> Run:
    """One run by its id, or by the beginning of it."""
    matches = [found for found in runs(conf, limit=1000) if found.info.run_id.startswith(run_id)]
    if len(matches) != 1:
        raise UsageError(
            f"run '{run_id}': {'several' if matches else 'no'} runs begin so. "
            "`uv run mlops runs` lists them."
        )
    return matches[0]
