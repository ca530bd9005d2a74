"""Who works together, who is called, and what the team learnt."""

from __future__ import annotations

from mlops_platform.maturity.finding import Finding, judge, no, unknown, yes
from mlops_platform.maturity.sources import Sources, is_somebody

TEAM = "conf/team.yml"
RUNBOOK, RETROSPECTIVE = "docs/runbook.md", "docs/retrospective.md"
REVIEW_DAYS, MEETING_DAYS = 365, 183


def roles(sources: Sources) -> Finding:
    """Each role reaches somebody; whether that is so at night is a fact of its own."""
    if sources.team is None:
        return no(f"{TEAM} does not exist")
    members = [member for member in sources.team.roles.values() if not member.on_call]
    reached = sum(is_somebody(member.address) for member in members)
    return judge(
        0 < reached == len(members),
        f"{TEAM}: {reached} of {len(members)} roles by day reach somebody",
    )


def sponsor(sources: Sources) -> Finding:
    """Somebody pays, and decides."""
    named = sources.team is not None and sources.team.sponsor
    return judge(bool(named), f"{TEAM}, field `sponsor`", f"{TEAM}: no `sponsor` is named")


def on_call(sources: Sources) -> Finding:
    """Somebody is called at night, at an address that reaches them."""
    members = sources.team.roles.values() if sources.team else ()
    reached = sum(member.on_call and is_somebody(member.address) for member in members)
    return judge(reached > 0, f"{TEAM}: {reached} on call, at an address that reaches them")


def authors(sources: Sources) -> Finding:
    """More than one person works on the code."""
    where = f"git: authors of the last year: {sources.authors}"
    if sources.authors < 2 and sources.commit and sources.is_shallow:
        return unknown(f"{where}, but this clone has only a part of the history")
    return judge(sources.authors >= 2, where)


def runbook(sources: Sources) -> Finding:
    """The runbook is written, and was reviewed within a year."""
    return _page(sources, RUNBOOK, "Reviewed", REVIEW_DAYS)


def retrospective(sources: Sources) -> Finding:
    """The team met within half a year, and wrote down what others can use."""
    return _page(sources, RETROSPECTIVE, "Held", MEETING_DAYS)


def _page(sources: Sources, path: str, word: str, days: int) -> Finding:
    if gap := sources.gap(path):
        return no(f"{path} {gap}")
    dates = sources.dates(path, word)
    if not dates:
        return no(f"{path} has no line `{word}: {sources.today}`")
    age = (sources.today - dates[-1]).days
    where = f"{path}: {word.lower()} on {dates[-1]}"
    return yes(where) if age <= days else no(f"{where}, {age} days ago; at most {days}")
