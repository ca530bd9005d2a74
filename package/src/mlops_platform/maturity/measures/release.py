"""How a model is released: gates, decisions, delivery, rollback."""

from __future__ import annotations

from typing import get_args

from mlops_platform import settings
from mlops_platform.maturity.finding import Finding, judge, no, unknown
from mlops_platform.maturity.measures.creation import NO_REGISTRY, of_ethics
from mlops_platform.maturity.sources import Sources

RELEASED = ("src", "conf", "pipelines", "uv.lock")
REHEARSED = "rollback_rehearsed"


def committed(sources: Sources) -> Finding:
    """Code, settings, pipelines and packages are in git as they are."""
    if not sources.commit:
        return no("git: no commit")
    missing = sources.uncommitted(RELEASED)
    where = f"git: commit {sources.commit[:12]}"
    return judge(not missing, where, f"git: not committed: {', '.join(missing)}")


def checked_by_ci(sources: Sources) -> Finding:
    """CI checks and tests each change."""
    text = sources.ci.get("ci", "")
    missing = [task for task in ("poe check", "poe test") if task not in text]
    return judge(not missing, "CI: ci.yml", f"CI: ci.yml does not run `{' and `'.join(missing)}`")


def gates_block(sources: Sources) -> Finding:
    """Quality gates block, and do not only report."""
    return judge(sources.project.gates_block, f"conf/project.yml: stage {sources.project.stage}")


def champion(sources: Sources) -> Finding:
    """A champion is registered, with who made it champion and why."""
    versions = sources.versions
    if versions is None:
        return (unknown if sources.has_cloud else no)(NO_REGISTRY)
    champions = [version for version in versions if version.role == "champion"]
    told = [each for each in champions if each.tags.get("role_why") and each.tags.get("role_by")]
    where = f"registry: version {told[-1].number} is champion" if told else "registry: no champion"
    return judge(bool(told), where)


def delivered_by_ci(sources: Sources) -> Finding:
    """CI delivers, to staging and then to production."""
    text = sources.ci.get("deliver", "")
    stages = [name for name in ("staging", "prod") if f"poe rollout --env {name}" in text]
    return judge(len(stages) == 2, "CI: deliver.yml", "CI: no deliver.yml that rolls out")


def aborts(sources: Sources) -> Finding:
    """A rollout that fails goes back by itself."""
    found = "poe rollout --env prod --abort" in sources.ci.get("deliver", "")
    return judge(found, "CI: deliver.yml aborts", "CI: no deliver.yml that aborts a rollout")


def ci_passed(_: Sources) -> Finding:
    """CI of the main branch passed. Only the CI service knows."""
    return unknown("CI: whether its jobs passed is not known on this machine; look, and sign")


def rehearsed(sources: Sources) -> Finding:
    """The rollback was rehearsed."""
    return of_ethics(sources, REHEARSED)


def described(sources: Sources) -> Finding:
    """All environments are made from files."""
    names = get_args(settings.Environment)
    found = [
        name
        for name in names
        if sources.has(f"conf/{name}.yml") and settings.load_cloud(sources.conf, name).infra
    ]
    return judge(
        len(found) == len(names),
        f"conf/: {len(found)} of {len(names)} environments have `infra`",
    )


def decided_to_operate(sources: Sources) -> Finding:
    """People decided to operate, and no criterion that they waived is overdue."""
    found = sources.decisions
    last = found.last if found else None
    if last is None or last.to != "operate" or sources.project.stage != "operate":
        return no("conf/stage.yml: no decision to operate")
    overdue = [each.criterion for each in last.despite if each.until < sources.today]
    where = f"conf/stage.yml: decided on {last.date}"
    return judge(not overdue, where, f"{where}, overdue: {', '.join(overdue)}")
