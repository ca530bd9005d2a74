"""A plugin of pytest: runs the named tests only, and records how each phase of them ended.

It imports nothing of ours: the project's conftest.py sets the environment that our modules read.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

NODES, RECORD = "MLOPS_ETHICS_NODES", "MLOPS_ETHICS_RECORD"
outcomes: dict[str, dict[str, str]] = {}


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Leave out all other tests of the files."""
    wanted = set(json.loads(os.environ[NODES]))
    others = [item for item in items if item.nodeid.partition("[")[0] not in wanted]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def pytest_runtest_logreport(report: Any) -> None:
    """Note a phase: setup, call or teardown. An expected failure is no pass."""
    outcome = "skipped" if hasattr(report, "wasxfail") else report.outcome
    outcomes.setdefault(report.nodeid, {})[report.when] = outcome


def pytest_sessionfinish() -> None:
    """Write the record."""
    Path(os.environ[RECORD]).write_text(json.dumps(outcomes), encoding="utf-8")
