"""How applications use the model, and what production tells of it."""

from __future__ import annotations

from mlops_platform import settings
from mlops_platform.alerts import config as alerts
from mlops_platform.alerts import runbook
from mlops_platform.data.contract import load_contract
from mlops_platform.maturity.finding import Finding, judge, no, yes
from mlops_platform.maturity.sources import Sources, is_somebody, read
from mlops_platform.truth import config as truth

INTERFACES = ("tests/test_endpoint.py", "tests/test_batch.py")
EXAMPLE = "example-caller"  # of a new project


def own_tests(sources: Sources) -> Finding:
    """The project's own code has tests."""
    found = sum("def test_" in read(file) for file in (sources.root / "tests").glob("**/test_*.py"))
    return judge(found > 0, f"tests/: {found} files with tests")


def interface_tests(sources: Sources) -> Finding:
    """What applications call or read is tested."""
    found = [path for path in INTERFACES if sources.has(path)]
    return judge(bool(found), " and ".join(found), f"neither {' nor '.join(INTERFACES)} exists")


def consumers(sources: Sources) -> Finding:
    """Who reads an answer is known, so that a release cannot break them."""
    if not sources.has("conf/consumers.yml"):
        return yes("batch: files are read by the contract in conf/data.yml")
    named = set(settings.load_consumers(sources.conf)) - {EXAMPLE}
    return judge(bool(named), f"conf/consumers.yml: {len(named)} besides the example")


def alerted(sources: Sources) -> Finding:
    """Each alert has a section on what to do, and reaches somebody."""
    if not sources.has("conf/alerts.yml") or sources.team is None:
        return no("conf/alerts.yml or conf/team.yml does not exist")
    found = alerts.load(sources.conf)
    runbook.require_written(sources.root / "docs", found)
    members = sources.team.roles
    reached = sum(is_somebody(members[each.role].address) for each in found.values())
    return judge(
        0 < len(found) == reached, f"conf/alerts.yml: {reached} of {len(found)} reach somebody"
    )


def truth_source(sources: Sources) -> Finding:
    """Outcomes come from somewhere, or it is written why they never do."""
    found = truth.load(sources.conf)
    if found.why_none:
        return yes(f"conf/truth.yml: none, {found.why_none}")
    if not sources.has("conf/truth.yml"):
        return no("conf/truth.yml does not exist")
    if not sources.has(found.labels):
        return no(f"conf/truth.yml: no {found.labels}")
    contract = load_contract(sources.conf / "data.yml", sources.project.task)
    return judge(
        bool(contract.named("id")),
        f"conf/truth.yml: {found.labels}, joined by the id",
        "conf/data.yml: no column has the role `id`, so outcomes cannot be joined",
    )


def drift(sources: Sources) -> Finding:
    """Data of now was compared with the training data."""
    found = sources.run.drift
    if found is None:
        return no("outputs/monitor: no run")
    return judge(found.verdict != "insufficient evidence", f"drift.json: {found.verdict}")


def outcomes(sources: Sources) -> Finding:
    """A version was judged on real outcomes."""
    found = sources.run.truth
    if found is None:
        return no("outputs/truth: no run")
    judged = sum(each.verdict != "not yet" for each in found.versions)
    return judge(judged > 0, f"truth.json: {judged} of {len(found.versions)} versions judged")
