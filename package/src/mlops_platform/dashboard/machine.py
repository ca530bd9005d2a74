"""Tiles of machines: compute health, quota and cost."""

from __future__ import annotations

from datetime import timedelta

from mlops_platform.alerts.config import Alert
from mlops_platform.core.text import pluralize
from mlops_platform.cost import budget, prices, quota, spent
from mlops_platform.dashboard.facts import Facts
from mlops_platform.dashboard.states import History, Part, State, Word, combine
from mlops_platform.dashboard.tiles import Tile
from mlops_platform.pipelines import journal

SPAN = timedelta(days=30)
COMMANDS = {"train": "pipeline", "batch": "batch", "monitor": "monitor", "truth": "truth"}


def compute(tile: Tile, facts: Facts) -> State:
    """The runs of this machine; the last one of each pipeline must have ended by itself."""
    recent = [entry for entry in facts.steps if facts.now - entry.began < SPAN]
    pipelines = sorted({entry.pipeline for entry in recent})
    runs = {name: journal.runs(recent, name) for name in pipelines}
    if not runs:
        why = "nothing has run here in 30 days"
        return State(tile, "unknown", "no run", why, "uv run poe pipeline")
    parts = []
    for name, mine in runs.items():
        last = mine[-1][-1]
        if last.outcome == "error":
            why = f"the last run of {name} failed, or was ended, at {last.step}"
            task = COMMANDS.get(name)
            again = f"uv run poe {task}" if task else f"uv run mlops run pipelines/{name}.yml"
            parts.append(Part("bad", why, again))
    if not parts:
        parts.append(Part("good", f"the last runs of {', '.join(pipelines)} ended by themselves"))
    every = [run for mine in runs.values() for run in mine]
    ended = sum(run[-1].outcome != "error" for run in every)
    seconds = spent.history(facts.steps)
    label = f"seconds of the last {len(seconds)} trainings"
    history = History(label, seconds) if len(seconds) > 1 else None
    return combine(tile, f"{ended} of {pluralize(len(every), 'run')}", parts, history)


def of_quota(tile: Tile, facts: Facts) -> State:
    """The cores that the largest cluster of each environment takes, of those there are."""
    parts, shares, silent = [], [], []
    limits = [alert for alert in facts.alerts.values() if alert.measure in tile.measures]
    for environment in facts.environments:
        need = quota.read(facts.conf, environment)
        if need.share is None:
            silent.append(f"conf/{environment}.yml")
            continue
        shares.append(need.share)
        why = f"{environment}: {need.nodes * need.cores} of {need.quota} cores"
        parts.append(Part(_word(need.share, limits), why, "uv run poe check"))
    if silent:
        why = f"{', '.join(silent)}: `quota` is missing in `cluster`; write the cores there are"
        parts.append(Part("unknown", why, f"edit {silent[0]}"))
    figure = f"{max(shares):.0%}" if shares else "not known"
    return combine(tile, figure, parts)


def cost(tile: Tile, facts: Facts) -> State:
    """What the steps on this machine cost this month, of its budget."""
    if not facts.steps:
        why = "no step is recorded yet"
        return State(tile, "unknown", "not known", why, "uv run poe pipeline")
    seconds = spent.month(facts.steps, facts.now)
    settings, found = prices.read(facts.conf)
    here = found[0]
    money = here.of(seconds)
    if settings is None or money is None:
        return State(tile, "unknown", f"{seconds:.0f} s", here.missing, "uv run poe cost")
    figure = f"{money:.2f} {settings.currency}"
    if settings.budget is None:
        why = f"{facts.conf / 'cost.yml'}, field `budget`: is missing. Write that of a month here."
        return State(tile, "unknown", figure, why, "uv run poe cost")
    month = spent.forecast(money, facts.now)
    word: Word = budget.judge(money, month, settings.budget)
    whole = f"{settings.budget:g} {settings.currency}"
    why = f"{month:.2f} by the end of the month, if it goes on so; the budget is {whole}"
    return combine(tile, figure, [Part(word, why, "uv run poe cost")])


def _word(share: float, limits: list[Alert]) -> Word:
    """Above the whole is bad; above the limit of an alert is what the alert is."""
    if share > 1 or any(share > each.above for each in limits if each.severity == "page"):
        return "bad"
    return "warning" if any(share > each.above for each in limits) else "good"
