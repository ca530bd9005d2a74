"""Makes one self-contained page of a run's evidence. Nothing on it is fetched from anywhere."""

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
DRIFT = {"stable": "good", "drift": "bad", "insufficient evidence": "warn"}


def write(conf: Path, run: Run, path: Path) -> None:
    """Write the page for `run` to `path`, and the model card beside it; each whole or not at all.

    Raises:
        UsageError: there is no evidence to show.
    """
    if collect.is_empty(run):
        raise UsageError("outputs/ holds no evidence yet. Run `uv run poe pipeline` first.")
    card = cards.make(conf, run) if run.evaluation else None
    files.write_text(path, render(settings.load_project(conf), run, card))
    if card is not None:
        files.write_text(path.with_name(cards.FILE), card.markdown())


def render(project: settings.Project, run: Run, card: cards.Card | None = None) -> str:
    """The page as HTML; the same evidence gives the same bytes."""
    stop = collect.stop(run)
    return templates.load("page.html").render(
        project=project,
        run=run,
        stop=stop,
        headline=_headline(run, stop),
        steps=_steps(run, stop),
        facts=_facts(project, run),
        gates=[(*_word(verdict), verdict) for verdict in collect.verdicts(run)],
        measures=_measures(run),
        small_groups=[group for group in run.evaluation.groups if group.value is None]
        if run.evaluation
        else [],
        pictures={name: Markup(svg) for name, svg in _pictures(run).items()},  # noqa: S704
        card=card,
        held=principles.held(run.ethics) if run.ethics else None,
        principles=principles.view(run.ethics) if run.ethics else [],
        drift_tone=DRIFT[run.drift.verdict] if run.drift else "warn",
    )


def _headline(run: Run, stop: collect.Stop | None) -> tuple[str, str, list[str]]:
    """A word, its tone, and the sentences below it."""
    if stop:
        return f"Stopped at {stop.step}", "bad", stop.why
    made = run.registration
    if made is None:
        return "Not trained here", "warn", ["there is evidence of the monitor only"]
    role = made.role.replace("_", " ")
    became = "registered as challenger" if made.new and role == "challenger" else role
    return f"Version {made.version}: {became}", ROLES.get(made.role, "warn"), [made.reason]


def _steps(run: Run, stop: collect.Stop | None) -> list[tuple[str, str, str]]:
    """Name, state and tone of each step of the training pipeline."""
    states = []
    over = run.registration is None and stop is None
    for step in collect.STEPS:
        if stop and step == stop.step:
            states.append((step, "stopped", "bad"))
            over = True
        else:
            states.append((step, "not reached", "warn") if over else (step, "done", "good"))
    return states


def _word(verdict: evidence.Verdict) -> tuple[str, str]:
    return PASSED if verdict.passed else FAILED if verdict.blocks else REPORTED


def _facts(project: settings.Project, run: Run) -> list[tuple[str, str]]:
    """What identifies the run, as pairs of a term and its value."""
    facts = [("Team", f"{project.team}, {project.contact}"), ("Stage", project.stage)]
    if run.training:
        made = run.training
        dirty = " and uncommitted changes" if made.git_dirty == "true" else ""
        facts += [
            ("Trained", made.began.replace("T", " ").replace("+00:00", " UTC")),
            ("Trigger", made.trigger),
            ("Run", made.run_id[:12]),
            ("Commit", f"{made.git_commit[:12]}{dirty}"),
        ]
    if run.validation:
        facts.append(("Data", f"{run.validation.data_hash[:12]}, {run.validation.rows} rows"))
    if run.evaluation:
        sizes = f"{run.evaluation.size_mb:.2f} MB, loads in {run.evaluation.load_seconds:.2f} s"
        facts.append(("Model", sizes))
    return facts


def _measures(run: Run) -> list[dict[str, Any]]:
    """Each metric with its rivals, and places from 0 to 100 for the strip that shows them."""
    champions = run.comparison.champion_measures if run.comparison else {}
    rows = []
    for measure in run.evaluation.measures if run.evaluation else []:
        known = {
            "low": measure.low,
            "high": measure.high,
            "value": measure.value,
            "constant": measure.baseline,
            "champion": champions.get(measure.name),
        }
        present = [value for value in known.values() if value is not None]
        least, span = min(present), max(present) - min(present) or 1
        at = {
            name: None if value is None else round(5 + 90 * (value - least) / span, 2)
            for name, value in known.items()
        }
        rows.append({"measure": measure, "champion": known["champion"], "at": at})
    return rows


def _difference(compared: evidence.Comparison) -> dict[str, str]:
    value, low, high = compared.difference, compared.low, compared.high
    if value is None or low is None or high is None:
        return {}
    drawn = plots.difference(value, low, high, margin=compared.margin, metric=compared.metric)
    return {"difference": drawn}


def _pictures(run: Run) -> dict[str, str]:
    """The pictures that the evidence is enough for, by name."""
    made: dict[str, str] = {}
    compared, measured = run.comparison, run.evaluation
    if compared:
        made |= _difference(compared)
    if measured:
        overall = next(each.value for each in measured.measures if each.name == measured.metric)
        if measured.confusion:
            made["confusion"] = plots.confusion(measured.confusion, measured.labels)
        if measured.residuals:
            made["residuals"] = plots.residuals(measured.residuals)
        if measured.calibration:
            made["calibration"] = plots.calibration(measured.calibration)
        if measured.importance:
            made["importance"] = plots.importance(measured.importance, measured.metric)
        if any(group.value is not None for group in measured.groups):
            made["groups"] = plots.groups(measured.groups, measured.metric, overall)
    for number, column in enumerate(run.drift.columns if run.drift else []):
        if column.drifted and column.bins:
            made[f"drift {column.column}"] = plots.shares(column, number)
    return made
