"""Tiles of the model: progress, drift and truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mlops_platform import evidence
from mlops_platform.alerts import state
from mlops_platform.dashboard.facts import Facts
from mlops_platform.dashboard.states import History, Part, State, Word, combine, of_alerts
from mlops_platform.dashboard.tiles import Tile
from mlops_platform.pipelines import journal, outputs

DRIFT: dict[str, Word] = {"stable": "good", "drift": "warning", "insufficient evidence": "unknown"}
TRUTH: dict[str, Word] = {
    "holds": "good",
    "doubtful": "warning",
    "broken": "bad",
    "not yet": "unknown",
}
NO_CHAMPION = "there is no champion"
SERVE = "uv run poe serve"


def progress(tile: Tile, facts: Facts) -> State:
    """The champion, a challenger that waits, and a last training that did not end as it should."""
    champion, challenger = facts.holder("champion"), facts.holder("challenger")
    parts = _last_training(facts)
    if challenger is not None:
        why = f"version {challenger.number} waits: {challenger.tags.get('role_why', '')}"
        parts.append(Part("warning", why, "uv run poe promote"))
    if champion is None:
        parts.append(Part("unknown", NO_CHAMPION, facts.towards_a_champion))
    else:
        if facts.serves not in ("", champion.number):
            why = (
                f"the endpoint serves version {facts.serves}, the champion is version "
                f"{champion.number}: stop the endpoint and start it again"
            )
            parts.insert(0, Part("warning", why, SERVE))
        parts.append(Part("good", f"since {champion.since[:10]}: {champion.tags.get('role_why')}"))
        parts += of_alerts(tile, facts.verdicts, "uv run poe retrain --why REASON")
    figure = f"version {champion.number}" if champion else "no champion"
    return combine(tile, figure, parts, _of_runs(facts, "train", _metric))


def drift(tile: Tile, facts: Facts) -> State:
    """The last monitor of the champion."""
    champion = facts.holder("champion")
    if champion is None:
        return State(tile, "unknown", "not judged", NO_CHAMPION, facts.towards_a_champion)
    found = state.drift_of(facts.outputs, champion.number)
    if found is None:
        return State(tile, "unknown", "not judged", *state.NO_DRIFT)
    ask = "uv run poe monitor" if DRIFT[found.verdict] == "unknown" else "uv run poe report"
    parts = [Part(DRIFT[found.verdict], found.message, ask)]
    if DRIFT[found.verdict] != "unknown":
        parts += of_alerts(tile, facts.verdicts, ask)
    return combine(tile, found.verdict, parts, _of_runs(facts, "monitor", _drifted))


def truth(tile: Tile, facts: Facts) -> State:
    """What late labels say of the champion."""
    champion = facts.holder("champion")
    if champion is None:
        return State(tile, "unknown", "not judged", NO_CHAMPION, facts.towards_a_champion)
    found = state.truth_of(facts.outputs, champion.number)
    if found is None:
        return State(tile, "unknown", "not judged", *state.no_truth(facts.conf, champion.number))
    word = TRUTH[found.verdict]
    ask = "uv run poe truth --retrain" if word == "bad" else "uv run poe truth"
    lacking = [each for each in found.missing if each not in found.message]
    parts = [Part(word, "; ".join([found.message, *lacking]), ask)]
    if word != "unknown":
        parts += of_alerts(tile, facts.verdicts, ask)
    return combine(tile, found.verdict, parts, _of_runs(facts, "truth", _judged))


def _last_training(facts: Facts) -> list[Part]:
    trainings = journal.runs(facts.steps, "train")
    last = trainings[-1][-1] if trainings else None
    if last is None or last.outcome == "passed":
        return []
    words = {"gate": "a gate stopped it", "error": "it failed, or was ended"}
    why = f"the last training came as far as {last.step}: {words[last.outcome]}"
    return [Part("warning", why, "uv run poe report")]


def _of_runs(
    facts: Facts, pipeline: str, read: Callable[[Path], tuple[str, float] | None]
) -> History | None:
    """A number of each run of a pipeline that is kept; None for fewer than two."""
    found = [each for run in outputs.ended(facts.outputs / pipeline) if (each := read(run))]
    if len(found) < 2:
        return None
    return History(f"{found[-1][0]}, last {len(found)} runs", [value for _, value in found])


def _metric(run: Path) -> tuple[str, float] | None:
    file = run / "evaluate" / "evidence" / "evaluation.json"
    if not file.is_file():
        return None
    evaluation = evidence.read(evidence.Evaluation, file)
    value = next(each.value for each in evaluation.measures if each.name == evaluation.metric)
    return f"{evaluation.metric} on the test set", value


def _drifted(run: Path) -> tuple[str, float] | None:
    file = run / "drift" / "evidence" / "drift.json"
    if not file.is_file():
        return None
    report = evidence.read(evidence.DriftReport, file)
    return "columns that drifted", float(sum(column.drifted for column in report.columns))


def _judged(run: Path) -> tuple[str, float] | None:
    file = run / "judge" / "evidence" / "truth.json"
    if not file.is_file():
        return None
    report = evidence.read(evidence.TruthReport, file)
    values = [each.value for each in report.versions if each.value is not None]
    return (f"{report.metric} on outcomes", values[-1]) if values else None
