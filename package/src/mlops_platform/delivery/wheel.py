"""Builds the project's wheel, and tests it in a clean environment."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from mlops_platform.core import files, programs, terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.delivery import platform_wheel, sbom

DIST = Path("dist")


def build(root: Path) -> list[Path]:
    """Build the wheel into `dist/`, copy the platform's there, and return both.

    Beside them is the bill of materials.

    Installing the project needs both; with the platform package from a feed there is only one. For
    the test, the wheel is installed with the packages of uv.lock, and validates the data from
    another folder.

    Raises:
        UsageError: uv is missing, or uv.lock does not match.
        GateError: the installed wheel does not work.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wheel_folder, environment = Path(scratch) / "wheel", Path(scratch) / "clean"
        _run(root, "uv", "build", "--quiet", "--wheel", "--out-dir", str(wheel_folder))
        wheel = next(wheel_folder.glob("*.whl"))
        requirements = Path(scratch) / "requirements.txt"
        options = ("--locked", "--no-default-groups", "--group", "team", "--no-emit-project")
        _run(root, "uv", "export", "--quiet", *options, "--output-file", str(requirements))
        _run(root, "uv", "venv", "--quiet", str(environment))
        install = ("uv", "pip", "install", "--quiet", "--python", str(environment))
        _run(root, *install, "--requirements", str(requirements))
        _run(root, *install, "--no-deps", str(wheel))
        _test_wheel(root, environment, Path(scratch))
        (root / DIST).mkdir(exist_ok=True)
        files.write_text(root / DIST / sbom.FILE, sbom.build(root, ("team",)))
        project_wheel = Path(shutil.copyfile(wheel, root / DIST / wheel.name))
        wheel_folder = Path(scratch) / "platform"
        wheel_folder.mkdir()
        return [
            project_wheel,
            *(
                Path(shutil.copyfile(each, root / DIST / each.name))
                for each in platform_wheel.copy(root, wheel_folder)
            ),
        ]


def _test_wheel(root: Path, clean: Path, scratch: Path) -> None:
    python = clean / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    folders = ("--conf", str(root / "conf"), "--raw", str(root / "data" / "raw"))
    command = [str(python), "-I", "-m", "mlops_platform", "validate", *folders]
    process = programs.run(
        [*command, "--out", str(scratch / "out")],
        scratch,
        environment={**os.environ, **programs.PYTHON_UTF8},
    )
    if process.returncode != 0 or not (scratch / "out" / "validation.json").is_file():
        last_line = (process.stderr.strip().splitlines() or ["nothing"])[-1]
        raise GateError(
            f"the wheel is built, but does not work in a clean environment: {last_line}. Check "
            "that no file is missing in it, and no package in `dependencies` or the group `team`."
        )


def _run(root: Path, *command: str) -> None:
    terminal.log(f"$ {' '.join(command[:3])}")
    environment = {key: text for key, text in os.environ.items() if key != "VIRTUAL_ENV"}
    process = programs.run(command, root, environment=environment)
    if process.returncode != 0:
        raise UsageError(f"`{' '.join(command[:3])}` failed: {process.stderr.strip()}")
