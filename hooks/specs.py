"""Writes the template's first state of what follows from conf/: `uv run python hooks/specs.py`.

`mlops azure render` makes those files in a project. Here it makes them in a render of each task,
and the project's and the package's name become questions again. With `--check` nothing is written,
and the exit code is 1 where a file does not follow.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.rendering import render  # noqa: E402

TEMPLATE = ROOT / "template" / "[% if azureml %]azureml[% endif %]"
# Where each file is rendered, beside its task.
CONDITIONS = {"monitor.yml": "online and "}
NAME, PACKAGE, CONTACT = "zqx-w", "zqx_w", "zqx@example.com"
PROGRAM = "import sys; from pathlib import Path; "
PROGRAM += "from mlops_platform.azure.render import expected; "
PROGRAM += "[print(p.as_posix(), t, sep='\\0', end='\\1') for p, t in expected(Path()).items()]"


def results() -> dict[Path, str]:
    """Each file of the template that follows, with the text that it should have."""
    made = {}
    for task in ("classification", "regression"):
        with tempfile.TemporaryDirectory() as scratch:
            answers = {"project_name": NAME, "task": task, "user_email": CONTACT}
            project = render(answers, Path(scratch) / "project")
            (project / "azureml" / "endpoints" / "online").mkdir(parents=True, exist_ok=True)
            printed = subprocess.run(
                [sys.executable, "-c", PROGRAM],
                cwd=project,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        for entry in filter(None, printed.split("\1")):
            path, text = entry.split("\0")
            _, folder, file = path.split("/")
            condition = f"{CONDITIONS.get(file, '')}{task}"
            name = f"[% if {condition} %]{file}[% endif %].jinja"
            made[TEMPLATE / folder / name] = _with_questions(text)
    return made


def _with_questions(text: str) -> str:
    text = text.replace(CONTACT, "[[ user_email ]]").replace(PACKAGE, "[[ package_name ]]")
    return re.sub(re.escape(NAME), "[[ project_slug ]]", text)


def main() -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if stale")
    check = parser.parse_args().check
    stale = 0
    for path, text in results().items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale = 1
        print(f"{'does not follow' if check else 'wrote'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
    return stale if check else 0


if __name__ == "__main__":
    sys.exit(main())
