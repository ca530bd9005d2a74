"""Tells people what a machine decided on a retraining: a file, and the page of a CI's job."""

from __future__ import annotations

from pathlib import Path

from mlops_platform import evidence
from mlops_platform.core.errors import GateError
from mlops_platform.core.files import write_text
from mlops_platform.delivery import job_page

FOLDER = Path("outputs")


def act_on(decision: evidence.Retraining, root: Path) -> None:
    """Write outputs/retraining.json, and return if there is a retraining.

    Raises:
        GateError: there is none; the message says what is missing and who should know.
    """
    evidence.write(decision, root / FOLDER / "retraining.json")
    if decision.decision == "train":
        return
    lines = [f"- {text}" for text in decision.missing]
    told = f"For: {', '.join(decision.notify)}." if decision.notify else ""
    page = ["## No retraining", "", *decision.reasons, "", "Missing:", "", *lines, "", told, ""]
    path = root / FOLDER / "retraining.md"
    write_text(path, "\n".join(page))
    job_page.add_summary(path)
    raise GateError(decision.message)
