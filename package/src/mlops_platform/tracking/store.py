"""The tracking store as a file or server: what is wrong with it, and what to do.

No advice here deletes a store: it may hold the only list of versions.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.paths import default_store, project_root

SQLITE = "sqlite:///"
PASSWORD_IN_URL = re.compile(r"//[^/@\s]+@")
LOCK_SECONDS = 5.0  # a write of another process takes milliseconds
UNREACHABLE = re.compile(
    r"max retries exceeded|connection (refused|reset|aborted|timed out)|could not connect|"
    r"name or service not known|failed to resolve|timed out|could not translate host",
    re.IGNORECASE,
)
REFUSED = re.compile(r"\b(401|403)\b|unauthorized|forbidden|permission denied", re.IGNORECASE)
OTHER_SCHEMA = re.compile(r"out-of-date database schema \(found version (\w+)|revision identified")
DAMAGED = re.compile(r"file is not a database|disk image is malformed|is empty", re.IGNORECASE)
LOCKED = re.compile(r"database( table| schema)? is locked", re.IGNORECASE)
NOT_WRITABLE = re.compile(
    r"readonly database|unable to open database|disk I/O error|database or disk is full|"
    r"permission denied|no space left",
    re.IGNORECASE,
)


def has_store(conf: Path) -> bool:
    """Whether a store is configured, or on this machine: `connect` would create one."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) or default_store(project_root(conf)).exists()


def store_uri(conf: Path) -> str:
    """The URI of the store of runs and versions."""
    remote = os.environ.get("MLFLOW_TRACKING_URI")
    return remote or f"{SQLITE}{default_store(project_root(conf)).as_posix()}"


def local_files(conf: Path, run_id: str) -> Path | None:
    """Where a run's files lie beside a SQLite store; MLflow keeps them under the same names.

    Found from where the store is now: MLflow notes absolute paths, and a project may be moved.
    """
    path = path_of(store_uri(conf))
    return path.parent / "artifacts" / run_id / "artifacts" if path else None


def path_of(uri: str) -> Path | None:
    """The SQLite file that a store's URI names; None for another kind of store."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def examine(path: Path) -> None:
    """Read the schema's revision from an SQLite file, as MLflow itself would try for minutes.

    Raises:
        sqlite3.Error: it is locked, damaged, or cannot be opened.
    """
    if path.stat().st_size == 0:
        raise sqlite3.DatabaseError("the file is empty")
    with closing(sqlite3.connect(path, timeout=LOCK_SECONDS)) as store:
        store.execute("SELECT name FROM sqlite_master").fetchall()


@contextmanager
def store_errors(action: str, uri: str, consequence: str = "nothing was changed") -> Iterator[None]:
    """Turn exceptions of MLflow and its stores into a UsageError.

    The message does not contain a password of the store's address.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        path = path_of(uri)
        hint = _advise_remote(str(error)) if path is None else _advise_file(str(error), path)
        message = f"{action} failed, {consequence}: {cause}\nThe store is {uri}. {hint}"
        raise UsageError(PASSWORD_IN_URL.sub("//***@", message)) from error


def _advise_remote(cause: str) -> str:
    if REFUSED.search(cause):
        return "It refused you. Sign in, or ask its owner for access, then try again."
    if UNREACHABLE.search(cause):
        return "It cannot be reached. Start it or connect to its network, then try again."
    return "Check MLFLOW_TRACKING_URI and your access, then try again."


def _advise_file(cause: str, path: Path) -> str:
    if LOCKED.search(cause):
        return (
            f"Another process writes to it{_holders(path)}. The store is sound: wait until that "
            "process has ended, then try again."
        )
    if schema := OTHER_SCHEMA.search(cause):
        return _advise_schema(path, schema[1] or "unknown")
    if DAMAGED.search(cause):
        return (
            f"The file is damaged. Keep it, as its versions may be recovered: move it to "
            f"{path}.damaged, and restore {path.name} from a backup. Without a backup, "
            f"`sqlite3 {path}.damaged .recover` prints what can be read."
        )
    if NOT_WRITABLE.search(cause):
        return "Check the permissions of the file and its folder, and the space on the disk."
    if os.environ.get("MLFLOW_TRACKING_URI"):
        return "Check MLFLOW_TRACKING_URI and your access, then try again."
    return "Keep the file: it holds the versions. Try again, and report the error if it stays."


def _holders(path: Path) -> str:
    """Runs of pipelines beside a project's own store: they are the likely writers."""
    holders = []
    for file in sorted(path.parent.parent.glob("outputs/*/running.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            holders.append(f"process {content['pid']}, the pipeline `{file.parent.name}`")
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return f" (perhaps {' or '.join(holders)})" if holders else ""


def _advise_schema(path: Path, revision: str) -> str:
    """Advice for the schema of another release of MLflow; a release knows all earlier ones."""
    installed = importlib.metadata.version("mlflow-skinny")
    package = importlib.util.find_spec("mlflow")
    folders = (package.submodule_search_locations if package else None) or []
    migrations = [
        file.name
        for folder in folders
        for file in Path(folder).glob("store/db_migrations/versions/*.py")
    ]
    if any(name.startswith(revision) for name in migrations):
        return (
            f"An older MLflow made it. Copy {path}, then update it for MLflow {installed}: "
            f"`uvx --from mlflow=={installed} mlflow db upgrade {SQLITE}{path.as_posix()}`."
        )
    return (
        f"A newer MLflow made it: its schema {revision} is unknown to MLflow {installed} here. "
        "Update this project with `uv run poe template-update`, or use the project that made it."
    )
