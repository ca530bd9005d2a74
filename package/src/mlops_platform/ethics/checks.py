"""Runs all checks in conf/ethics.yml on the last run and decides whether they block the version."""

from __future__ import annotations

import importlib.metadata
import platform
from datetime import UTC, date, datetime
from pathlib import Path

from mlops_platform import settings
from mlops_platform.core import terminal
from mlops_platform.core.files import hash_path
from mlops_platform.ethics import config as ethics_config
from mlops_platform.ethics import evaluated_run
from mlops_platform.ethics.config import (
    BLOCKING,
    Check,
    DocumentCheck,
    EthicsConfig,
    ManualCheck,
    MetricCheck,
    PytestCheck,
    Waiver,
)
from mlops_platform.ethics.kinds import (
    document_check,
    metric_check,
    pytest_check,
    signature_check,
)
from mlops_platform.ethics.outcome import Outcome
from mlops_platform.evidence.ethics import CheckResult, Ethics, Principle, Waived

FOLDER = Path("ethics")
FILE = "ethics.json"
PACKAGES = ("fairlearn", "mlflow-skinny", "numpy", "pandas", "scikit-learn", "scipy", "skops")


def load_settings(conf: Path) -> tuple[settings.Project, EthicsConfig]:
    """Read conf/project.yml and conf/ethics.yml."""
    project = settings.load_project(conf)
    return project, ethics_config.load(conf, project)


def run_all(conf: Path, outputs: Path, today: date) -> Ethics:
    """Run all checks on the last run of the training pipeline in `outputs`.

    Raises:
        UsageError: no run, wrong settings, or a tracking store or test that cannot be used.
    """
    project, config = load_settings(conf)
    run = evaluated_run.load(conf, outputs, config, project)
    root = conf.resolve().parent
    checks = config.checks
    tests = [each for each in checks if isinstance(each, PytestCheck)]
    outcomes = pytest_check.run_tests(root, tests, outputs / FOLDER)
    with terminal.progress("ethics", len(checks)) as advance:
        for check in checks:
            if isinstance(check, MetricCheck):
                outcomes[check.id] = metric_check.check_metric(run, check)
            elif isinstance(check, DocumentCheck):
                outcomes[check.id] = document_check.check_document(root, check, today)
            advance(1)
    evidence = _hash_evidence(run, config, outcomes)
    signatures = signature_check.load_signatures(conf)
    for check in checks:
        if isinstance(check, ManualCheck):
            outcomes[check.id] = signature_check.check_signature(
                check, signatures, evidence, config
            )
    results = [
        _result(name, check, outcomes[check.id], project=project, config=config, today=today)
        for name, principle in config.principles.items()
        for check in principle.checks
    ]
    blocked = any(each.blocking for each in results)
    accepted = all(each.accepted for each in results)
    return Ethics(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        run_id=run.training.run_id,
        git_commit=run.training.git_commit,
        stage=project.stage,
        regulated=project.regulated,
        verdict="failed" if blocked else "passed",
        compliance=("validated" if accepted else "not validated") if project.regulated else None,
        evidence=evidence,
        files=run.files,
        versions={"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in PACKAGES},
        confidence=run.gates.confidence,
        resamples=run.gates.resamples,
        min_group_rows=run.gates.guardrails.min_group_rows,
        principles=[
            Principle(name=name, statement=each.statement, owner=each.owner)
            for name, each in config.principles.items()
        ],
        checks=results,
    )


def _hash_evidence(
    run: evaluated_run.EvaluatedRun, config: EthicsConfig, outcomes: dict[str, Outcome]
) -> str:
    """The hash that signatures refer to: files of the run, documents, verdicts, limits, waivers.

    After a signature, it becomes invalid if one of them changes.
    """
    root = run.conf.resolve().parent
    paths = {each.path: root / each.path for each in config.documents}
    documents = {name: hash_path(path) for name, path in paths.items() if path.is_file()}
    verdicts = {
        name: [each.verdict, each.details.get("limit", "")] for name, each in outcomes.items()
    }
    waivers = [waiver.model_dump(mode="json") for waiver in config.waivers]
    # Signatures refer to this hash, so its keys cannot change.
    content = {"files": run.files | documents, "words": verdicts, "waivers": waivers}
    return evaluated_run.hash_json(content)


def _result(
    principle: str,
    check: Check,
    outcome: Outcome,
    *,
    project: settings.Project,
    config: EthicsConfig,
    today: date,
) -> CheckResult:
    waiver = next((each for each in config.waivers if each.check == check.id), None)
    next_step, waived = outcome.next_step, None
    if waiver and outcome.verdict != "passed":
        if waiver.expires >= today:
            waived = _waived(waiver)
        else:
            next_step = (
                f"The waiver expired on {waiver.expires}: {waiver.owner} must renew it in "
                f"conf/ethics.yml, with a reason, or the check must pass. {next_step}"
            )
    return CheckResult(
        id=check.id,
        principle=principle,
        owner=config.principles[principle].owner,
        asks=check.asks,
        kind=check.kind,
        category=check.category,
        maps_to=list(check.maps_to),
        word=outcome.verdict,
        blocks=check.category in BLOCKING[project.stage],
        message=outcome.message,
        next=next_step,
        waived=waived,
        **{"groups": [], **outcome.details},
    )


def _waived(waiver: Waiver) -> Waived:
    return Waived(reason=waiver.reason, owner=waiver.owner, expires=str(waiver.expires))
