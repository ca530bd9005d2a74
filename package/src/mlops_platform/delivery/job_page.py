"""Writes to the CI service: a summary on the job's page, and outputs for later jobs.

GitHub Actions reads files that it names in the environment; Azure Pipelines reads lines of the log.
"""

from __future__ import annotations

import os
from pathlib import Path

from mlops_platform.core import terminal


def add_summary(path: Path) -> None:
    """Show a Markdown file on the job's page; does nothing outside of CI."""
    if summary_file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary_file).open("a", encoding="utf-8", newline="\n") as file:
            file.write(path.read_text(encoding="utf-8"))
    elif os.environ.get("TF_BUILD"):
        terminal.out.print(f"##vso[task.uploadsummary]{path.resolve()}", markup=False)


def set_output(name: str, text: str) -> None:
    """Set an output of the job, for later jobs."""
    if output_file := os.environ.get("GITHUB_OUTPUT"):
        with Path(output_file).open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{name}={text}\n")
    elif os.environ.get("TF_BUILD"):
        line = f"##vso[task.setvariable variable={name};isOutput=true]{text}"
        terminal.out.print(line, markup=False)
