"""Runs all checks of conf/ethics.yml on the last run, and says what stops the version."""

from __future__ import annotations

import importlib.metadata
import platform
from datetime import UTC, date, datetime
from pathlib import Path

from mlops_platform import settings
from mlops_platform.core import terminal
from mlops_platform.core.files import hash_path
from mlops_platform.ethics import case as cases
from mlops_platform.ethics import page as pages
from mlops_platform.ethics.finding import Finding
from mlops_platform.ethics.kinds import document, manual, metric, tests
from mlops_platform.ethics.page import (
    BLOCKING,
    Check,
    Document,
    Manual,
    Metric,
    Page,
    Pytest,
    Waiver,
)
from mlops_platform.evidence.ethics import CheckResult, Ethics, Principle, Waived

FOLDER = Path("ethics")
FILE = "ethics.json"
PACKAGES = ("fairlearn", "mlflow-skinny", "numpy", "pandas", "scikit-learn", "scipy", "skops")


def page_of(conf: Path) -> tuple[settings.Project, Page]:
    """The project and its page of ethics."""
    project = settings.load_project(conf)
    return project, pages.load(conf, project)


def judge(conf: Path, outputs: Path, today: date) -> Ethics:
    """Run all checks on the last run of the training pipeline in `outputs`.

    Raises:
        UsageError: no run, wrong settings, or a store or test run that cannot be reached.
    """
    project, page = page_of(conf)
    case = cases.load(conf, outputs / "train", page, project)
    root = conf.resolve().parent
    listed = [check for principle in page.principles.values() for check in principle.checks]
    found = tests.run(root, [each for each in listed if isinstance(each, Pytest)], outputs / FOLDER)
    with terminal.progress("ethics", len(listed)) as advance:
        for check in listed:
            if isinstance(check, Metric):
                found[check.id] = metric.look(case, check)
            elif isinstance(check, Document):
                found[check.id] = document.look(root, check, today)
            advance(1)
    evidence = _evidence(case, page, found)
    signed = manual.read(conf)
    for check in listed:
        if isinstance(check, Manual):
            found[check.id] = manual.look(check, signed, evidence, page)
    results = [
        _result(name, check, found[check.id], project=project, page=page, today=today)
        for name, principle in page.principles.items()
        for check in principle.checks
    ]
    stops, holds = any(each.stops for each in results), all(each.holds for each in results)
    return Ethics(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        run_id=case.training.run_id,
        git_commit=case.training.git_commit,
        stage=project.stage,
        regulated=project.regulated,
        verdict="failed" if stops else "passed",
        compliance=("validated" if holds else "not validated") if project.regulated else None,
        evidence=evidence,
        files=case.files,
        versions={"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in PACKAGES},
        confidence=case.gates.confidence,
        resamples=case.gates.resamples,
        min_group_rows=case.gates.guardrails.min_group_rows,
        principles=[
            Principle(name=name, statement=each.statement, owner=each.owner)
            for name, each in page.principles.items()
        ],
        checks=results,
    )


def _evidence(case: cases.Case, page: Page, found: dict[str, Finding]) -> str:
    """What a signature is bound to: the run's files, documents, and all words with their limits.

    A limit that is loosened, a page that is rewritten, a check that is dropped and a waiver that is
    given after the signature make it lapse, as a new model does.
    """
    root = case.conf.resolve().parent
    pages = {each.path: root / each.path for each in page.documents}
    written = {name: hash_path(path) for name, path in pages.items() if path.is_file()}
    words = {name: [each.word, each.figures.get("limit", "")] for name, each in found.items()}
    waivers = [waiver.model_dump(mode="json") for waiver in page.waivers]
    return cases.hash_of({"files": case.files | written, "words": words, "waivers": waivers})


def _result(
    principle: str,
    check: Check,
    finding: Finding,
    *,
    project: settings.Project,
    page: Page,
    today: date,
) -> CheckResult:
    waiver = next((each for each in page.waivers if each.check == check.id), None)
    then, waived = finding.next, None
    if waiver and finding.word != "passed":
        if waiver.expires >= today:
            waived = _waived(waiver)
        else:
            then = (
                f"Its waiver ended on {waiver.expires}: {waiver.owner} renews it in "
                f"conf/ethics.yml, with a reason, or the check must hold. {then}"
            )
    return CheckResult(
        id=check.id,
        principle=principle,
        owner=page.principles[principle].owner,
        asks=check.asks,
        kind=check.kind,
        category=check.category,
        maps_to=list(check.maps_to),
        word=finding.word,
        blocks=check.category in BLOCKING[project.stage],
        message=finding.message,
        next=then,
        waived=waived,
        **{"groups": [], **finding.figures},
    )


def _waived(waiver: Waiver) -> Waived:
    return Waived(reason=waiver.reason, owner=waiver.owner, expires=str(waiver.expires))
