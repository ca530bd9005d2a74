"""A short run of the kill test; `package/tests/kills.py` says what it checks."""

import os
import subprocess
import sys

import pytest

from package.tests import kills

VERSION = {"role": "challenger", "metric": "f1", "predictions_hash": "a", "run_id": "r"}


def state(**changed):
    """Two versions, the first of them champion, and a run of the training pipeline."""
    first, second = VERSION | {"model": "m1", "role": "champion"}, VERSION | {"model": "m2"}
    run = {"latest": "run-1", "hash": "h", "steps": ["train"], "whole": True, "pages": [True]}
    return {
        "versions": {"1": first, "2": second},
        "champion": "1",
        "runs": {"train": run},
    } | changed


def test_commands_that_are_killed_leave_nothing_half_there():
    done = subprocess.run(
        [sys.executable, "-m", "package.tests.kills", "3", "1"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "killed" in done.stdout


@pytest.mark.parametrize(
    ("command", "after"),
    [
        ("promote", {"versions": {"1": state()["versions"]["1"]}}),
        ("promote", {"champion": None}),
        ("pipeline", {"champion": "2"}),
        ("pipeline", {"versions": state()["versions"] | {"3": VERSION | {"metric": None}}}),
        ("pipeline", {"versions": state()["versions"] | {"1": VERSION | {"model": "other"}}}),
        ("pipeline", {"runs": {"train": state()["runs"]["train"] | {"hash": "other"}}}),
        ("pipeline", {"runs": {"train": state()["runs"]["train"] | {"whole": False}}}),
        ("promote", {"runs": {"train": state()["runs"]["train"] | {"pages": [False]}}}),
        ("pipeline", {"runs": {"train": state()["runs"]["train"] | {"latest": None}}}),
    ],
)
def test_the_check_finds_what_is_lost_or_half_there(command, after):
    kills.check(command, state(), state())
    with pytest.raises((AssertionError, KeyError)):
        kills.check(command, state(), state(**after))
