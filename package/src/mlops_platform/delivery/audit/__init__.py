"""Audits CI files for security and errors: GitHub with zizmor, Azure Pipelines with rules here.

Microsoft has no such tool that works without its service.
"""

from __future__ import annotations

from pathlib import Path

from mlops_platform.core import programs
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.delivery.audit import pins, pipelines

GITHUB, AZURE = Path(".github"), Path(".azuredevops")
FINDING_EXIT_CODES = range(10, 20)  # exit codes of zizmor for findings


def run(root: Path) -> list[str]:
    """Audit the files of each CI service of the project; returns lines about the checked files.

    Raises:
        GateError: there are problems; the message lists all.
        UsageError: there is nothing to audit, or zizmor cannot run.
    """
    failures: list[str] = []
    lines: list[str] = []
    if (root / AZURE).is_dir():
        problems, unchecked = pipelines.check(root / AZURE)
        if problems:
            failures.append("\n".join([f"problems in {AZURE}:", *problems]))
        lines.append(f"{AZURE} has no problems")
        lines += [f"not checked: {each}" for each in unchecked]
    if (root / GITHUB / "workflows").is_dir():
        failures += _zizmor(root)
        lines.insert(0, f"{GITHUB} has no problems")
    pinned = pins.check(root)
    if pinned.problems:
        failures.append("\n".join(["commands with no version:", *pinned.problems]))
    lines += [f"not pinned by digest: {image}" for image in pinned.images]
    if failures:
        raise GateError("\n\n".join(failures))
    if not (root / AZURE).is_dir() and not (root / GITHUB / "workflows").is_dir():
        raise UsageError(f"there is neither {GITHUB}/workflows nor {AZURE}. Restore it from git.")
    return lines


def _zizmor(root: Path) -> list[str]:
    command = ["zizmor", "--offline", "--quiet", "--strict-collection", str(GITHUB)]
    process = programs.run(command, root)
    if process.returncode in FINDING_EXIT_CODES:
        return [f"zizmor found problems:\n{process.stdout.strip()}"]
    if process.returncode != 0:
        raise UsageError(f"zizmor failed: {process.stderr.strip()}")
    return []
