"""Judges the versions whose predictions are kept, on the outcomes that came later."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from mlops_platform import evidence, settings
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.data.contract import load_contract
from mlops_platform.evaluation import metrics
from mlops_platform.models import artifact, team
from mlops_platform.tracking import experiments, promised
from mlops_platform.tracking.registry import Registry
from mlops_platform.tracking.roles import Version
from mlops_platform.truth import collected as collecting
from mlops_platform.truth import config, judge, known, ledger
from mlops_platform.truth.join import Joined, Known, join
from mlops_platform.truth.judge import Promise, Rules
from mlops_platform.truth.labels import Labels
from mlops_platform.truth.ledger import Ledger

TODAY = "today"
LABEL_BYTES = 30  # a row of labels has more: for the number of buckets, too many do no harm


def run(
    conf: Path,
    labels: Path,
    out: Path,
    *,
    collected: Path | None = None,
    as_of: str = TODAY,
) -> None:
    """Write `out/truth.json`; note each verdict on its version.

    Args:
        conf: the project's settings.
        labels: a file or folder with ids and outcomes.
        out: the folder for the evidence.
        collected: a folder of Azure's data collector, to take into the ledger before.
        as_of: the day of the verdict, in ISO 8601, or `today`.

    Raises:
        UsageError: the labels cannot be read, or the contract has no id.
        GateError: the champion is broken. This gate fails at every stage: it blocks no release.
    """
    project, gates, truth = (
        settings.load_project(conf),
        settings.load_gates(conf),
        config.load(conf),
    )
    contract = load_contract(conf / "data.yml", project.task)
    if not contract.named("id"):
        raise UsageError(
            f"{conf / 'data.yml'}: no column has `role: id`, so no outcome can be found for a "
            "prediction. Give the column that names a row this role."
        )
    today = ledger.utc_now().date() if as_of == TODAY else _day(as_of)
    rules = Rules(
        metrics.primary_metric(gates, project.task, conf),
        contract,
        gates,
        truth,
        settings.load_train(conf).seed,
        today,
    )
    kept = Ledger.of(conf)
    importing = collecting.Import(kept, contract, truth)
    if collected is not None:
        importing.run(collected)
    kept.expire(truth.days, ledger.utc_now())
    kept.compact()
    registry = Registry(conf)
    found = Labels(labels, contract, team.load_team(conf), truth)
    with tempfile.TemporaryDirectory() as scratch:
        versions = {version.number: version for version in registry.versions()}
        joined = _join(
            conf, kept, found, rules, versions=versions, path=labels, scratch=Path(scratch)
        )
        results = [
            judge.judge(_promise(conf, number, versions, rules), joined, rules, found.lacking)
            for number in _numbers(kept)
        ]
    report = _report(registry.name, joined, found, rules, results=results, unread=importing.unread)
    evidence.write(report, out / "truth.json")
    for result in results:
        if result.version in versions:
            _note(registry, versions[result.version], result, report)
    _require_unbroken(results, report, labels)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of {text}: is not a day. Write it like 2026-11-30.") from None


def _numbers(kept: Ledger) -> list[str]:
    """The versions in the ledger, the newest first."""
    names = {folder.name.partition("=")[2] for folder in kept.folder.glob("version=*")}
    with_rows = {file.parents[1].name.partition("=")[2] for file in kept.files()}
    return sorted(names & with_rows, key=lambda name: (name.zfill(20), name), reverse=True)


def _join(
    conf: Path,
    kept: Ledger,
    found: Labels,
    rules: Rules,
    *,
    versions: dict[str, Version],
    path: Path,
    scratch: Path,
) -> Joined:
    runs = {run.info.run_id: run for run in experiments.runs(conf, limit=1000)}
    span = "%Y-%m-%d" if rules.truth.period == "day" else "%Y-%m"
    seen: dict[str, Known] = {}
    for number in _numbers(kept):
        run = runs.get(versions[number].run_id) if number in versions else None
        seen[number] = known.of_run(conf, run, span) if run else Known(None)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    return join(
        kept.batches(["id", "version", "period", "time", "scores"]),
        found.chunks(),
        rows=max(kept.rows(), size // LABEL_BYTES),
        columns=found.columns,
        known=seen,
        learned=known.last_training(conf),
        scratch=scratch,
    )


def _promise(conf: Path, number: str, versions: dict[str, Version], rules: Rules) -> Promise:
    version = versions.get(number)
    if version is None:
        return Promise(number, "unknown", rules.contract.labels, None, None)
    with experiments.files(conf, version.run_id, "model") as folder:
        card = artifact.load_card(folder)
    figure = promised.of_version(version.tags, rules.metric.name)
    return Promise(number, version.role, card.labels, card.threshold, figure)


def _report(
    model: str,
    joined: Joined,
    found: Labels,
    rules: Rules,
    *,
    results: list[evidence.VersionTruth],
    unread: int,
) -> evidence.TruthReport:
    return evidence.TruthReport(
        model=model,
        as_of=rules.today.isoformat(),
        metric=rules.metric.name,
        higher_is_better=rules.metric.higher_is_better,
        confidence=rules.gates.confidence,
        limit=judge.describe_limit(rules),
        predictions=joined.predictions,
        without_id=joined.without_id,
        repeated=joined.repeated,
        unread=unread,
        labels=joined.labels,
        duplicates=joined.duplicates,
        contradictions=joined.contradictions,
        unknown=joined.unknown,
        invalid=found.invalid,
        pending=found.pending,
        labels_without_id=found.without_id,
        new=joined.new,
        versions=results,
    )


def _note(
    registry: Registry,
    version: Version,
    result: evidence.VersionTruth,
    report: evidence.TruthReport,
) -> None:
    """The verdict as tags of the version, where alerts and retraining look for it."""
    tags = {"truth_why": result.message, "truth_as_of": report.as_of, "truth": result.verdict}
    if report.new is not None:
        tags = {"truth_new": str(report.new), **tags}
    if any(version.tags.get(key) != value for key, value in tags.items()):
        registry.mark(version.run_id, tags)


def _require_unbroken(
    results: list[evidence.VersionTruth], report: evidence.TruthReport, labels: Path
) -> None:
    champion = next((each for each in results if each.role == "champion"), None)
    if champion is not None and champion.verdict == "broken":
        new = ""
        if report.new is not None:
            new = f" {labels} has {report.new} labels that the last training did not have."
        raise GateError(
            f"version {champion.version}, the champion, is broken: {champion.message}. See "
            f"`uv run poe report`.{new} `uv run poe retrain --why REASON` trains a challenger; "
            "`uv run poe rollback --why REASON` restores the version before."
        )
