"""Go or no-go: criteria, decisions, and going on despite a criterion for a time."""

import datetime
import re
import shutil

import pytest
import yaml
from mlops_platform import settings
from mlops_platform.cli import pipelines
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.maturity import criteria, decide, delivery
from mlops_platform.maturity.decide import Request
from mlops_platform.maturity.facts import HIGHEST
from mlops_platform.maturity.sources import Sources
from mlops_platform.settings import reuse

from package.tests import maturing
from package.tests.maturing import LATER, TODAY, WRITTEN
from package.tests.workspaces import Workspace
from tests.rendering import commit_all

KINDS = reuse.KINDS
LOOKED = [{"kind": kind, "what": "searched", "used": False, "why": "none fits"} for kind in KINDS]


@pytest.fixture(scope="module")
def _ready(_trained, tmp_path_factory):
    root = tmp_path_factory.mktemp("ready") / "project"
    shutil.copytree(_trained.root, root)
    project = maturing.build(Workspace(root), HIGHEST)
    maturing.CHANGES["go"][1](project)
    project.settings("reuse.yml", lambda file: file.update(looked_at=LOOKED))
    project.settings(
        "model_card.yml", lambda file: file["intended_use"].update(primary_uses=WRITTEN)
    )
    commit_all(project.root, "Ready")
    return project


@pytest.fixture
def ready(_ready, tmp_path):
    """A project with all facts of readiness and all criteria, before its first decision."""
    return maturing.Growing(Workspace(shutil.copytree(_ready.root, tmp_path / "project")))


def sources(project, today=TODAY):
    return Sources(project.root, today)


def decisions(project):
    found = settings.load_decisions(project.root / "conf")
    assert found is not None
    return found.decisions


# Each criterion's own fault: what it is taken by.
FAULTS = {
    "question": lambda project: project.settings(
        "model_card.yml", lambda file: file["intended_use"].update(primary_uses="TODO: which one?")
    ),
    "baseline": maturing.CHANGES["baseline"][1],
    "data-card": maturing.CHANGES["data-card"][1],
    "reuse": lambda project: project.settings(
        "reuse.yml", lambda file: file.update(looked_at=LOOKED[1:])
    ),
    "sponsor": maturing.CHANGES["sponsor"][1],
    "readiness": maturing.CHANGES["checked-by-ci"][1],
    "ethics": maturing.CHANGES["ethics"][1],
    "runbook": maturing.CHANGES["runbook"][1],
    "on-call": maturing.CHANGES["on-call"][1],
    "truth": maturing.CHANGES["truth"][1],
    "budget": maturing.CHANGES["infrastructure"][1],
    "retrospective": maturing.CHANGES["retrospective"][1],
}


def test_a_new_project_meets_no_criterion_and_explores_freely(trained):
    project = maturing.build(trained, 0)
    judged = criteria.judge_all(sources(project), "develop")
    assert [each.criterion.id for each in judged] == list(FAULTS)[:5]
    assert {each.state for each in judged} == {"open"}


@pytest.mark.parametrize("name", FAULTS)
def test_each_criterion_stops_the_decision(ready, name):
    FAULTS[name](ready)
    commit_all(ready.root, "A fault")
    with pytest.raises(GateError) as refused:
        decide.decide(sources(ready), Request("operate", "we agreed", "Ada"))
    (command,) = [each.command for each in criteria.OPERATE if each.id == name]
    assert re.search(rf"^  {name}: .*Next: {re.escape(command)}$", str(refused.value), re.MULTILINE)
    assert decisions(ready) == ()
    assert not (ready.root / "docs/decisions.md").exists()


def test_decisions_are_kept_with_the_criteria_as_they_were(ready):
    before = (ready.root / "conf/project.yml").read_text()
    decide.decide(sources(ready), Request("develop", "the sponsor\nagreed | twice", "Ada"))
    commit_all(ready.root, "First decision")
    decide.decide(sources(ready), Request("operate", "it holds", "Grace"))
    first, second = decisions(ready)
    assert (first.to, first.by, first.why) == ("develop", "Ada", "the sponsor agreed | twice")
    assert (first.date, second.commit) == (TODAY, sources(ready).commit)
    assert first.commit != second.commit
    assert first.criteria == dict.fromkeys(list(FAULTS)[:5], "met")
    assert second.criteria == dict.fromkeys(FAULTS, "met")
    lines = (ready.root / "docs/decisions.md").read_text().splitlines()
    assert lines[-2].startswith("| 2026-11-30 | **develop** | Ada | the sponsor agreed \\| twice |")
    assert lines[-1].endswith(f"| met: {', '.join(FAULTS)} |")
    after = (ready.root / "conf/project.yml").read_text()
    assert after == before.replace("stage: develop", "stage: operate")
    assert settings.load_project(ready.root / "conf").stage == "operate"


def test_a_person_goes_on_for_a_time_and_everybody_sees_it(ready, mlops):
    FAULTS["sponsor"](ready)
    day = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=30)
    words = ("stage", "develop", "--why", "the sponsor is on leave")
    code, _, said = mlops(ready.workspace, *words)
    assert code == 1 and "--despite CRITERION --until DATE --by NAME" in said
    exempt = ("--despite", "sponsor", "--until", str(day))
    assert "needs --by NAME" in mlops(ready.workspace, *words, *exempt)[2]
    code, printed, _ = mlops(ready.workspace, *words, *exempt, "--by", "Ada")
    sentence = f"despite `sponsor`, until {day} (Ada)"
    assert code == 0 and sentence in printed
    assert re.search(r"^  open +sponsor +conf/team.yml: no `sponsor`", printed, re.MULTILINE)
    assert sentence in (ready.root / "docs/decisions.md").read_text()
    for command in ("stage", "readiness", "maturity", "summary"):
        assert sentence in mlops(ready.workspace, command)[1], command
    assert mlops(ready.workspace, "report")[0] == 0
    page = (ready.root / "outputs/report.html").read_text()
    assert f"until {day} (Ada)" in page
    code, printed, _ = mlops(ready.workspace, "stage")
    assert "decided on" in printed and "by Ada: the sponsor is on leave" in printed


def test_people_may_write_around_the_table(ready):
    page = ready.root / "docs/decisions.md"
    page.write_text("# Ours\n\nWe tried trees.\n", encoding="utf-8")
    decide.decide(sources(ready), Request("develop", "one", "Ada\nof Lending"))
    page.write_text(page.read_text() + "\nA note.\n\n| a | b |\n|---|---|\n| c | d |\n")
    commit_all(ready.root, "A note")
    decide.decide(sources(ready), Request("operate", "two", "Ada"))
    before, _, after = page.read_text().partition(decide.TABLE)
    rows, _, note = after.partition("\n\n")
    assert before == "# Ours\n\nWe tried trees.\n\n"
    assert [row.split(" | ")[1:4] for row in rows.splitlines()] == [
        ["**develop**", "Ada of Lending", "one"],
        ["**operate**", "Ada", "two"],
    ]
    assert note == "A note.\n\n| a | b |\n|---|---|\n| c | d |\n"


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Request("develop", "x", " "), "--by: is empty"),
        (Request("develop", " ", "Ada"), "--why: is empty"),
        (Request("develop", "x", "Ada", ("sponsor",)), "--despite: needs --until"),
        (Request("develop", "x", "Ada", (), LATER), "--until: needs --despite"),
        (Request("develop", "x", "Ada", ("sponsor",), LATER), "--despite sponsor: is met"),
        (Request("develop", "x", "Ada", ("runbook",), LATER), "--despite runbook: is no criterion"),
        (Request("develop", "x", "Ada", ("sponsor",), TODAY.replace(year=2025)), "choose a date"),
    ],
)
def test_an_exemption_has_a_criterion_and_an_end(ready, request_, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        decide.decide(sources(ready), request_)
    assert decisions(ready) == ()


def test_to_stop_is_a_result_with_what_was_learnt(ready):
    FAULTS["sponsor"](ready)
    FAULTS["retrospective"](ready)
    with pytest.raises(GateError, match=r"retrospective: docs/retrospective.md section"):
        decide.decide(sources(ready), Request("stop", "no signal in the data", "Ada"))
    maturing.CHANGES["retrospective"][0](ready)
    decide.decide(sources(ready), Request("stop", "no signal in the data", "Ada"))
    assert settings.load_project(ready.root / "conf").stage == "develop"  # its gates stay
    assert settings.describe_stage(ready.root / "conf", "develop") == "develop, stopped"
    with pytest.raises(GateError, match=r"this project is stopped; only at `operate`"):
        delivery.require_operate(ready.root / "conf", TODAY)
    with pytest.raises(GateError, match="sponsor"):  # to start again asks again
        decide.decide(sources(ready), Request("develop", "new data", "Ada"))


def test_to_go_back_asks_for_nothing(ready):
    decide.decide(sources(ready), Request("operate", "it holds", "Ada"))
    FAULTS["sponsor"](ready)
    decision, _ = decide.decide(sources(ready), Request("develop", "too many alarms", "Ada"))
    assert decision.criteria["sponsor"] == "open"
    assert settings.load_project(ready.root / "conf").stage == "develop"
    with pytest.raises(GateError, match="this project is at `develop`"):
        delivery.require_operate(ready.root / "conf", TODAY)


def test_a_delivery_asks_for_a_decision_that_holds(ready, capsys):
    conf = ready.root / "conf"
    with pytest.raises(GateError, match=r"this project is at `develop`; only at `operate`"):
        delivery.require_operate(conf, TODAY)
    FAULTS["budget"](ready)
    commit_all(ready.root, "No budget yet")
    decide.decide(sources(ready), Request("operate", "it holds", "Ada", ("budget",), LATER))
    delivery.require_operate(conf, LATER)
    assert f"despite `budget`, until {LATER} (Ada)" in " ".join(capsys.readouterr().err.split())
    after = LATER + datetime.timedelta(days=1)
    with pytest.raises(GateError, match=rf"despite `budget`, expired on {LATER} \(Ada\): meet it"):
        delivery.require_operate(conf, after)
    assert "expired on" in settings.describe_stage(conf, "operate", after)
    ready.settings("project.yml", lambda file: file.update(stage="explore"))
    with pytest.raises(GateError, match=r"field `stage`: is `explore`, but .* says `operate`"):
        delivery.require_operate(conf, TODAY)


def test_a_project_of_before_delivers_with_a_note_until_its_first_decision(ready, capsys):
    conf = ready.root / "conf"
    (conf / "stage.yml").unlink()
    delivery.require_operate(conf, TODAY)
    said = " ".join(capsys.readouterr().err.split())
    assert "stage.yml does not exist" in said and "`uv run poe stage` shows the criteria" in said
    commit_all(ready.root, "As before")
    decide.decide(sources(ready), Request("operate", "it holds", "Ada"))
    delivery.require_operate(conf, TODAY)
    assert capsys.readouterr().err == ""


def test_without_a_cloud_this_machine_has_a_budget_and_a_reason_is_as_good_as_outcomes(ready):
    for name in ("dev", "staging", "prod"):
        (ready.root / "conf" / f"{name}.yml").unlink()
    ready.settings(
        "truth.yml", lambda file: file.update(labels="nowhere", why_none="nobody asks again")
    )
    found = {each.criterion.id: each for each in criteria.judge_all(sources(ready), "operate")}
    assert found["budget"].finding == ("yes", "conf/cost.yml, field `budget`: 20 a month")
    assert found["truth"].finding == ("yes", "conf/truth.yml: none, nobody asks again")
    (ready.root / "conf" / "truth.yml").write_text("days: many\n")
    (ready.root / "conf" / "cost.yml").unlink()
    judged = {each.criterion.id: each for each in criteria.judge_all(sources(ready), "operate")}
    assert (judged["truth"].state, judged["budget"].state) == ("unknown", "open")


def test_a_beginning_is_no_look_at_existing_work(ready):
    rendered = yaml.safe_load((maturing.CREDIT / "conf" / "reuse.yml").read_text())
    ready.settings("reuse.yml", lambda file: file.update(rendered))
    (judged,) = [
        each
        for each in criteria.judge_all(sources(ready), "develop")
        if each.criterion.id == "reuse"
    ]
    assert judged.finding.where == f"conf/reuse.yml: not looked at: {', '.join(KINDS)}"


def test_outcomes_without_an_id_reach_no_prediction(ready):
    def no_id(file):
        for column in file["columns"].values():
            if column.get("role") == "id":
                del column["role"]

    ready.settings("data.yml", no_id)
    found = {each.criterion.id: each for each in criteria.judge_all(sources(ready), "operate")}
    assert found["truth"].state == "open"
    assert "no column has the role `id`" in found["truth"].finding.where


def test_a_training_asks_for_no_stage(trained):
    """No pipeline needs a file of the criteria; the page that tells of decisions reads theirs."""
    for name in ("reuse.yml", "stage.yml", "team.yml", "truth.yml"):
        (trained.conf / name).unlink()
    assert pipelines.find_problems(trained.conf, pipelines.CHECKS.values()) == []
    (trained.conf / "stage.yml").write_text("decisions: {}\n")
    problems = pipelines.find_problems(trained.conf, pipelines.CHECKS.values())
    assert len(problems) == 1 and "stage.yml, field `decisions`" in problems[0]


@pytest.mark.parametrize("line", ["stage: 'develop'", 'stage:   "develop" # as decided'])
def test_only_the_word_of_the_stage_changes(ready, line):
    path = ready.root / "conf" / "project.yml"
    text = path.read_text().replace("stage: develop", line)
    path.write_text(text)
    commit_all(ready.root, "Quoted")
    decide.decide(sources(ready), Request("operate", "it holds", "Ada"))
    assert path.read_text() == re.sub(r"""["']?develop["']?""", "operate", text)


def test_a_stage_without_a_line_of_its_own_changes_nothing(ready):
    path = ready.root / "conf" / "project.yml"
    path.write_text(str(yaml.safe_load(path.read_text())))
    with pytest.raises(UsageError, match="field `stage`: needs a line of its own"):
        decide.decide(sources(ready), Request("develop", "agreed", "Ada"))
    assert decisions(ready) == ()
    assert not (ready.root / "docs/decisions.md").exists()
