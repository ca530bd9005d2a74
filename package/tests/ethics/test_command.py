"""`mlops ethics` on a run: its files, the checks that block at each stage, and signatures."""

import json
import re
import shutil
import subprocess
import sys
from datetime import date

import pandas as pd
import pytest
import yaml
from mlops_platform import cli, evidence
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.ethics import bundle, checks, evaluated_run, release
from mlops_platform.ethics.kinds import metric_check
from mlops_platform.ethics.measures import robustness
from mlops_platform.evidence.ethics import Ethics
from mlops_platform.tracking import binding

from package.tests import workspaces
from package.tests.workspaces import CREDIT

TODAY = date(2026, 11, 20)
SMALL = "where-groups-meet"  # 120 rows of test say nothing about pairs of groups
AUDIT = ("evidence", "sources", "made-again", "safe-files", "alarm", "way-back", "data-contract")
CONFTEST = """
from pathlib import Path
import pytest
from mlops_platform.data.contract import load_contract

@pytest.fixture
def contract():
    return load_contract(Path("conf/data.yml"), "classification")
"""
PROJECT = """
[project]
name = "credit-risk"
version = "0.1.0"
requires-python = ">=3.11"

[dependency-groups]
team = []
"""
IMPACT = "## {}\n\nWritten down by people who know what they talk about.\n\n"


@pytest.fixture(scope="session")
def _ready(_trained, tmp_path_factory):
    root = tmp_path_factory.mktemp("ready") / "project"
    shutil.copytree(_trained.root, root)
    made = workspaces.Workspace(root)
    page = made.conf / "ethics.yml"
    content = yaml.safe_load(page.read_text())
    for principle in content["principles"].values():
        principle["checks"] = [
            check
            for check in principle["checks"]
            if check["kind"] in ("document", "manual") or check["id"] in (*AUDIT, SMALL)
        ]
    page.write_text(yaml.safe_dump(content, sort_keys=False))
    made.change("gates.yml", drift={**_drift(made), "min_rows": 100})
    commit(made)
    made.pipeline()
    return made


@pytest.fixture
def ready(_ready, tmp_path, monkeypatch):
    """A run of 600 rows, of which all has no problems but what only people can do."""
    shutil.copytree(_ready.root, tmp_path / "ready")
    monkeypatch.chdir(tmp_path / "ready")
    return workspaces.Workspace(tmp_path / "ready")


def _drift(workspace):
    return yaml.safe_load((workspace.conf / "gates.yml").read_text())["drift"]


def commit(workspace):
    (workspace.root / ".gitignore").write_text("outputs/\n.mlops/\n__pycache__/\n")
    (workspace.root / "pyproject.toml").write_text(PROJECT)
    subprocess.run(["uv", "lock", "--quiet", "--offline"], cwd=workspace.root, check=True)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all", "--allow-empty"]):
        subprocess.run(["git", *command], cwd=workspace.root, check=True)


def fill_in(workspace):
    (workspace.root / "docs").mkdir(exist_ok=True)
    sections = "".join(
        IMPACT.format(name) for name in ("Purpose", "People", "Harms", "Limits", "Redress")
    )
    text = sections + f"Reviewed: {date.today()} by Ada Lovelace\n"
    (workspace.root / "docs" / "impact.md").write_text(text)
    sections = "".join(
        IMPACT.format(name) for name in ("Alarms", "First look", "Rollback", "People")
    )
    text = sections + f"Reviewed: {date.today()} by Ada Lovelace\n"
    (workspace.root / "docs" / "runbook.md").write_text(text)


def waive(workspace, check, until=date(2126, 1, 1)):
    page = workspace.conf / "ethics.yml"
    content = yaml.safe_load(page.read_text())
    reason = {"reason": "the workshop is in May", "owner": "Ada", "expires": until}
    content["waivers"] = [{"check": check, **reason}]
    page.write_text(yaml.safe_dump(content, sort_keys=False))


def sign(check, role, by="Ada Lovelace", answer="yes"):
    words = ["--role", role, "--by", by, "--answer", answer, "--why", "read it all"]
    cli.invoke(["ethics", "sign", check, *words])


def run_check(workspace, check_id):
    project, config = checks.load_settings(workspace.conf)
    run = evaluated_run.load(workspace.conf, workspace.root / "outputs", config, project)
    check = next(each for each in config.metrics if each.id == check_id)
    return metric_check.check_metric(run, check)


def written(workspace):
    return evidence.read(Ethics, workspace.root / "outputs" / "ethics" / "ethics.json")


def word(workspace, check_id):
    return next(each for each in written(workspace).checks if each.id == check_id).word


def test_while_a_project_explores_checks_report(ready, capsys):
    cli.invoke(["ethics"])
    found = written(ready)
    assert found.verdict == "passed"
    assert found.compliance is None
    assert not any(each.blocks for each in found.checks)
    assert {each.id: each.word for each in found.checks if each.id in AUDIT} == dict.fromkeys(
        AUDIT, "passed"
    )
    assert word(ready, "impact-statement") == "failed"
    printed = capsys.readouterr().out
    assert "failed (reported)" in printed
    assert "next: Write docs/impact.md." in printed
    assert "ethics" not in ready.registry.versions()[-1].tags
    cli.invoke(["promote"])


def test_the_result_is_json_too(ready, capsys):
    cli.invoke(["ethics", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["shape"] == "ethics/1"
    assert printed == json.loads((ready.root / "outputs/ethics/ethics.json").read_text())


def test_stages_decide_what_stops_and_promote_asks(ready):
    ready.change("project.yml", stage="develop")
    with pytest.raises(GateError, match=r"ethics checks of version .*: not run"):
        cli.invoke(["promote"])
    commit(ready)
    ready.pipeline()
    cli.invoke(["ethics"])  # documents and signatures do not stop at this stage
    newest = ready.registry.versions()[-1]
    assert (newest.tags["ethics"], newest.tags["ethics_stage"]) == ("passed", "develop")
    assert newest.tags["ethics_evidence"] == written(ready).evidence
    bundle.verify(ready.root / "outputs" / "ethics" / "bundle.zip", newest.tags["ethics_bundle"])

    ready.change("project.yml", stage="operate")
    with pytest.raises(GateError, match="passed at stage develop, but stage operate has more"):
        cli.invoke(["promote"])
    with pytest.raises(GateError) as stop:
        cli.invoke(["ethics"])
    assert "impact-statement: docs/impact.md does not exist. Write docs/impact.md." in str(
        stop.value
    )
    assert ready.registry.get(newest.number).tags["ethics"] == "failed"
    with pytest.raises(GateError, match=r"ethics checks of version .*: failed"):
        cli.invoke(["promote"])
    fill_in(ready)
    with pytest.raises(GateError, match="1 of"):
        cli.invoke(["ethics"])
    sign("expert-review", "domain expert")
    cli.invoke(["ethics"])
    cli.invoke(["promote"])
    assert ready.roles()[newest.number] == "champion"


def test_data_stops_from_develop_on(ready):
    ready.change("project.yml", stage="develop")
    path = ready.data / "test.parquet"
    rows = pd.read_parquet(path)
    rows.loc[rows["outcome"] == "repaid", "outcome"] = "defaulted"
    rows.to_parquet(path, index=False)
    with pytest.raises(GateError, match=r"evidence: 1 \(test.parquet\)"):
        cli.invoke(["ethics"])


def test_a_regulated_version_needs_two_people_and_every_check(ready, capsys):
    ready.change("project.yml", stage="operate", regulated=True)
    fill_in(ready)
    with pytest.raises(GateError, match="3 of"):
        cli.invoke(["ethics"])
    version = ready.registry.versions()[-1]
    assert version.tags["compliance"] == "not validated"
    sign("expert-review", "domain expert")
    sign("signature-risk-officer", "risk officer")
    sign("signature-product-owner", "product owner")
    with pytest.raises(GateError, match="signed for both roles"):
        cli.invoke(["ethics"])
    sign("signature-product-owner", "product owner", by="Grace Hopper")
    cli.invoke(["ethics"])
    [small] = [check for check in written(ready).checks if check.id == SMALL]
    assert small.word == "insufficient evidence"
    with pytest.raises(GateError, match="every check must pass or be waived"):
        cli.invoke(["promote"])

    waive(ready, SMALL)
    with pytest.raises(GateError, match="the evidence has changed since"):
        cli.invoke(["ethics"])  # the waiver is new since the signatures
    sign("expert-review", "domain expert")
    sign("signature-risk-officer", "risk officer")
    sign("signature-product-owner", "product owner", by="Bo")
    cli.invoke(["ethics"])
    assert "checks pass, 1 of them by a waiver; stage" in capsys.readouterr().out
    version = ready.registry.get(version.number)
    assert version.tags["compliance"] == "validated"
    release.require_passed(ready.conf, version, delivery=True)
    cli.invoke(["promote"])


def test_delivery_asks_for_compliance_at_every_stage(ready):
    ready.change("project.yml", regulated=True)
    version = ready.registry.versions()[-1]
    release.require_passed(ready.conf, version)
    with pytest.raises(GateError, match="is not validated"):
        release.require_passed(ready.conf, version, delivery=True)


def test_a_signature_lapses_when_the_evidence_changes(ready):
    cli.invoke(["ethics"])
    sign("expert-review", "domain expert")
    cli.invoke(["ethics"])
    assert word(ready, "expert-review") == "passed"
    path = ready.step("evaluate") / "evidence" / "evaluation.json"
    text = json.loads(path.read_text())
    text["robustness"][0]["worse_by"] = -1.0
    path.write_text(json.dumps(text))
    with pytest.raises(UsageError, match="the evidence changed"):
        sign("expert-review", "domain expert")
    cli.invoke(["ethics"])
    [review] = [each for each in written(ready).checks if each.id == "expert-review"]
    assert review.word == "failed"
    assert "the evidence has changed since" in review.message
    assert "sign again" in review.next


def test_a_signature_lapses_when_a_page_is_rewritten(ready):
    fill_in(ready)
    cli.invoke(["ethics"])
    sign("expert-review", "domain expert")
    cli.invoke(["ethics"])
    assert word(ready, "expert-review") == "passed"
    page = ready.root / "docs" / "impact.md"
    page.write_text(page.read_text().replace("who know what", "who guess what"))
    cli.invoke(["ethics"])
    assert word(ready, "expert-review") == "failed"


def test_a_signature_lapses_when_a_limit_is_loosened(ready):
    cli.invoke(["ethics"])
    sign("expert-review", "domain expert")
    page = ready.conf / "ethics.yml"
    content = yaml.safe_load(page.read_text())
    [check] = content["principles"]["privacy and security"]["checks"]
    check["max"] = 5
    page.write_text(yaml.safe_dump(content))
    cli.invoke(["ethics"])
    assert word(ready, "expert-review") == "failed"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing", "domain expert", "Ada", "yes"], "is not a check that needs a signature"),
        (["expert-review", "intern", "Ada", "yes"], "is signed by the domain expert"),
        (["expert-review", "domain expert", "A", "yes"], "--by, --answer and --why, field `by`"),
        (["expert-review", "domain expert", "Ada", "maybe"], "field `answer`"),
    ],
)
def test_who_signs_what_and_how_is_checked(ready, words, message):
    with pytest.raises(UsageError, match="you sign its results"):
        sign("expert-review", "domain expert")
    cli.invoke(["ethics"])
    with pytest.raises(UsageError) as error:
        sign(*words)
    assert message in str(error.value)
    assert not (ready.conf / "signatures.yml").exists()


def test_a_waiver_holds_until_its_day(ready):
    waive(ready, "impact-statement", TODAY)
    ready.change("project.yml", stage="operate")

    def result(today):
        found = checks.run_all(ready.conf, ready.root / "outputs", today)
        return next(each for each in found.checks if each.id == "impact-statement")

    good = result(TODAY)
    assert (good.word, good.blocking, good.waived.owner) == ("failed", False, "Ada")
    late = result(date(2026, 11, 21))
    assert (late.blocking, late.waived) == (True, None)
    assert "The waiver expired on 2026-11-20: Ada must renew it in conf/ethics.yml" in late.next


def test_a_registry_that_cannot_be_reached_stops(ready, monkeypatch):
    ready.change("project.yml", stage="develop")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{ready.root / 'gone' / 'mlflow.db'}")
    with pytest.raises(UsageError, match="gone"):
        cli.invoke(["ethics"])
    with pytest.raises(UsageError, match="gone"):
        cli.invoke(["promote"])


def test_without_a_run_there_is_nothing_to_check(workspace, monkeypatch):
    monkeypatch.chdir(workspace.root)
    with pytest.raises(UsageError, match="Run `uv run poe pipeline` first"):
        cli.invoke(["ethics"])


def test_changes_of_the_run_are_detected(ready):
    (ready.root / "untracked.txt").write_text("work that nobody committed")
    path = ready.step("evaluate") / "evidence" / "evaluation.json"
    made = json.loads(path.read_text())
    made["measures"][0]["value"] += 0.1
    path.write_text(json.dumps(made))
    assert "roc_auc of the run" in run_check(ready, "evidence").message
    (ready.step("train") / "model" / "weights.bin").write_bytes(b"\x80")
    found = run_check(ready, "safe-files")
    assert found.verdict == "failed"
    assert "weights.bin: is not a file of a saved model" in found.message
    validation = ready.step("validate") / "evidence" / "validation.json"
    seen = json.loads(validation.read_text())
    finding = {"column": "income", "rule": "at least 0", "rows": 3, "message": "x"}
    validation.write_text(json.dumps({**seen, "findings": [finding]}))
    assert "income (at least 0)" in run_check(ready, "data-contract").message
    ready.change("train.yml", parameters={"n_estimators": 16, "max_depth": 2})
    assert run_check(ready, "made-again").verdict == "failed"
    drift = {"psi": 50, "distance": 0.99, "p_value": 1e-9, "missing": 0.9, "min_rows": 100}
    ready.change("gates.yml", drift=drift)
    assert run_check(ready, "alarm").verdict == "failed"


def test_robustness_has_one_figure_in_the_report(ready):
    project, config = checks.load_settings(ready.conf)
    run = evaluated_run.load(ready.conf, ready.root / "outputs", config, project)
    by_name = {measure.name: measure for measure in robustness.MEASURES}
    measured = [
        by_name[name].compute(run, None).value
        for name in ("loss_under_noise", "loss_under_missing")
    ]
    assert measured == [each.worse_by for each in run.evaluation.robustness]


def test_uncommitted_changes_are_detected(trained, monkeypatch):
    monkeypatch.chdir(trained.root)
    found = run_check(trained, "sources")
    assert found.verdict == "failed"
    assert "git_commit" in found.message
    assert "Commit all changes" in found.next_step


def test_a_rehearsal_is_of_versions_that_are_bound_to_their_model(ready, capsys):
    binding.say_unbound.cache_clear()
    assert run_check(ready, "way-back").verdict == "passed"
    assert "earlier release" not in capsys.readouterr().err


def test_a_rollback_that_does_not_work_is_detected(ready, monkeypatch):
    from mlops_platform.tracking.registry import Registry  # noqa: PLC0415

    before = {path.name for path in ready.root.iterdir()}
    versions = ready.registry.versions()
    monkeypatch.setattr(Registry, "rollback", lambda *_: None)
    found = run_check(ready, "way-back")
    assert found.verdict == "failed"
    assert "template-check" in found.next_step
    assert ready.registry.versions() == versions  # a rehearsal leaves no trace
    assert {path.name for path in ready.root.iterdir()} == before


def test_a_check_of_ones_own_is_one_entry_and_one_test(ready):
    """As docs/ethics.md says it: its entry, and its test, word by word."""
    section = (CREDIT / "docs" / "ethics.md").read_text().partition("## A check of your own")[2]
    [entry], [function] = (
        re.findall(f"```{language}\n(.*?)```", section, re.DOTALL)
        for language in ("yaml", "python")
    )
    page, tests = ready.conf / "ethics.yml", ready.root / "tests"
    content = yaml.safe_load(page.read_text())
    content["principles"]["fairness"]["checks"] += yaml.safe_load(entry)
    page.write_text(yaml.safe_dump(content, sort_keys=False))
    tests.mkdir()
    (tests / "conftest.py").write_text(CONFTEST)
    own = tests / "test_ethics.py"
    own.write_text(function)
    cli.invoke(["ethics"])
    assert word(ready, "nobody-is-asked-for-their-name") == "passed"
    own.write_text(function.replace('"name"', '"income"'))
    ready.change("project.yml", stage="develop")
    with pytest.raises(GateError, match=r"nobody-is-asked.*test_no_feature_is_a_name failed"):
        cli.invoke(["ethics"])
    shutil.rmtree(tests)
    with pytest.raises(GateError, match=r"Restore tests/test_ethics.py from git"):
        cli.invoke(["ethics"])


def test_help_names_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "mlops_platform", "ethics", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(next(p for p in sys.path if p.endswith("credit-risk/src")))},
    )
    assert "sign" in done.stdout
