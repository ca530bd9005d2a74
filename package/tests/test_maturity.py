"""Readiness and maturity: five projects at levels 0 to 4, and each fact that is taken away."""

import datetime
import json
import shutil
import subprocess

import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.maturity import levels, measure, signed
from mlops_platform.maturity.facts import DIMENSIONS, FACTS, HIGHEST
from mlops_platform.maturity.sources import Sources

from package.tests import maturing
from package.tests.maturing import CHANGES, LATER, TODAY
from package.tests.workspaces import Workspace
from tests.rendering import commit_all


@pytest.fixture(scope="module")
def _mature(_trained, tmp_path_factory):
    root = tmp_path_factory.mktemp("mature") / "project"
    shutil.copytree(_trained.root, root)
    return maturing.build(Workspace(root), HIGHEST)


@pytest.fixture
def mature(_mature, tmp_path):
    """A project with every fact."""
    return maturing.Growing(Workspace(shutil.copytree(_mature.root, tmp_path / "project")))


def look(project, **known):
    """What is found of a project; `known` spares questions to the registry."""
    sources = Sources(project.root, TODAY)
    vars(sources).update(known)
    return measure.measure(sources)


@pytest.mark.parametrize("level", range(HIGHEST + 1))
def test_a_project_is_at_the_level_of_its_facts(trained, level):
    project = maturing.build(trained, level)
    found = look(project)
    wrong = [
        (each.fact.id, each.finding)
        for each in found
        if (each.verdict == "yes") != (each.fact.level <= level)
    ]
    assert wrong == []
    assert levels.of(found).levels == dict.fromkeys(DIMENSIONS, level)
    assert levels.of(found).overall == level


def test_each_fact_that_goes_lowers_the_level_and_names_the_command(mature):
    versions = Sources(mature.root, TODAY).versions
    for fact in FACTS:
        make, unmake = CHANGES[fact.id]
        unmake(mature)
        if fact.id != "committed":
            commit_all(mature.root, f"Without {fact.id}")
        known = {} if fact.kind == "registry" else {"versions": versions}
        found = look(mature, **known)
        reached = levels.of(found)
        assert reached.levels[fact.dimension] == fact.level - 1, fact.id
        assert reached.overall <= fact.level - 1
        (lacking,) = [each for each in levels.missing(found, reached) if each.fact == fact]
        assert lacking.plain()["command"] == fact.command
        make(mature)
        commit_all(mature.root, f"With {fact.id}")
    assert levels.of(look(mature)).overall == HIGHEST


def test_the_table_is_whole():
    assert len({fact.id for fact in FACTS}) == len(FACTS) >= 30
    for dimension in DIMENSIONS:
        assert {fact.level for fact in FACTS if fact.dimension == dimension} == {1, 2, 3, 4}
    assert all(fact.asks.endswith("?") and fact.command for fact in FACTS)
    assert all((fact.measure is None) == (fact.kind == "signed") for fact in FACTS)


def test_a_signature_ends_and_does_not_replace_a_measure(mature):
    yesterday = TODAY - datetime.timedelta(days=1)
    mature.unsign("reviews")
    mature.sign("reviews", yesterday)
    CHANGES["sponsor"][1](mature)
    mature.sign("sponsor", LATER)
    found = {each.fact.id: each for each in look(mature, versions=[])}
    assert found["reviews"].verdict == "no" and "which is over" in found["reviews"].finding.where
    assert found["sponsor"].verdict == "no"
    assert found["ci-passed"].verdict == "yes"
    mature.unsign("ci-passed")
    again = {each.fact.id: each for each in look(mature, versions=[])}["ci-passed"]
    assert again.verdict == "unknown" and "--sign ci-passed" in again.fact.command


def test_what_cannot_be_read_is_unknown_and_not_yes(trained):
    project = maturing.build(trained, 1)
    project.write("conf/team.yml", "roles: 3\n")
    (project.root / ".mlops" / "mlflow.db").unlink()
    found = {each.fact.id: each for each in look(project)}
    assert found["roles"].verdict == "unknown" and "team.yml" in found["roles"].finding.where
    assert found["champion"].verdict == "unknown"
    assert "MLFLOW_TRACKING_URI" in found["champion"].finding.where
    assert not (project.root / ".mlops" / "mlflow.db").exists()  # asking makes no store
    assert levels.of(list(found.values())).levels["people"] == 0


def test_a_part_of_the_history_says_nothing_of_the_authors(trained, tmp_path):
    project = maturing.build(trained, 1)
    clone = tmp_path / "clone"
    source = project.root.as_uri()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", source, str(clone)], check=True)
    found = {each.fact.id: each for each in measure.measure_folder(clone, TODAY)}
    assert found["authors"].verdict == "unknown"
    assert "second@" not in json.dumps([each.plain() for each in found.values()])


def test_people_are_counted_and_not_named(mature, mlops):
    code, printed, _ = mlops(mature.workspace, "readiness", "--json")
    assert code == 0
    facts = json.loads(printed)
    assert len(facts) == len(FACTS)
    people = [each for each in facts if each["dimension"] == "people"]
    assert not [each for each in people if "Ada" in each["where"] or "@" in each["where"]]
    assert mature.root.joinpath("conf", "maturity.yml").read_text().count("by: Ada") == 5


def test_the_readme_shows_the_level_of_the_last_measurement(trained, mlops):
    project = maturing.build(trained, 0)
    readme = project.root / "README.md"
    lines = ["# Credit Risk", "", f"Maturity level: not measured yet. {levels.MARK}", "", "Ours."]
    project.write("README.md", "\n".join(lines) + "\n")
    code, printed, said = mlops(trained, "maturity")
    assert code == 0 and "Maturity level 0 of 4" in printed
    assert said == "README.md shows the level"
    written = readme.read_text().splitlines()
    assert written[2].startswith("Maturity level 0 of 4, no MLOps: people 0")
    assert written[2].endswith(levels.MARK)
    assert written[:2] + written[3:] == lines[:2] + lines[3:]
    before = readme.read_bytes()
    code, printed, _ = mlops(trained, "maturity", "--json")
    assert (code, json.loads(printed)["level"]) == (0, 0)
    assert readme.read_bytes() == before
    project.write("README.md", "# Ours\n")
    _, _, said = mlops(trained, "maturity")
    assert "has no line with" in said and readme.read_text() == "# Ours\n"


def test_a_person_signs_what_nothing_measures(trained, mlops):
    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=90)
    words = ("readiness", "--sign", "reviews", "--role", "owner", "--by", "Ada")
    code, printed, _ = mlops(trained, *words, "--why", "looked", "--until", str(until))
    assert (code, printed.strip()) == (
        0,
        f"Ada signed reviews until {until}; commit conf/maturity.yml",
    )
    assert [each.fact for each in signed.load(trained.conf)] == ["reviews"]
    for wrong, says in (
        (("readiness", "--by", "Ada"), "need --sign FACT"),
        (("stage", "--why", "we agreed"), "to decide, say where"),
        ((*words, "--why", "looked"), "needs --until"),
        ((*words, "--until", str(until)), "field `why`"),
        ((*words, "--why", "looked", "--until", "2020-01-01"), "choose a date from"),
        (("readiness", "--sign", "sponsor"), "--sign sponsor: is measured, and no: conf/team.yml"),
        (("readiness", "--sign", "nothing"), "--sign nothing: is no fact. A person can sign"),
    ):
        code, _, said = mlops(trained, *wrong)
        assert code == 2 and says in said
    assert len(signed.load(trained.conf)) == 1


def test_what_another_machine_has_is_vouched_for_and_never_what_is_measured(trained, mlops):
    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=90)
    words = ("--role", "owner", "--by", "Ada", "--why", "looked", "--until", str(until))
    assert mlops(trained, "readiness", "--sign", "tracked", *words)[0] == 2
    store = trained.root / ".mlops" / "mlflow.db"
    store.rename(store.with_suffix(".away"))  # the registry is in Azure
    assert mlops(trained, "readiness", "--sign", "tracked", *words)[0] == 0
    found = {each.fact.id: each for each in measure.measure_folder(trained.root, TODAY)}
    assert (
        found["tracked"].verdict == "yes" and "signed by the owner" in found["tracked"].finding[1]
    )
    store.with_suffix(".away").rename(store)
    found = {each.fact.id: each for each in measure.measure_folder(trained.root, TODAY)}
    assert found["tracked"].verdict == "no"  # what is measured counts
    (trained.conf / "project.yml").write_text("name: 3\n")
    found = {each.fact.id: each for each in measure.measure_folder(trained.root, TODAY)}
    assert found["tracked"].verdict == "unknown"  # a wrong file is no reason to believe


def test_a_term_is_a_year_at_most():
    signed.require_term(TODAY, TODAY)
    with pytest.raises(UsageError, match="choose a date from 2026-11-30 to 2027-12-01"):
        signed.require_term(TODAY + datetime.timedelta(days=367), TODAY)


def test_without_git_there_is_no_commit_and_a_broken_repository_says_nothing(trained, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(trained.root.parent))
    assert Sources(trained.root, TODAY).commit == ""
    found = {each.fact.id: each for each in measure.measure_folder(trained.root, TODAY)}
    assert found["authors"].verdict == found["committed"].verdict == "no"
    commit_all(trained.root, "Start")
    (trained.root / ".git" / "config").write_text("[core\n")
    found = {each.fact.id: each for each in measure.measure_folder(trained.root, TODAY)}
    assert found["authors"].verdict == found["committed"].verdict == "unknown"
    (trained.root / "data" / "README.md").write_bytes(b"\xff\xfe")
    card = {each.fact.id: each for each in measure.measure_folder(trained.root, TODAY)}["data-card"]
    assert card.verdict == "unknown" and "cannot be read as UTF-8 text" in card.finding.where
