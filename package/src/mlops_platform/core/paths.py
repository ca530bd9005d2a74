"""Paths of the local state in `.mlops/`, beside `conf/`."""

from __future__ import annotations

from pathlib import Path

STATE = ".mlops"


def project_root(conf: Path) -> Path:
    """The folder of the project, which contains `conf/`."""
    return conf.resolve().parent


def default_store(root: Path) -> Path:
    """The SQLite file of runs and versions, used if no other store is configured."""
    return root / STATE / "mlflow.db"
