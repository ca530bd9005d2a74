"""What `uv run poe` shows to somebody who does not know the tasks yet."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Project
from tests.render.conftest import COMBINATIONS, name_of


@pytest.mark.parametrize("answers", [COMBINATIONS[0], COMBINATIONS[-1]], ids=name_of)
def test_poe_without_a_task_shows_the_tasks_and_nothing_else(
    rendered: Callable[[dict[str, Any]], Project], answers: dict[str, Any]
) -> None:
    project = rendered(answers)
    tasks = tomllib.loads(project.read("poe_tasks.toml"))["tool"]["poe"]["tasks"]
    command = [sys.executable, "-m", "poethepoet"]
    done = subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False)
    shown = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert shown[:2] == ["Result: No task specified.", "Configured tasks:"]
    named = [line.split()[0] for line in shown[2:]]
    assert named == [name for name in tasks if not name.startswith("_")]
