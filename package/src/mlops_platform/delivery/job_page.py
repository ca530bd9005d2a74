"""What a CI service shows of a job: a summary on its page, and values for the jobs after it.

GitHub Actions reads files that it names in the environment; Azure Pipelines reads lines of the log.
"""

from __future__ import annotations

import os
from pathlib import Path

from mlops_platform.core import terminal


def summary(path: Path) -> None:
    """Show a Markdown file on the job's page; on a laptop there is none."""
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(path.read_text(encoding="utf-8"))
    elif os.environ.get("TF_BUILD"):
        terminal.out.print(f"##vso[task.uploadsummary]{path.resolve()}", markup=False)


def value(name: str, text: str) -> None:
    """Give a value to the jobs after this one."""
    if given := os.environ.get("GITHUB_OUTPUT"):
        with Path(given).open("a", encoding="utf-8") as file:
            file.write(f"{name}={text}\n")
    elif os.environ.get("TF_BUILD"):
        line = f"##vso[task.setvariable variable={name};isOutput=true]{text}"
        terminal.out.print(line, markup=False)
