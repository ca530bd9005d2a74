"""Projects at each level of maturity: folders with the evidence of every fact, one by one."""

import datetime
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mlops_platform import evidence
from mlops_platform.core.errors import UsageError
from mlops_platform.evidence.ethics import CheckResult, Ethics, Principle
from mlops_platform.maturity import signed
from mlops_platform.maturity.facts import FACTS
from mlops_platform.pipelines.outputs import newest

from package.tests.workspaces import CREDIT, Workspace
from tests import planted
from tests.rendering import commit_all

TODAY = datetime.date(2026, 11, 30)
LATER = TODAY + datetime.timedelta(days=100)
ADDRESS = "lending@contoso.com"
WRITTEN = "Written by people who know, in some words more than the least."
CI = ".github/workflows"
COPIED = (".github", ".gitignore", "docs", "data/README.md")


@dataclass(frozen=True)
class Growing:
    """A project that gets facts and loses them; the registry is that of its workspace."""

    workspace: Workspace

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.workspace.root

    def settings(self, file: str, change: Callable[[Any], object]) -> None:
        """Change what a settings file holds."""
        path = self.root / "conf" / file
        content = yaml.safe_load(path.read_text()) if path.exists() else {}
        change(content)
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace words of a file, wherever they are."""
        self.write(path, (self.root / path).read_text().replace(old, new))

    def last(self, file: str, change: Callable[[Any], object]) -> None:
        """Change a file of the last training's evidence."""
        home = newest(self.root / "outputs" / "train")
        assert home
        (path,) = home.glob(f"*/evidence/{file}")
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    def tag(self, **tags: str) -> None:
        """Set tags of the one version."""
        (version,) = self.workspace.registry.versions()
        self.workspace.registry.mark(version.run_id, tags)

    def sign(self, fact: str, until: datetime.date) -> None:
        """A person vouches for a fact."""
        content = {"fact": fact, "role": "owner", "by": "Ada", "why": "seen", "until": until}
        self.settings(signed.FILE, lambda file: file.setdefault("signed", []).append(content))

    def unsign(self, fact: str) -> None:
        """Nobody does."""
        self.settings(
            signed.FILE,
            lambda file: file.update(
                signed=[each for each in file.get("signed", []) if each["fact"] != fact]
            ),
        )

    def ethics(self, **words: str) -> None:
        """The results of three checks: passed, or what is given by measure; `gone` leaves out."""
        path = self.root / "outputs" / "ethics" / "ethics.json"
        measures = ("refit_difference", "rollback_rehearsed", "card_gaps")
        known = dict.fromkeys(measures, "gone")
        if path.exists():
            known |= {
                each.measure: each.word
                for each in evidence.read(Ethics, path).checks
                if each.measure is not None
            }
        results = [
            _check(measure, word) for measure, word in (known | words).items() if word != "gone"
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        evidence.write(_ethics(self.run_id, results), path)

    @property
    def run_id(self) -> str:
        """The run of the last training."""
        ids: list[str] = []
        self.last("training.json", lambda content: ids.append(content["run_id"]))
        return ids[0]

    def another_author(self) -> None:
        """Somebody else commits."""
        author = "--author=Second <second@contoso.com>"
        words = ("commit", "--quiet", "--allow-empty", "--message", "Second", author)
        subprocess.run(["git", *words], cwd=self.root, check=True)

    def begin_again(self) -> None:
        """A history of one author."""
        shutil.rmtree(self.root / ".git")
        commit_all(self.root, "Start")


def _check(measure: str, word: str) -> CheckResult:
    return CheckResult(
        id=measure.replace("_", "-"),
        principle="care",
        owner="Ada",
        asks="?",
        kind="metric",
        category="oversight",
        maps_to=[],
        word=word,  # type: ignore[arg-type]
        blocks=True,
        message=word,
        groups=[],
        measure=measure,
    )


def _ethics(run_id: str, results: list[CheckResult]) -> Ethics:
    return Ethics(
        made="2026-11-30T00:00:00+00:00",
        run_id=run_id,
        git_commit="e" * 40,
        stage="operate",
        regulated=False,
        verdict="passed",
        compliance=None,
        evidence="f" * 64,
        files={},
        versions={},
        confidence=0.95,
        resamples=100,
        min_group_rows=30,
        principles=[Principle(name="care", statement="We care.", owner="Ada")],
        checks=results,
    )


def _truth(verdict: str) -> evidence.TruthReport:
    version = {"version": "1", "role": "champion", "verdict": verdict, "message": verdict}
    counts = (
        *("predictions", "without_id", "repeated", "unread", "labels", "duplicates"),
        *("contradictions", "unknown", "invalid", "pending", "labels_without_id", "new"),
    )
    return evidence.TruthReport(
        model="credit-risk",
        as_of="2026-11-30",
        metric="roc_auc",
        higher_is_better=True,
        confidence=0.95,
        limit="at least 0.7",
        versions=[evidence.VersionTruth(**version)],
        **dict.fromkeys(counts, 0),
    )


def _by_day(team: Any) -> None:
    for member in team["roles"].values():
        if not member.get("on_call"):
            member["address"] = ADDRESS


def _stage(stage: str) -> Callable[[Any], object]:
    return lambda project: project.update(stage=stage)


DECISION = {
    "to": "operate",
    "why": "agreed",
    "by": "Ada",
    "date": TODAY,
    "commit": "e" * 40,
    "criteria": {"sponsor": "met"},
}
PAGE = "# Page\n\n## One\n\n{}\n\n{}\n"
RETRAINING = evidence.Retraining(
    decision="notify", trigger="drift", reasons=[], missing=[], notify=[], message="no new rows"
)
Change = Callable[[Growing], object]


def _go(project: Growing) -> None:
    project.settings("stage.yml", lambda file: file.update(decisions=[DECISION]))
    project.settings("project.yml", _stage("operate"))


def _no_go(project: Growing) -> None:
    project.settings("stage.yml", lambda file: file.update(decisions=[]))
    if "stage: operate" in (project.root / "conf/project.yml").read_text():
        project.settings("project.yml", _stage("develop"))


def _drifted(project: Growing, verdict: str) -> None:
    path = project.root / "outputs" / "monitor" / "run-1" / "drift" / "evidence"
    path.mkdir(parents=True, exist_ok=True)
    evidence.write(planted.drift_report(verdict=verdict), path / "drift.json")


def _judged(project: Growing, verdict: str) -> None:
    path = project.root / "outputs" / "truth" / "run-1" / "judge" / "evidence"
    path.mkdir(parents=True, exist_ok=True)
    evidence.write(_truth(verdict), path / "truth.json")


def _page(path: str, line: str) -> tuple[Change, Change]:
    return (
        lambda project: project.write(path, PAGE.format(WRITTEN, line)),
        lambda project: project.write(path, PAGE.format("TODO: later", line)),
    )


def _word(fact: str) -> tuple[Change, Change]:
    return (
        lambda project: (project.unsign(fact), project.sign(fact, LATER)),
        lambda project: project.unsign(fact),
    )


def _measured(measure: str, word: str = "failed") -> tuple[Change, Change]:
    return (
        lambda project: project.ethics(**{measure: "passed"}),
        lambda project: project.ethics(**{measure: word}),
    )


def _words(path: str, words: str, others: str) -> tuple[Change, Change]:
    return (
        lambda project: project.edit(path, others, words),
        lambda project: project.edit(path, words, others),
    )


# How each fact comes to be, and how it goes.
FINDING = {"column": "income", "rule": "range", "rows": 1, "message": "1 row is below 0"}
CHANGES: dict[str, tuple[Change, Change]] = {
    "roles": (
        lambda project: project.settings("team.yml", _by_day),
        lambda project: project.settings(
            "team.yml", lambda team: team["roles"]["data_reader"].update(address="a@example.com")
        ),
    ),
    "sponsor": (
        lambda project: project.settings("team.yml", lambda team: team.update(sponsor="Ada")),
        lambda project: project.settings("team.yml", lambda team: team.update(sponsor=None)),
    ),
    "authors": (Growing.another_author, Growing.begin_again),
    "scripts-together": _word("scripts-together"),
    "reviews": _word("reviews"),
    "engineers": _word("engineers"),
    "on-call": (
        lambda project: project.settings(
            "team.yml", lambda team: team["roles"]["ml_engineer"].update(address=ADDRESS)
        ),
        lambda project: project.settings(
            "team.yml",
            lambda team: team["roles"]["ml_engineer"].update(address="a@example.com"),
        ),
    ),
    "runbook": _page("docs/runbook.md", f"Reviewed: {TODAY} by Ada"),
    "retrospective": _page("docs/retrospective.md", f"Held: {TODAY}"),
    "production-metrics": _word("production-metrics"),
    "data-checked": (
        lambda project: project.last("validation.json", lambda file: file.update(findings=[])),
        lambda project: project.last(
            "validation.json", lambda file: file.update(findings=[FINDING])
        ),
    ),
    "data-card": (
        lambda project: project.write("data/README.md", f"# Data card\n\n{WRITTEN}\n"),
        lambda project: shutil.copy(CREDIT / "data/README.md", project.root / "data"),
    ),
    "trained-commit": (
        lambda project: project.last("training.json", lambda file: file.update(git_dirty="false")),
        lambda project: project.last("training.json", lambda file: file.update(git_dirty="true")),
    ),
    "tracked": (
        lambda project: project.tag(git_commit="e" * 40),
        lambda project: project.tag(git_commit="unknown"),
    ),
    "baseline": (
        lambda project: project.last(
            "evaluation.json", lambda file: [each.update(baseline=0.0) for each in file["measures"]]
        ),
        lambda project: project.last(
            "evaluation.json",
            lambda file: [each.update(baseline=each["value"]) for each in file["measures"]],
        ),
    ),
    "same-model": _measured("refit_difference"),
    "trained-by-ci": _words(f"{CI}/ci.yml", "poe pipeline", "poe train"),
    "ethics": _measured("card_gaps"),
    "retraining": _words(f"{CI}/retrain.yml", "cron:", "never:"),
    "retraining-decided": (
        lambda project: evidence.write(RETRAINING, project.root / "outputs/retraining.json"),
        lambda project: (project.root / "outputs/retraining.json").unlink(missing_ok=True),
    ),
    "committed": (
        lambda project: commit_all(project.root, "All"),
        lambda project: project.write("src/credit_risk/new.py", "NEW = 1\n"),
    ),
    "checked-by-ci": _words(f"{CI}/ci.yml", "poe test", "poe try"),
    "gates": (
        lambda project: project.edit("conf/project.yml", "stage: explore", "stage: develop"),
        lambda project: project.settings("project.yml", _stage("explore")),
    ),
    "champion": (
        lambda project: project.tag(role="champion", role_why="better", role_by="Ada"),
        lambda project: project.tag(role="archived"),
    ),
    "delivered-by-ci": _words(f"{CI}/deliver.yml", "rollout --env staging", "try --env staging"),
    "ci-passed": _word("ci-passed"),
    "infrastructure": (
        lambda project: shutil.copy(CREDIT / "conf/prod.yml", project.root / "conf"),
        lambda project: project.settings("prod.yml", lambda file: file.pop("infra", None)),
    ),
    "rollback": _measured("rollback_rehearsed", "gone"),
    "go": (_go, _no_go),
    "aborts": _words(f"{CI}/deliver.yml", "prod --abort", "prod --keep"),
    "own-tests": (
        lambda project: project.write("tests/test_own.py", "def test_one():\n    assert 1\n"),
        lambda project: shutil.rmtree(project.root / "tests", ignore_errors=True),
    ),
    "interface-tests": (
        lambda project: project.write("tests/test_batch.py", "def test_one():\n    assert 1\n"),
        lambda project: (project.root / "tests/test_batch.py").unlink(missing_ok=True),
    ),
    "consumers": (
        lambda project: project.settings(
            "consumers.yml",
            lambda file: file["consumers"].update(desk={"reads": {"version": "text"}}),
        ),
        lambda project: project.settings(
            "consumers.yml", lambda file: file["consumers"].pop("desk", None)
        ),
    ),
    "alerts": (
        lambda project: project.settings(
            "alerts.yml", lambda file: file["alerts"].pop("New", None)
        ),
        lambda project: project.settings(
            "alerts.yml",
            lambda file: file["alerts"].update(New=dict(file["alerts"]["ModelOld"])),
        ),
    ),
    "truth": (
        lambda project: project.settings("truth.yml", lambda file: file.update(labels="data/raw")),
        lambda project: project.settings("truth.yml", lambda file: file.update(labels="nowhere")),
    ),
    "drift": (
        lambda project: _drifted(project, "stable"),
        lambda project: _drifted(project, "insufficient evidence"),
    ),
    "outcomes": (
        lambda project: _judged(project, "holds"),
        lambda project: _judged(project, "not yet"),
    ),
}


def build(trained: Workspace, level: int) -> Growing:
    """Make a trained workspace a project at a level: all its facts, and none above.

    Raises:
        UsageError: a fact has no entry here.
    """
    project = Growing(trained)
    if set(CHANGES) != {fact.id for fact in FACTS}:
        raise UsageError("maturing.py: CHANGES and FACTS differ.")
    for name in COPIED:
        source, target = CREDIT / name, project.root / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)
    project.write("uv.lock", "locked\n")
    commit_all(project.root, "Start")
    for fact in FACTS:
        if fact.level > level:
            CHANGES[fact.id][1](project)
    for fact in FACTS:
        if fact.level <= level:
            CHANGES[fact.id][0](project)
    if level:
        commit_all(project.root, "All")
    return project
