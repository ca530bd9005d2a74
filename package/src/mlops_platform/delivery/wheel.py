"""The project as a wheel, tried where nothing else is installed, beside the platform's wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.delivery import platform_wheel

DIST = Path("dist")


def build(root: Path) -> list[Path]:
    """Build the wheel into `dist/`, copy the platform's there, and return both.

    Whoever installs the project needs both; where the platform comes from a feed, it is one. The
    wheel is installed with the packages of uv.lock, and checks the data from another folder.

    Raises:
        UsageError: no uv, or a lock that does not fit.
        GateError: the installed wheel does not work.
    """
    with tempfile.TemporaryDirectory() as scratch:
        made, clean = Path(scratch) / "wheel", Path(scratch) / "clean"
        _run(root, "uv", "build", "--quiet", "--wheel", "--out-dir", str(made))
        wheel = next(made.glob("*.whl"))
        needs = Path(scratch) / "requirements.txt"
        exported = ("--locked", "--no-default-groups", "--group", "team", "--no-emit-project")
        _run(root, "uv", "export", "--quiet", *exported, "--output-file", str(needs))
        _run(root, "uv", "venv", "--quiet", str(clean))
        install = ("uv", "pip", "install", "--quiet", "--python", str(clean))
        _run(root, *install, "--requirements", str(needs))
        _run(root, *install, "--no-deps", str(wheel))
        _try(root, clean, Path(scratch))
        (root / DIST).mkdir(exist_ok=True)
        own = Path(shutil.copyfile(wheel, root / DIST / wheel.name))
        made = Path(scratch) / "platform"
        made.mkdir()
        return [
            own,
            *(
                Path(shutil.copyfile(each, root / DIST / each.name))
                for each in platform_wheel.copy(root, made)
            ),
        ]


def _try(root: Path, clean: Path, scratch: Path) -> None:
    python = clean / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    folders = ("--conf", str(root / "conf"), "--raw", str(root / "data" / "raw"))
    command = [str(python), "-I", "-m", "mlops_platform", "validate", *folders]
    done = subprocess.run(
        [*command, "--out", str(scratch / "out")],
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not (scratch / "out" / "validation.json").is_file():
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise GateError(
            f"the wheel is built, but does not work where it is installed alone: {said}. Is a file "
            "missing in it, or a package in `dependencies` or the group `team`?"
        )


def _run(root: Path, *command: str) -> None:
    terminal.say(f"$ {' '.join(command[:3])}")
    environment = {key: text for key, text in os.environ.items() if key != "VIRTUAL_ENV"}
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be started ({error}). Install uv.") from None
    if done.returncode != 0:
        raise UsageError(f"`{' '.join(command[:3])}` failed: {done.stderr.strip()}")
