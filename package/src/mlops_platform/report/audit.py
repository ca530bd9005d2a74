"""The self-contained audit page: principles, verdicts, signatures and hashes."""

from __future__ import annotations

from mlops_platform.evidence.ethics import Ethics
from mlops_platform.report import principles, templates
from mlops_platform.report.card import Card
from mlops_platform.settings import Project

FILE = "audit.html"


def render(project: Project, ethics: Ethics, card: Card) -> str:
    """Render the page as HTML; the same evidence gives the same bytes."""
    return templates.load("audit.html").render(
        project=project,
        ethics=ethics,
        card=card,
        summary=principles.summarize(ethics),
        principles=principles.list_checks(ethics),
        facts=[
            ("Team", f"{project.team}, {project.contact}"),
            ("Checked", ethics.made.replace("T", " ").replace("+00:00", " UTC")),
            ("Run", ethics.run_id),
            ("Commit", ethics.git_commit),
            ("Evidence", ethics.evidence),
        ],
    )
