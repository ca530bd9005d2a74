"""Where this machine keeps runs, versions and what is half done: `.mlops/`, beside `conf/`."""

from __future__ import annotations

from pathlib import Path

STATE = ".mlops"


def root_of(conf: Path) -> Path:
    """The project's folder: the one that holds `conf/`."""
    return conf.resolve().parent


def store_in(root: Path) -> Path:
    """The SQLite file of runs and versions, where no other store is named."""
    return root / STATE / "mlflow.db"
