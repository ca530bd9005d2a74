"""Tests of the project that must run, and pass, now. Skipped, deselected or deleted is failed."""

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
from mlops_platform.ethics.finding import Finding
from mlops_platform.ethics.kinds import recorder
from mlops_platform.ethics.page import Pytest
from mlops_platform.models import team

LOG = "pytest.log"
SECONDS = 900


def run(root: Path, checks: Sequence[Pytest], out: Path) -> dict[str, Finding]:
    """Run the tests of all checks in one pytest; a finding for each check's id.

    What pytest printed is kept in `out/pytest.log`.

    Raises:
        UsageError: pytest is not installed, or did not come to its end.
    """
    if not checks:
        return {}
    if importlib.util.find_spec("pytest") is None:
        raise UsageError("pytest is not installed, and conf/ethics.yml names tests. Run `uv sync`.")
    record = out / "tests.json"
    record.unlink(missing_ok=True)
    files = sorted({check.node.partition("::")[0] for check in checks})
    there = [file for file in files if (root / file).is_file()]
    outcomes = _outcomes(root, there, [check.node for check in checks], record) if there else {}
    return {check.id: _finding(check, outcomes, root, out) for check in checks}


def _outcomes(root: Path, files: list[str], nodes: list[str], record: Path) -> dict[str, list[str]]:
    record.parent.mkdir(parents=True, exist_ok=True)
    # First of all the code that judges, wherever another copy of the package is installed.
    own = str(team.of(root / "conf").folder.parent)
    paths = [own, *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {
        recorder.NODES: json.dumps(nodes),
        recorder.RECORD: str(record.resolve()),
        "PYTHONPATH": os.pathsep.join(paths),
    }
    command = [sys.executable, "-m", "pytest", "-p", recorder.__name__, "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, "-q", *files],
            cwd=root,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"the tests in conf/ethics.yml ran for more than {SECONDS} s. Name quicker ones."
        ) from None
    write_text(record.with_name(LOG), done.stdout + done.stderr)
    if not record.is_file():
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it printed nothing"]
        raise UsageError(
            f"pytest ended with exit code {done.returncode} before it ran a test: {last[0]}. "
            f"See {record.with_name(LOG)}."
        )
    recorded: dict[str, dict[str, str]] = json.loads(record.read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    for node, phases in recorded.items():
        found.setdefault(node.partition("[")[0], []).append(_outcome(phases))
    return found


def _outcome(phases: dict[str, str]) -> str:
    """Of setup, call and teardown; a test that did not come to its call did not run."""
    for word in ("failed", "skipped"):
        if word in phases.values():
            return word
    return phases.get("call", "not run")


def _finding(check: Pytest, outcomes: dict[str, list[str]], root: Path, out: Path) -> Finding:
    file, _, name = check.node.partition("::")
    found = outcomes.get(check.node, [])
    if found and set(found) == {"passed"}:
        return Finding("passed", f"{check.node} ran and passed")
    if not (root / file).is_file():
        said, then = f"{file} does not exist", f"Bring {file} back from git"
    elif not found:
        said, then = f"{check.node} did not run", f"Bring `{name}` back, or name the test that is"
    elif "failed" in found:
        said, then = f"{check.node} failed", f"See {out / LOG}, and mend what it found"
    else:
        said, then = f"{check.node} was skipped", "Give it what it needs to run"
    return Finding("failed", said, f"{then}; or change the check `{check.id}` with its owner.")
