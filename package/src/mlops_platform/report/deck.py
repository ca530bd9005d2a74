"""Ten slides for a sponsor, from the project's own settings and evidence: one page that prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mlops_platform.core import placeholders
from mlops_platform.core.files import write_text
from mlops_platform.core.text import pluralize
from mlops_platform.dashboard import State
from mlops_platform.evidence import Group, Measure
from mlops_platform.evidence.ethics import Ethics
from mlops_platform.report import card, collect, templates
from mlops_platform.report.collect import Run
from mlops_platform.report.dashboard import TONES
from mlops_platform.settings import Project

FILE = "deck.html"
NO_RUN = "no run yet: `uv run poe pipeline`"
WORST = 3


@dataclass(frozen=True)
class Point:
    """A line of a slide: what, what of it, and how good that is (`good`, `look`, `bad`, `warn`)."""

    label: str
    text: str
    tone: str = ""


@dataclass(frozen=True)
class Slide:
    """A slide: one sentence, and the points that support it; `chain` are points in their order."""

    title: str
    sentence: str
    points: Sequence[Point] = ()
    chain: Sequence[Point] = ()


@dataclass(frozen=True)
class Facts:
    """What the slides are made of.

    `steps` are those of the training pipeline, `prices` lines of the cost, `criteria` those of the
    next decision with their state: `met`, `open` or `unknown`.
    """

    project: Project
    texts: card.Fields
    run: Run
    tiles: Sequence[State]
    steps: Sequence[str]
    prices: Sequence[tuple[str, str]]
    stage: str
    criteria: Sequence[tuple[str, str]]
    maturity: str
    today: date


def write(facts: Facts, path: Path) -> None:
    """Write the page to `path`, atomically."""
    write_text(path, render(facts))


def render(facts: Facts) -> str:
    """Render the page as HTML; the same facts give the same bytes."""
    return templates.load("deck.html").render(
        project=facts.project, slides=slides(facts), today=f"{facts.today:%d %B %Y}"
    )


def slides(facts: Facts) -> list[Slide]:
    """The ten slides."""
    project, texts, run = facts.project, facts.texts, facts.run
    use = texts.intended_use
    return [
        Slide(
            project.name,
            project.description,
            [
                Point("team", project.team),
                Point("questions to", project.contact),
                Point("stage", facts.stage),
            ],
        ),
        Slide(
            "The question",
            _written(use.primary_uses),
            [
                Point("who uses the answer", _written(use.primary_users)),
                Point("what it is not for", _written(use.out_of_scope)),
            ],
        ),
        Slide("From data to decision", _stopped(run), chain=list(_chain(run, facts.steps))),
        Slide("The data", _written(texts.training_data.motivation), list(_data(run))),
        Slide("How good it is", _headline(run), list(_measures(run))),
        Slide("What it had to pass", _gates_sentence(run), list(_gates(run))),
        Slide(
            "Whom it affects",
            _written(texts.ethical_considerations.risks),
            [*_groups(run), *_principles(run.ethics)],
        ),
        Slide(
            "How it is today",
            "What is not known is not good.",
            [Point(each.tile.title, each.figure, TONES[each.word]) for each in facts.tiles],
        ),
        Slide(
            "What it costs",
            "Seconds of machines, at the prices of `conf/cost.yml`.",
            [Point(*line) for line in facts.prices],
        ),
        Slide(
            "What is to be decided",
            facts.maturity,
            [
                Point(asks, state, {"met": "good", "open": "bad"}.get(state, "warn"))
                for asks, state in facts.criteria
            ],
        ),
    ]


def _written(text: str) -> str:
    """A text of the team, or that it is not written."""
    written = text.strip() and not placeholders.find(text)
    return text.strip() if written else "not written yet: `conf/model_card.yml`"


def _stopped(run: Run) -> str:
    if collect.is_empty(run):
        return NO_RUN
    stop = collect.find_stop(run)
    if stop is None:
        return f"Each step is a gate. The last run ended with a version: {run.role}."
    return f"Each step is a gate. The last run stopped at {stop.step}: {'; '.join(stop.reasons)}"


def _chain(run: Run, steps: Sequence[str]) -> Iterator[Point]:
    stop = collect.find_stop(run)
    for name in steps:
        shape = collect.STEPS.get(name)
        if stop is not None and stop.step == name:
            yield Point(name, "stopped", "bad")
        elif shape is not None and getattr(run, shape) is not None:
            yield Point(name, "passed", "good")
        elif shape is not None:
            yield Point(name, "not run")
    yield Point("a person promotes", run.role, "good" if run.role == "champion" else "")
    judged = run.truth.versions if run.truth else []
    yield Point("outcomes judge it", judged[0].verdict if judged else "not yet")


def _data(run: Run) -> Iterator[Point]:
    if run.validation is None:
        yield Point("rows", NO_RUN)
        return
    broken = len(run.validation.findings)
    kept = f"violate {pluralize(broken, 'rule')}" if broken else "keep every rule"
    yield Point(
        "rows", f"{run.validation.rows:,}; they {kept} of the contract", "bad" if broken else "good"
    )
    if run.split is not None:
        parts = ", ".join(f"{rows:,} {name}" for name, rows in run.split.rows.items())
        yield Point("parts", f"{parts}; {run.split.description}")


def _primary(run: Run) -> Measure | None:
    found = run.evaluation
    return (
        next((each for each in found.measures if each.name == found.metric), None)
        if found
        else None
    )


def _headline(run: Run) -> str:
    measure = _primary(run)
    if measure is None:
        stop = collect.find_stop(run)
        return f"not measured: the last run stopped at {stop.step}" if stop else NO_RUN
    constant = f"; a constant has {measure.baseline:.3f}" if measure.baseline is not None else ""
    figure = f"{measure.value:.3f}{_interval(measure.low, measure.high)}"
    return f"{measure.name} {figure} on new rows{constant}."


def _measures(run: Run) -> Iterator[Point]:
    for each in run.evaluation.measures if run.evaluation else []:
        yield Point(each.name, f"{each.value:.3f}{_interval(each.low, each.high)}")
    if run.comparison is not None:
        tone = "good" if run.comparison.decision == "accepted" else "bad"
        yield Point("beside the champion", run.comparison.reason, tone)


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"


def _gates_sentence(run: Run) -> str:
    found = collect.verdicts(run)
    if not found:
        return NO_RUN
    return f"{sum(each.passed for each in found)} of {len(found)} gates passed."


def _gates(run: Run) -> Iterator[Point]:
    for each in collect.verdicts(run):
        tone = "good" if each.passed else "bad" if each.blocks else "warn"
        yield Point(each.gate, each.message, tone)


def _groups(run: Run) -> Iterator[Point]:
    """The groups in which the metric is worst."""
    measure = _primary(run)
    if measure is None or run.evaluation is None:
        return
    known: list[tuple[float, Group]] = [
        (each.value, each) for each in run.evaluation.groups if each.value is not None
    ]
    known.sort(key=lambda pair: pair[0], reverse=not measure.higher_is_better)
    for value, each in known[:WORST]:
        name = f"{measure.name}, {each.column} {each.group}"
        yield Point(name, f"{value:.3f}{_interval(each.low, each.high)} on {each.rows:,} rows")


def _principles(ethics: Ethics | None) -> Iterator[Point]:
    if ethics is None:
        yield Point("ethics", "not checked since the last run: `uv run poe ethics`", "warn")
        return
    passed = sum(each.word == "passed" for each in ethics.checks)
    tone = "good" if ethics.verdict == "passed" else "bad"
    yield Point("ethics", f"{passed} of {len(ethics.checks)} checks passed", tone)
