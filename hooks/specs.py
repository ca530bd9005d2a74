"""Writes the template's Azure ML specs that depend on conf/: `uv run python -m hooks specs`.

`mlops azure render` generates these files in a project. Here it generates them in a render of each
task, and the names of project and package become questions again. With `--check` nothing is
written, and the exit code is 1 if a file is out of date.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mlops_platform.core.programs import PYTHON_UTF8

from tests.rendering import render

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "template" / "[% if azureml %]azureml[% endif %]"
# When a folder is rendered.
CONDITIONS = {"schedules": "online"}
NAME, PACKAGE, CONTACT = "zqx-w", "zqx_w", "zqx@example.com"
PROGRAM = "import sys; from pathlib import Path; "
PROGRAM += "from mlops_platform.azure.render import render_all; "
PROGRAM += "[print(p.as_posix(), t, sep='\\0', end='\\1') for p, t in render_all(Path()).items()]"


def results() -> dict[Path, str]:
    """Each generated file of the template, with the text that it should have."""
    made = {}
    for task in ("classification", "regression"):
        with tempfile.TemporaryDirectory() as scratch:
            answers = {"project_name": NAME, "task": task, "user_email": CONTACT}
            project = render(answers, Path(scratch) / "project")
            (project / "azureml" / "endpoints" / "online").mkdir(parents=True, exist_ok=True)
            printed = subprocess.run(
                [sys.executable, "-c", PROGRAM],
                cwd=project,
                env={**os.environ, **PYTHON_UTF8},
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="backslashreplace",
                check=True,
            ).stdout
        for entry in filter(None, printed.split("\1")):
            path, text = entry.split("\0")
            _, folder, file = path.split("/")
            if folder in CONDITIONS:
                folder = f"[% if {CONDITIONS[folder]} %]{folder}[% endif %]"
            name = f"[% if {task} %]{file}[% endif %].jinja"
            made[TEMPLATE / folder / name] = _with_questions(text)
    return made


def _with_questions(text: str) -> str:
    text = text.replace(CONTACT, "[[ user_email ]]").replace(PACKAGE, "[[ package_name ]]")
    return re.sub(re.escape(NAME), "[[ project_slug ]]", text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(
        "python -m hooks specs", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if stale")
    check = parser.parse_args(arguments).check
    stale = 0
    for path, text in results().items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale = 1
        print(f"{'out of date' if check else 'wrote'}: {path.relative_to(ROOT).as_posix()}")
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
    return stale if check else 0
