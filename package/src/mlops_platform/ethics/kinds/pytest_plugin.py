"""A pytest plugin that runs only the named tests and records the outcome of each phase.

It imports no other module of this package, because the project's conftest.py sets environment
variables that those modules read at import.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

NODES, RECORD = "MLOPS_ETHICS_NODES", "MLOPS_ETHICS_RECORD"
outcomes: dict[str, dict[str, str]] = {}


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Deselect all other tests of the files."""
    wanted = set(json.loads(os.environ[NODES]))
    others = [item for item in items if item.nodeid.partition("[")[0] not in wanted]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def pytest_runtest_logreport(report: Any) -> None:
    """Record a phase: setup, call or teardown. An expected failure counts as skipped."""
    outcome = "skipped" if hasattr(report, "wasxfail") else report.outcome
    outcomes.setdefault(report.nodeid, {})[report.when] = outcome


def pytest_sessionfinish() -> None:
    """Write the outcomes to a file."""
    Path(os.environ[RECORD]).write_text(json.dumps(outcomes), encoding="utf-8", newline="\n")
