"""No name that Windows cannot hold, and no task that it cannot run.

Lengths: a path has 260 characters at most where long paths are not switched on, and git's own
files stay below it too. A project gets 100 characters for the folder that it lies in, so 150 for a
file's name and its folders; the byte code of a Python file adds up to 31. A clone of the template
has longer names, because conditions stand in them, and gets the same.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tests.conftest import Project
from tests.rendering import ROOT

LONGEST = 150
BYTE_CODE = len("__pycache__/.cpython-313.opt-2c")  # what Python adds to `folder/module.py`
RESERVED = re.compile(r'[<>:"\\|?*\x00-\x1f]')
PROGRAMS = {"bash", "sh", "rm", "cp", "mv", "cat", "grep", "sed", "mkdir", "touch", "export"}
SIGNS = {"|", ">", "<", "&&", "||", ";"}
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.I)


def faults(paths: Iterable[str]) -> list[str]:
    """What Windows would refuse, or mix up."""
    found, seen = [], Counter()
    for path in paths:
        for part in PurePosixPath(path).parts:
            if RESERVED.search(part):
                found.append(f"{path}: a character that Windows reserves")
            if part.endswith((".", " ")) or part.startswith(" "):
                found.append(f"{path}: a dot or space at an end")
            if DEVICES.fullmatch(part):
                found.append(f"{path}: the name of a device")
        length = len(path) + (BYTE_CODE if path.endswith(".py") else 0)
        if length > LONGEST:
            found.append(f"{path}: {length} characters with byte code, at most {LONGEST}")
        seen.update({path.casefold()})
    return found + [f"{path}: differs from another by case" for path, n in seen.items() if n > 1]


def names(folder: Path) -> list[str]:
    """Every file and folder, but what commands have made."""
    made = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache"}
    paths = (path.relative_to(folder) for path in folder.rglob("*"))
    return [path.as_posix() for path in paths if not made & set(path.parts)]


def test_a_rendered_project(combination: Project) -> None:
    found = names(combination.path)
    assert len(found) > 50
    assert faults(found) == []
    links = [name for name in found if (combination.path / name).is_symlink()]
    assert links == []


def test_the_longest_name_still_fits(combination: Project) -> None:
    """A package has 20 letters at most; the one rendered here has 11."""
    longer = [name.replace("credit_risk", "x" * 20) for name in names(combination.path)]
    assert faults(longer) == []


def test_the_template_itself() -> None:
    for part in ("template", "hooks", "includes", "tests"):
        found = [f"{part}/{name}" for name in names(ROOT / part)]
        assert found
        assert faults(found) == []
        assert not [name for name in found if (ROOT / name).is_symlink()]


@pytest.mark.parametrize(
    "paths",
    [
        ["docs/a:b.md"],
        ["docs/what?.md"],
        ['say "hi".md'],
        ["a|b"],
        ["a\\b"],
        ["docs./x.md"],
        ["docs /x.md"],
        ["docs/x.md."],
        ["con"],
        ["docs/Aux.md"],
        ["nul/x"],
        ["com1.txt"],
        ["Docs/x.md", "docs/X.md"],
        ["x" * (LONGEST + 1)],
        ["x" * (LONGEST - 20) + ".py"],
    ],
)
def test_planted_names_are_seen(paths: list[str]) -> None:
    assert len(faults(paths)) == 1


def test_good_names_are_not() -> None:
    assert faults(["docs/console.md", "a/b.py", "a/c.py", ".gitignore", "x" * LONGEST]) == []


def shell_faults(tasks: dict[str, Any]) -> list[str]:
    """Tasks that need a shell, or begin with a program that Windows does not have."""
    found = []
    for name, task in tasks.items():
        settings = task if isinstance(task, dict) else {"cmd": task}
        parts = settings.get("sequence", [settings])
        for part in parts:
            command = part if isinstance(part, str) else str(part.get("cmd", ""))
            words = command.split()
            if isinstance(part, dict) and "shell" in part:
                found.append(f"{name}: a shell")
            elif PROGRAMS & set(words[:1]) or SIGNS & set(words):
                found.append(f"{name}: {command}")
    return found


def test_no_task_needs_a_shell(combination: Project) -> None:
    tasks = tomllib.loads(combination.read("poe_tasks.toml"))["tool"]["poe"]["tasks"]
    assert len(tasks) > 10
    assert shell_faults(tasks) == []


@pytest.mark.parametrize(
    "task",
    [
        {"shell": "mlops runs | head"},
        "rm -r outputs",
        {"cmd": "mlops runs | head"},
        {"sequence": ["_lint", {"cmd": "cp a b"}]},
    ],
)
def test_planted_tasks_are_seen(task: Any) -> None:
    assert len(shell_faults({"planted": task})) == 1
