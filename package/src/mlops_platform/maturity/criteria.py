"""Criteria of going on: what a decision is shown, each with its evidence and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mlops_platform import settings
from mlops_platform.core import placeholders
from mlops_platform.core.errors import UsageError
from mlops_platform.core.text import pluralize
from mlops_platform.maturity.finding import Finding, Verdict, judge, no, unknown
from mlops_platform.maturity.measure import measure
from mlops_platform.maturity.measures import creation, integration, people
from mlops_platform.maturity.sources import Sources
from mlops_platform.report import card
from mlops_platform.settings.reuse import KINDS
from mlops_platform.settings.stage import Next, State

# A project that operates has everything of automated training; more is for maturity to say.
READY = 2
STATES: dict[Verdict, State] = {"yes": "met", "no": "open", "unknown": "unknown"}


class Criterion(NamedTuple):
    """What must be there before the project goes on."""

    id: str
    asks: str
    measure: Callable[[Sources], Finding]
    command: str


class Judged(NamedTuple):
    """A criterion and what was found of it."""

    criterion: Criterion
    finding: Finding

    @property
    def state(self) -> State:
        """`met`, `open` or `unknown`, as conf/stage.yml has it."""
        return STATES[self.finding.verdict]


def question(sources: Sources) -> Finding:
    """Somebody wrote down which decisions the model supports."""
    text = card.load_fields(sources.conf).intended_use.primary_uses
    field = "conf/model_card.yml, field `intended_use.primary_uses`"
    gap = placeholders.gap(text)
    return judge(not gap, field, f"{field}: {gap}")


def reuse(sources: Sources) -> Finding:
    """Each kind of existing work was looked at."""
    if sources.reuse is None:
        example = "{kind: data sets, what: WHERE, used: false, why: TEXT}"
        return no(
            f"conf/reuse.yml does not exist; write `looked_at` with an entry such as {example} "
            f"for {', '.join(KINDS)}"
        )
    entries = sources.reuse.looked_at
    unwritten = {
        each.kind for each in entries if placeholders.find(each.what) or placeholders.find(each.why)
    }
    lacking = [kind for kind in KINDS if kind not in {each.kind for each in entries} - unwritten]
    used = sum(each.used for each in entries)
    where = f"conf/reuse.yml: {len(entries)} looked at, {used} used"
    return judge(not lacking, where, f"conf/reuse.yml: not looked at: {', '.join(lacking)}")


def readiness(sources: Sources) -> Finding:
    """No fact of readiness at and below the level of operating is open."""
    facts = [each for each in measure(sources) if each.fact.level <= READY]
    lacking = [each.fact.id for each in facts if each.verdict != "yes"]
    where = f"{len(facts) - len(lacking)} of {len(facts)} facts up to level {READY}"
    return judge(not lacking, where, f"{where}; open: {', '.join(lacking)}")


def budget(sources: Sources) -> Finding:
    """What a month may cost is written down: of production, or of this machine without a cloud."""
    amount: float | None = None
    if sources.has_cloud:
        infra = settings.load_cloud(sources.conf, "prod").infra
        where, amount = "conf/prod.yml, field `infra.budget`", infra.budget if infra else None
    else:
        prices = settings.load_prices(sources.conf)
        where, amount = "conf/cost.yml, field `budget`", prices.budget if prices else None
    return judge(amount is not None, f"{where}: {amount or 0:g} a month", f"{where}: none")


def learnt(sources: Sources) -> Finding:
    """The retrospective says what was learnt, and what others can use."""
    gap = sources.gap(people.RETROSPECTIVE)
    return judge(not gap, people.RETROSPECTIVE, f"{people.RETROSPECTIVE} {gap}")


DEVELOP = (
    Criterion("question", "Is the question written down?", question, "edit conf/model_card.yml"),
    Criterion(
        "baseline",
        "Is the model better than a constant, with its whole interval?",
        creation.baseline,
        "uv run poe pipeline",
    ),
    Criterion(
        "data-card",
        "Does the data card tell of your data?",
        creation.data_card,
        f"edit {creation.CARD}",
    ),
    Criterion("reuse", "Was existing work looked at?", reuse, "edit conf/reuse.yml"),
    Criterion("sponsor", "Is a sponsor named?", people.sponsor, f"edit {people.TEAM}"),
)
RETROSPECTIVE = Criterion(
    "retrospective",
    "Is it written what was learnt, and what others can use?",
    learnt,
    f"edit {people.RETROSPECTIVE}",
)
OPERATE = (
    *DEVELOP,
    Criterion("readiness", "Has readiness no open points?", readiness, "uv run poe readiness"),
    Criterion(
        "ethics", "Do the ethics checks let it operate?", creation.ethics, "uv run poe ethics"
    ),
    Criterion(
        "runbook", "Is the runbook written and reviewed?", people.runbook, f"edit {people.RUNBOOK}"
    ),
    Criterion("on-call", "Is somebody on call?", people.on_call, f"edit {people.TEAM}"),
    Criterion(
        "truth",
        "Do outcomes come from somewhere, or is it written why not?",
        integration.truth_source,
        "edit conf/truth.yml",
    ),
    Criterion(
        "budget",
        "Is there a budget?",
        budget,
        "edit conf/prod.yml, or conf/cost.yml without a cloud",
    ),
    RETROSPECTIVE,
)
CRITERIA: dict[Next, tuple[Criterion, ...]] = {
    "develop": DEVELOP,
    "operate": OPERATE,
    "stop": (RETROSPECTIVE,),
}


def next_of(stage: str) -> Next:
    """The decision that comes next."""
    return "develop" if stage == "explore" else "operate"


def judge_all(sources: Sources, to: Next) -> list[Judged]:
    """Look at each criterion of a decision."""
    return [Judged(each, _find(each, sources)) for each in CRITERIA[to]]


def count(judged: list[Judged]) -> str:
    """How many are met, as part of a sentence."""
    met = sum(each.state == "met" for each in judged)
    return f"{met} of {pluralize(len(judged), 'criterion').replace('criterions', 'criteria')} met"


def _find(criterion: Criterion, sources: Sources) -> Finding:
    try:
        return criterion.measure(sources)
    except UsageError as error:
        return unknown(str(error).splitlines()[0])
