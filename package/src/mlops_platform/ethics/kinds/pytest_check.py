"""Checks of kind `test`: a test of the project must run and pass.

A test that is skipped, deselected or deleted fails the check.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import write_text
from mlops_platform.core.programs import PYTHON_UTF8
from mlops_platform.ethics.config import PytestCheck
from mlops_platform.ethics.kinds import pytest_plugin
from mlops_platform.ethics.outcome import Outcome
from mlops_platform.models import team

LOG = "pytest.log"
TIMEOUT_SECONDS = 900


def run_tests(root: Path, checks: Sequence[PytestCheck], out: Path) -> dict[str, Outcome]:
    """Run the tests of all checks in one pytest session; the outcome of each check by its id.

    The output of pytest is written to `out/pytest.log`.

    Raises:
        UsageError: pytest is not installed, or did not finish.
    """
    if not checks:
        return {}
    if importlib.util.find_spec("pytest") is None:
        raise UsageError("pytest is not installed, but conf/ethics.yml needs it. Run `uv sync`.")
    record = out / "tests.json"
    record.unlink(missing_ok=True)
    files = sorted({check.node.partition("::")[0] for check in checks})
    existing = [file for file in files if (root / file).is_file()]
    nodes = [check.node for check in checks]
    results = _run_pytest(root, existing, nodes, record) if existing else {}
    return {check.id: _outcome(check, results, root, out) for check in checks}


def _run_pytest(
    root: Path, files: list[str], nodes: list[str], record: Path
) -> dict[str, list[str]]:
    record.parent.mkdir(parents=True, exist_ok=True)
    # The project's own code comes first, even if another copy of its package is installed.
    source = str(team.load_team(root / "conf").folder.parent)
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {
        pytest_plugin.NODES: json.dumps(nodes),
        pytest_plugin.RECORD: str(record.resolve()),
        "PYTHONPATH": os.pathsep.join(paths),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        pytest_plugin.__name__,
        "-p",
        "no:cacheprovider",
    ]
    try:
        process = subprocess.run(
            [*command, "-q", *files],
            cwd=root,
            env={**os.environ, **PYTHON_UTF8, **variables},
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"conf/ethics.yml: its tests ran for more than {TIMEOUT_SECONDS} s. Use faster tests."
        ) from None
    write_text(record.with_name(LOG), process.stdout + process.stderr)
    if not record.is_file():
        last = (process.stderr or process.stdout).strip().splitlines()[-1:] or [
            "it printed nothing"
        ]
        raise UsageError(
            f"pytest ended with exit code {process.returncode} before it ran a test: {last[0]}. "
            f"See {record.with_name(LOG)}."
        )
    recorded: dict[str, dict[str, str]] = json.loads(record.read_text(encoding="utf-8"))
    results: dict[str, list[str]] = {}
    for node, phases in recorded.items():
        results.setdefault(node.partition("[")[0], []).append(_combine_phases(phases))
    return results


def _combine_phases(phases: dict[str, str]) -> str:
    """The result of setup, call and teardown; without a call, the test did not run."""
    for result in ("failed", "skipped"):
        if result in phases.values():
            return result
    return phases.get("call", "not run")


def _outcome(check: PytestCheck, results: dict[str, list[str]], root: Path, out: Path) -> Outcome:
    file, _, name = check.node.partition("::")
    of_test = results.get(check.node, [])
    if of_test and set(of_test) == {"passed"}:
        return Outcome("passed", f"{check.node} ran and passed")
    if not (root / file).is_file():
        message, next_step = f"{file} does not exist", f"Restore {file} from git"
    elif not of_test:
        message, next_step = f"{check.node} did not run", f"Restore the test `{name}`"
    elif "failed" in of_test:
        message, next_step = f"{check.node} failed", f"See {out / LOG}, and fix the failure"
    else:
        message, next_step = f"{check.node} was skipped", "Remove the reason for the skip"
    advice = f"{next_step}; or change the check `{check.id}` with its owner."
    return Outcome("failed", message, advice)
