"""The page that an auditor keeps: principles, verdicts, signatures, hashes. It fetches nothing."""

from __future__ import annotations

from mlops_platform.evidence.ethics import Ethics
from mlops_platform.report import principles, templates
from mlops_platform.report.card import Card
from mlops_platform.settings import Project

FILE = "audit.html"


def render(project: Project, ethics: Ethics, card: Card) -> str:
    """The page as HTML; the same evidence gives the same bytes."""
    return templates.load("audit.html").render(
        project=project,
        ethics=ethics,
        card=card,
        held=principles.held(ethics),
        principles=principles.view(ethics),
        facts=[
            ("Team", f"{project.team}, {project.contact}"),
            ("Judged", ethics.made.replace("T", " ").replace("+00:00", " UTC")),
            ("Run", ethics.run_id),
            ("Commit", ethics.git_commit),
            ("Evidence", ethics.evidence),
        ],
    )
