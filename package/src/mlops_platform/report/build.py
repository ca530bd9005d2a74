"""Builds the report: one self-contained HTML page from the evidence of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from mlops_platform import evidence, settings
from mlops_platform.core import files
from mlops_platform.core.errors import UsageError
from mlops_platform.report import card as cards
from mlops_platform.report import collect, plots, principles, templates
from mlops_platform.report.collect import Run

FILE = "report.html"
PASSED, FAILED, REPORTED = ("passed", "good"), ("failed", "bad"), ("reported", "warn")
ROLES = {"challenger": "good", "champion": "good", "rejected": "bad", "rolled_back": "bad"}
TRUTH = {"holds": "good", "broken": "bad", "doubtful": "warn", "not yet": "warn"}
DRIFT = {"stable": "good", "drift": "bad", "insufficient evidence": "warn"}


def write(conf: Path, run: Run, path: Path) -> None:
    """Write the page for `run` to `path`, and the model card beside it; each atomically.

    Raises:
        UsageError: there is no evidence.
    """
    if collect.is_empty(run):
        raise UsageError("outputs/: has no evidence yet. Run `uv run poe pipeline` first.")
    card = cards.build_card(conf, run) if run.evaluation else None
    project = settings.load_project(conf)
    stage = settings.describe_stage(conf, project.stage)
    files.write_text(path, render(project, run, card, stage))
    if card is not None:
        files.write_text(path.with_name(cards.FILE), card.markdown())


def render(
    project: settings.Project, run: Run, card: cards.Card | None = None, stage: str = ""
) -> str:
    """Render the page as HTML; the same evidence gives the same bytes.

    `stage` also tells of decisions in conf/stage.yml.
    """
    stop = collect.find_stop(run)
    return templates.load("page.html").render(
        project=project,
        run=run,
        stop=stop,
        headline=_headline(run, stop),
        steps=_steps(run, stop),
        facts=_facts(project, run, stage or project.stage),
        gates=[(*_badge(verdict), verdict) for verdict in collect.verdicts(run)],
        measures=_metric_rows(run),
        small_groups=[group for group in run.evaluation.groups if group.value is None]
        if run.evaluation
        else [],
        plots={name: Markup(svg) for name, svg in _plots(run).items()},  # noqa: S704
        card=card,
        summary=principles.summarize(run.ethics) if run.ethics else None,
        principles=principles.list_checks(run.ethics) if run.ethics else [],
        truth_tones=TRUTH,
        drift_tone=DRIFT[run.drift.verdict] if run.drift else "warn",
    )


def _headline(run: Run, stop: collect.Stop | None) -> tuple[str, str, list[str]]:
    """The headline, its tone, and the sentences below it."""
    if stop:
        return f"Stopped at {stop.step}", "bad", stop.reasons
    version = run.registration
    if version is None:
        return "Not trained here", "warn", ["there is only evidence of the monitor"]
    role = run.role.replace("_", " ")
    tone = ROLES.get(run.role, "warn")
    if run.version is not None and run.role != version.role:
        tags = run.version.tags
        why = f"{tags.get('role_why', '')}, by {tags.get('role_by', 'unknown')}"
        now = f"{role} since {run.version.since[:16].replace('T', ' ')} UTC: {why}"
        return (
            f"Version {version.version}: {role}",
            tone,
            [now, f"registered as {version.role}: {version.reason}"],
        )
    status = "registered as challenger" if version.new and role == "challenger" else role
    sentences = [version.reason, *([run.note] if run.note else [])]
    return f"Version {version.version}: {status}", tone, sentences


def _steps(run: Run, stop: collect.Stop | None) -> list[tuple[str, str, str]]:
    """Name, state and tone of each step of the training pipeline."""
    states = []
    stopped = run.registration is None and stop is None
    for step in collect.STEPS:
        if stop and step == stop.step:
            states.append((step, "stopped", "bad"))
            stopped = True
        else:
            states.append((step, "not reached", "warn") if stopped else (step, "done", "good"))
    return states


def _badge(verdict: evidence.Verdict) -> tuple[str, str]:
    return PASSED if verdict.passed else FAILED if verdict.blocks else REPORTED


def _facts(project: settings.Project, run: Run, stage: str) -> list[tuple[str, str]]:
    """Facts that identify the run, as pairs of a term and its value."""
    facts = [("Team", f"{project.team}, {project.contact}"), ("Stage", stage)]
    if run.training:
        training = run.training
        dirty = " and uncommitted changes" if training.git_dirty == "true" else ""
        facts += [
            ("Trained", training.began.replace("T", " ").replace("+00:00", " UTC")),
            ("Trigger", training.trigger),
            ("Run", training.run_id[:12]),
            ("Commit", f"{training.git_commit[:12]}{dirty}"),
        ]
        if training.threshold is not None:
            decides = f"{training.threshold:.4g}, {training.threshold_from}"
            facts.append(("Threshold", decides))
    if run.validation:
        facts.append(("Data", f"{run.validation.data_hash[:12]}, {run.validation.rows} rows"))
    if run.evaluation:
        loads = f", loads in {run.footprint.load_seconds:.2f} s" if run.footprint else ""
        facts.append(("Model", f"{run.evaluation.size_mb:.2f} MB{loads}"))
    return facts


def _metric_rows(run: Run) -> list[dict[str, Any]]:
    """The metrics of model, champion and baseline, and their positions (0 to 100) on a strip."""
    champions = run.comparison.champion_measures if run.comparison else {}
    rows = []
    for measure in run.evaluation.measures if run.evaluation else []:
        values = {
            "low": measure.low,
            "high": measure.high,
            "value": measure.value,
            "constant": measure.baseline,
            "champion": champions.get(measure.name),
        }
        present = [value for value in values.values() if value is not None]
        low, span = min(present), max(present) - min(present) or 1
        positions = {
            name: None if value is None else round(5 + 90 * (value - low) / span, 2)
            for name, value in values.items()
        }
        rows.append({"measure": measure, "champion": values["champion"], "at": positions})
    return rows


def _plot_difference(comparison: evidence.Comparison) -> dict[str, str]:
    value, low, high = comparison.difference, comparison.low, comparison.high
    if value is None or low is None or high is None:
        return {}
    margin, metric = comparison.margin, comparison.metric
    return {"difference": plots.plot_difference(value, low, high, margin=margin, metric=metric)}


def _plots(run: Run) -> dict[str, str]:
    """The plots by name, as far as there is evidence for them."""
    svgs: dict[str, str] = {}
    comparison, evaluation = run.comparison, run.evaluation
    if comparison:
        svgs |= _plot_difference(comparison)
    if evaluation:
        metric = evaluation.metric
        overall = next(each.value for each in evaluation.measures if each.name == metric)
        if evaluation.confusion:
            svgs["confusion"] = plots.plot_confusion(evaluation.confusion, evaluation.labels)
        if evaluation.residuals:
            svgs["residuals"] = plots.plot_residuals(evaluation.residuals)
        if evaluation.calibration:
            svgs["calibration"] = plots.plot_calibration(evaluation.calibration)
        if evaluation.importance:
            svgs["importance"] = plots.plot_importance(evaluation.importance, metric)
        if any(group.value is not None for group in evaluation.groups):
            svgs["groups"] = plots.plot_groups(evaluation.groups, metric, overall)
    for number, column in enumerate(run.drift.columns if run.drift else []):
        if column.drifted and column.bins:
            svgs[f"drift {column.column}"] = plots.plot_drift(column, number)
    return svgs
