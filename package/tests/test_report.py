"""The report shows the evidence, also if it is incomplete or contains HTML."""

import html
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from mlops_platform import cli, evidence, settings
from mlops_platform.core.errors import UsageError
from mlops_platform.ethics import config as ethics_config
from mlops_platform.ethics import evaluated_run
from mlops_platform.pipelines.outputs import require_latest
from mlops_platform.report import build, card, collect
from mlops_platform.report.collect import Run
from mlops_platform.tracking.roles import Version

from package.tests.workspaces import CREDIT
from tests import planted

PROJECT = settings.Project(**planted.PROJECT)


class Page(HTMLParser):
    """A parsed page: its text, its gates with their verdicts, its plots."""

    def __init__(self, run: Run, **project: Any) -> None:
        super().__init__()
        self.source = build.render(PROJECT.model_copy(update=project), run)
        self.pieces: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.unlabelled: list[str] = []
        self.hidden = False
        self.feed(self.source)
        self.text = re.sub(r"\s+", " ", " ".join(self.pieces))
        found = re.findall(
            r'<span class="badge [a-z]+">([^<]*)</span></span>\s*<div><strong>([^<]*)<', self.source
        )
        self.gates = {html.unescape(gate): word for word, gate in found}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the tag and its attributes."""
        given = dict(attrs)
        self.tags.append(tag)
        self.hidden = tag == "style"
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "svg" and not (given.get("aria-label") or given.get("aria-hidden")):
            self.unlabelled.append(tag)

    def handle_data(self, data: str) -> None:
        """Record the text."""
        if not self.hidden:
            self.pieces.append(data)


# ---------------------------------------------------------------- contents


def test_a_run_that_made_a_challenger():
    page = Page(planted.run())
    assert "Version 4: registered as challenger" in page.text
    assert "better than the champion by 0.0500 (0.0200 to 0.0800)" in page.text
    for fact in ("credit-risk", "Predicts which loans default", "lending", "r" * 12, "e" * 12):
        assert fact in page.text
    assert "and uncommitted changes" in page.text
    assert "2026-11-01 10:00:00 UTC" in page.text
    assert page.gates == {
        "data contract": "passed",
        "better than a constant": "passed",
        "quality: roc_auc": "passed",
        "guardrail: model size": "passed",
        "champion and challenger": "passed",
    }


def test_a_version_that_was_there_already_has_the_role_that_it_has():
    known = planted.run().registration.model_copy(update={"role": "rolled_back", "new": False})
    assert "Version 4: rolled back" in Page(planted.run(registration=known)).text


def standing(role: str, **tags: str) -> Version:
    """Version 4 with another role than when it was registered."""
    since = {"role_since": "2026-11-02T08:30:00.000000+00:00"}
    return Version("4", "r" * 32, {"role": role, "role_by": "ann", **since, **tags})


def test_a_promoted_version_is_champion_and_says_since_when_and_why():
    page = Page(planted.run(version=standing("champion", role_why="approved in review 12")))
    assert "Version 4: champion" in page.text
    assert "champion since 2026-11-02 08:30 UTC: approved in review 12, by ann" in page.text
    assert "registered as challenger: better than the champion by 0.0500" in page.text
    assert "registered as challenger" not in page.text.partition("champion since")[0]


def test_a_version_that_was_rolled_back_is_bad_news():
    page = Page(planted.run(version=standing("rolled_back", role_why="complaints")))
    assert "Version 4: rolled back" in page.text
    assert 'class="card verdict bad"' in page.source


def test_the_models_load_time_stands_once_as_it_was_compared():
    footprint = evidence.Footprint(size_mb=2, load_seconds=0.37, memory_mb=9, packages=[])
    compared = planted.run().comparison.model_copy(update={"footprints": [footprint]})
    assert Page(planted.run(comparison=compared)).text.count("loads in 0.37 s") == 1
    assert (
        "loads in" not in Page(planted.run()).text
    )  # evidence of a release that noted it elsewhere


def test_a_failed_gate_is_failed_and_one_that_only_reports_is_reported():
    measured = planted.run().evaluation.model_copy(
        update={
            "verdicts": [
                planted.verdict("quality: brier", passed=False),
                planted.verdict("quality: f1", passed=False, blocks=False),
            ]
        }
    )
    page = Page(planted.run(evaluation=measured))
    assert page.gates["quality: brier"] == "failed"
    assert page.gates["quality: f1"] == "reported"


def test_a_rejected_model_says_why():
    compared = planted.run().comparison.model_copy(
        update={"decision": "rejected", "reason": "worse than the champion by 0.0300"}
    )
    registered = planted.run().registration.model_copy(
        update={"role": "rejected", "reason": compared.reason}
    )
    page = Page(planted.run(comparison=compared, registration=registered))
    assert "Version 4: rejected" in page.text
    assert page.gates["champion and challenger"] == "failed"
    assert "worse than the champion by 0.0300" in page.text


def test_metrics_stand_beside_champion_and_constant():
    text = Page(planted.run()).text
    assert "0.8000 0.7500 to 0.8500" in text
    assert "0.7500 0.5000" in text, "the champion's and the constant's"
    assert "0.5000 none" in text, "a metric without a baseline"
    assert "The champion is version 3." in text


def test_the_first_model_has_no_champion_to_compare_with():
    compared = planted.run().comparison.model_copy(
        update={
            "champion": None,
            "champion_value": None,
            "champion_measures": {},
            "difference": None,
            "low": None,
            "high": None,
        }
    )
    page = Page(planted.run(comparison=compared))
    assert "There is no champion to compare with." in page.text
    assert "Gain over the champion" not in page.text


def test_a_run_that_was_not_compared_does_not_speak_of_champions():
    page = Page(planted.run(comparison=None))
    assert "Not compared with a champion: the run stopped earlier." in page.text
    assert "There is no champion" not in page.text


def test_small_groups_are_named():
    text = Page(planted.run()).text
    assert "age old (12 rows)" in text
    assert "age: young (400)" in text


def test_classification_and_regression_have_their_own_plots():
    classes, numbers = Page(planted.run()), Page(planted.run(regression=True))
    assert "Calibration" in classes.text
    assert "true minus predicted" not in classes.text
    assert "Calibration" not in numbers.text
    assert "true minus predicted" in numbers.text


def test_each_class_of_many_has_a_place():
    labels = ["a", "b", "c"]
    measured = planted.run().evaluation.model_copy(
        update={
            "labels": labels,
            "confusion": [[5, 1, 0], [0, 5, 1], [0, 0, 0]],
            "calibration": [
                evidence.CalibrationBin(label=label, predicted=0.5, observed=0.5, rows=6)
                for label in labels
            ],
        }
    )
    text = Page(planted.run(evaluation=measured)).text
    assert "83%" in text
    assert "0%" in text, "a class that the test set lacks"


# ---------------------------------------------------------------- drift


def test_without_a_monitor_it_names_the_command():
    assert "Not monitored yet: uv run poe monitor" in Page(planted.run()).text


def test_drift_shows_each_column_and_plots_of_drifted_ones():
    page = Page(planted.run(drift=planted.drift_report(unknown_columns=["clerk"])))
    assert "1 of 2 columns drifted: income" in page.text
    assert "PSI 0.500, at most 0.2" in page.text
    assert page.text.count("in training and current data") == 1, "one plot, for the drifted column"
    assert "not in the contract: clerk" in page.text


def test_too_few_rows_are_not_called_stable():
    report = planted.drift_report(verdict="insufficient evidence", columns=[], message="9 rows")
    text = Page(planted.run(drift=report)).text
    assert "insufficient evidence" in text
    assert "stable" not in text


def test_the_monitor_alone_makes_a_page():
    page = Page(Run(drift=planted.drift_report()))
    assert "Not trained here" in page.text
    assert "not reached" in page.text
    assert "1 of 2 columns drifted" in page.text


# ---------------------------------------------------------------- runs that stopped

LATER = ("validation", "split", "training", "evaluation", "comparison", "registration")


def stopped_after(name: str, **changes: Any) -> Page:
    gone = dict.fromkeys(LATER[LATER.index(name) + 1 :])
    return Page(planted.run(**{**gone, **changes}))


def test_stopped_by_the_data_contract():
    broken = evidence.Validation(
        rows=3000,
        data_hash="d" * 64,
        findings=[
            evidence.Finding(column="income", rule="at least 0", rows=3, message="3 rows break it")
        ],
    )
    page = stopped_after("validation", validation=broken)
    assert "Stopped at validate" in page.text
    assert "income: 3 rows break it" in page.text
    assert page.gates == {"data contract": "failed"}
    assert page.text.count("not reached") == 5


def test_stopped_at_training():
    made = planted.run().training.model_copy(
        update={"outcome": "no_better_than_baseline", "value": 0.49}
    )
    page = stopped_after("training", training=made)
    assert "Stopped at train" in page.text
    assert "roc_auc is 0.4900, a constant baseline has 0.5000" in page.text
    assert page.gates["better than a constant"] == "failed"


def test_stopped_by_a_quality_gate():
    measured = planted.run().evaluation.model_copy(
        update={"verdicts": [planted.verdict("quality: brier", passed=False)]}
    )
    page = stopped_after("evaluation", evaluation=measured)
    assert "Stopped at evaluate" in page.text
    assert "quality: brier!" in page.text
    assert "Feature importance" in page.text, "measurements are shown, although the run stopped"


@pytest.mark.parametrize(
    ("last", "stopped"), [("split", "train"), ("training", "evaluate"), ("comparison", "register")]
)
def test_stopped_by_an_error(last, stopped):
    page = stopped_after(last)
    assert f"Stopped at {stopped}" in page.text
    assert "it failed or was interrupted" in page.text


# ---------------------------------------------------------------- the page itself


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("gone", LATER)
def test_evidence_that_somebody_deleted_is_where_the_run_stopped(gone):
    [step] = [step for step, name in collect.STEPS.items() if name == gone]
    assert f"Stopped at {step}" in Page(planted.run(**{gone: None})).text


def test_hostile_text_is_text():
    attack = '<script>alert(1)</script><img src=x onerror=alert(2)> & "quotes" `<b>`'
    measured = planted.run().evaluation.model_copy(
        update={
            "labels": ["$\\frac{", "</svg><script>"],
            "importance": [evidence.Importance(feature=attack, mean=0.1, std=0.0)],
        }
    )
    compared = planted.run().comparison.model_copy(update={"reason": attack, "metric": attack})
    page = Page(
        planted.run(evaluation=measured, comparison=compared), description=attack, team=attack
    )
    assert page.tags.count("script") == 0
    assert page.tags.count("img") == 0
    assert page.tags.count("b") == 0
    assert page.text.count("alert(1)") >= 3, "shown, not dropped"


def test_the_same_evidence_gives_the_same_bytes():
    run = planted.run(drift=planted.drift_report())
    assert build.render(PROJECT, run) == build.render(PROJECT, run)


def test_nothing_is_fetched_and_every_plot_has_a_label():
    page = Page(planted.run(drift=planted.drift_report()))
    links = re.findall(r'(?:src|href|xlink:href)="([^"]*)"', page.source)
    assert links, "the page's own marks"
    assert all(link.startswith(("#", "data:,")) for link in links)
    assert "url(http" not in page.source
    assert "@import" not in page.source
    assert page.unlabelled == []
    assert page.source.count("<figcaption>") == page.source.count("<figure>") == 6


def test_plots_share_a_page_without_sharing_names():
    page = Page(planted.run(drift=planted.drift_report()))
    assert len(page.ids) == len(set(page.ids))
    marks = set(re.findall(r'xlink:href="#([^"]*)"|url\(#([^)]*)\)', page.source))
    assert {first or second for first, second in marks} <= set(page.ids), "no dangling mark"


def test_plots_take_their_colours_from_the_page():
    """A colour that is drawn in would be black on black in one of the two schemes."""
    page = build.render(PROJECT, planted.run(drift=planted.drift_report()))
    body = page[page.index("</style>") :]
    assert re.findall(r"#[0-9a-f]{6}\b", body) == []
    assert "var(--accent)" in body


# ---------------------------------------------------------------- the commands


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    conf = tmp_path / "conf"
    shutil.copytree(CREDIT / "conf", conf)
    (conf / "project.yml").write_text(PROJECT.model_dump_json(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lay_out(run: Run, root: Path) -> dict[str, Path]:
    """Write evidence where the pipelines write it."""
    folders = {step: root / f"outputs/train/run-1/{step}/evidence" for step in collect.STEPS}
    folders["prepare"] = root / "outputs/train/run-1/prepare/data"
    folders["drift"] = root / "outputs/monitor/run-1/drift/evidence"
    for step, name in {**collect.STEPS, "drift": "drift"}.items():
        found = getattr(run, name)
        if found is not None:
            evidence.write(found, folders[step] / f"{name}.json")
    (root / "outputs/train/latest.txt").write_text("run-1\n")
    return folders


def test_report_gathers_outputs_and_prints_its_path(project, capsys):
    note = "The role is that of the registration: there is no registry here."
    run = planted.run(drift=planted.drift_report(), note=note)
    lay_out(run, project)
    cli.invoke(["report"])
    assert capsys.readouterr().out.strip() == str(Path("outputs/report.html"))
    model_card = card.build_card(project / "conf", run)
    assert (project / "outputs/report.html").read_text("utf-8") == build.render(
        PROJECT, run, model_card
    )
    assert (project / "outputs/model_card.md").read_text("utf-8") == model_card.markdown()
    assert note in (project / "outputs/report.html").read_text("utf-8")
    assert not (project / ".mlops").exists()  # to look for a registry makes none


def headline(path: Path) -> str:
    return re.search("<strong>(.*?)</strong>", path.read_text("utf-8")).group(1)


def test_the_report_is_true_after_promote_and_rollback(trained, monkeypatch):
    monkeypatch.chdir(trained.root)
    trained.pipeline(until="report")
    cli.invoke(["report"])
    pages = [
        trained.step("report") / "report" / "report.html",
        trained.root / "outputs/report.html",
    ]
    assert [headline(page) for page in pages] == ["Version 1: challenger"] * 2
    cli.invoke(["promote", "--why", "approved"])
    assert [headline(page) for page in pages] == ["Version 1: champion"] * 2
    assert "approved, by" in pages[1].read_text("utf-8")
    assert "1, champion" in pages[1].with_name("model_card.md").read_text("utf-8")
    first, second = trained.registry.get("1"), trained.fit("second")
    trained.crown(second)
    cli.invoke(["report"])
    assert headline(pages[1]) == "Version 1: archived"
    cli.invoke(["rollback", "--why", "complaints"])
    assert [headline(page) for page in pages] == ["Version 1: champion"] * 2
    assert "rollback of version 2: complaints" in pages[1].read_text("utf-8")
    assert trained.registry.get("1").run_id == first.run_id


def test_another_registrys_version_is_not_taken_for_this_one(trained, monkeypatch):
    monkeypatch.chdir(trained.root)
    registration = trained.step("register") / "evidence" / "registration.json"
    made = evidence.read(evidence.Registration, registration)
    evidence.write(made.model_copy(update={"run_id": "of another registry"}), registration)
    cli.invoke(["report"])
    assert "the registry here does not have this version" in Path("outputs/report.html").read_text()


def test_a_registry_that_cannot_be_read_does_not_stop_the_report(trained, monkeypatch):
    monkeypatch.chdir(trained.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{trained.root / 'gone' / 'mlflow.db'}")
    cli.invoke(["report"])
    page = Path("outputs/report.html").read_text()
    assert "The role is that of the registration: Opening the tracking store failed" in page


def test_a_promotion_counts_also_where_the_report_is_broken(trained, monkeypatch, capsys):
    monkeypatch.chdir(trained.root)
    (trained.step("compare") / "evidence" / "comparison.json").write_text("{}")
    cli.invoke(["promote"])
    assert trained.roles() == {"1": "champion"}
    assert "the report still has the roles of before" in " ".join(capsys.readouterr().err.split())


def test_the_page_is_of_the_last_run_that_ended_and_ethics_of_the_last_that_passed(project):
    passed = planted.run()
    lay_out(passed, project)
    stopped = project / "outputs/train/run-2/validate/evidence/validation.json"
    evidence.write(passed.validation, stopped)
    outputs = project / "outputs"
    assert collect.read_outputs(outputs) == Run(validation=passed.validation)
    assert collect.read_outputs(outputs, require_latest(outputs / "train")) == passed
    config = ethics_config.load(project / "conf", PROJECT)
    checked = evaluated_run.load(project / "conf", outputs, config, PROJECT)
    assert checked.outputs == outputs / "train" / "run-1"


def test_the_step_makes_the_same_page_of_its_inputs(project):
    folders = lay_out(planted.run(), project)
    inputs = {
        "validated": "validate",
        "data": "prepare",
        "trained": "train",
        "evaluation": "evaluate",
        "comparison": "compare",
        "registration": "register",
    }
    arguments = [
        part for name, step in inputs.items() for part in (f"--{name}", str(folders[step]))
    ]
    cli.invoke(["page", *arguments, "--out", "made"])
    expected = build.render(
        PROJECT, planted.run(), card.build_card(project / "conf", planted.run())
    )
    assert (project / "made/report.html").read_text("utf-8") == expected


def test_without_evidence_it_says_what_to_run(project):
    with pytest.raises(UsageError, match="uv run poe pipeline"):
        cli.invoke(["report"])
    assert not (project / "outputs").exists()


def test_broken_evidence_is_named_and_the_old_page_stays(project):
    lay_out(planted.run(), project)
    cli.invoke(["report"])
    before = (project / "outputs/report.html").read_bytes()
    broken = project / "outputs/train/run-1/compare/evidence/comparison.json"
    broken.write_text('{"shape": "comparison/0"}')
    with pytest.raises(UsageError, match=r"comparison\.json"):
        cli.invoke(["report"])
    assert (project / "outputs/report.html").read_bytes() == before
