"""`hooks fleet overview`: what the last commits of small projects say, and what they do not."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import sync_playwright

from hooks.fleet.overview import catalogue, run
from hooks.fleet.overview.page import page
from hooks.fleet.overview.read import Reader
from hooks.fleet.overview.row import Asset, Cost, Maturity, Pending, Project
from hooks.projects import HookError
from tests.project import axe
from tests.rendering import ROOT, commit_all
from tests.update.fleets import Fleet, git, write

CHROMIUM = Path("/usr/bin/chromium")
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
HOSTILE = "<script>alert('\"&amp;\x1b[31m"
MEASURED = (
    "Maturity level 1 of 4, DevOps, no MLOps: people 1, model creation 2, release 1, "
    "application integration 3. Measured on 2026-11-20. <!-- measured by `poe maturity` -->\n"
)
DECIDED = """decisions:
- {to: develop, why: w, by: Ada Lovelace, date: 2026-10-01, commit: '', criteria: {}, despite: []}
- to: operate
  why: it pays
  by: Ada Lovelace
  date: 2026-11-01
  commit: ''
  criteria: {budget: open}
  despite: [{criterion: budget, by: Ada Lovelace, until: 2026-11-29}]
"""
JOB = "jobs:\n  a: {component: 'azureml://registries/firm/components/geocode/versions/3'}\n"
FULL = {
    "conf/project.yml": "name: churn\nstage: operate\n",
    "conf/stage.yml": DECIDED,
    "conf/dev.yml": "registry: firm\ninfra: {budget: 500}\ndata: {path: 'azureml://d/churn'}\n",
    "conf/prod.yml": "registry: firm\ninfra: {budget: 1500.5}\ndata: {path: 'azureml://d/churn'}\n",
    "conf/cost.yml": "currency: EUR\nbudget: 20\nmachines: {local: {hour: 0.5}}\n",
    "conf/consumers.yml": "consumers: {web: {reads: {}}, example-caller: {reads: {}}}\n",
    "conf/reuse.yml": (
        "looked_at:\n- {kind: internal code, what: geo, used: true, why: w, licence: internal}\n"
        "- {kind: open source, what: other, used: false, why: w, licence: null}\n"
    ),
    "pyproject.toml": (
        '[project]\ndependencies = ["mlops-platform==2.1.0"]\n'
        '[dependency-groups]\nteam = ["Holidays>=1"]\ndev = ["ruff"]\n'
    ),
    "README.md": f"# Churn\n\n{MEASURED}",
    "pipelines/train.yml": JOB,
    "pipelines/components/train.yml": "# Managed by the template: x\nname: train\n",
    "pipelines/components/clean.yml": "# Ours\nname: clean\n",
    "pipelines/environments/gpu.yml": "name: gpu\n",
    "src/churn/geo.py": "HERE = 1\n",
    "data/raw/sales.csv": "a,b\n1,2\n",
}


@pytest.fixture
def start(small: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes a project of the small template's first release with these files."""

    def make(name: str, files: Mapping[str, str | bytes] = {}, **answers: str) -> Path:
        recorded = {"_src_path": str(small), "_commit": "v0.1.0", "project_name": name, **answers}
        write(tmp_path / name, ".copier-answers.yml", json.dumps(recorded))
        for file, content in files.items():
            write(tmp_path / name, file, content)
        commit_all(tmp_path / name, "Start")
        return tmp_path / name

    return make


def read(*places: Path | str, clones: Path) -> list[Project]:
    """The rows of these projects."""
    return run.read_all([str(each) for each in places], clones, 2, lambda _: None, NOW)


def test_a_row_says_what_the_commit_says(start: Callable[..., Path], tmp_path: Path) -> None:
    project = start("Churn", FULL, team="retail")
    write(project, "conf/project.yml", "not committed")
    [row] = read(project, clones=tmp_path)
    assert row.problems == []
    assert (row.state, row.name, row.team, row.stage) == ("read", "Churn", "retail", "operate")
    assert (row.version, row.newest, row.behind, row.package) == ("v0.1.0", "v0.2.0", 1, "2.1.0")
    levels = {"people": 1, "model creation": 2, "release": 1, "application integration": 3}
    assert row.maturity == Maturity(1, levels, date(2026, 11, 20))
    assert row.pending == [Pending("goes on despite `budget`", date(2026, 11, 29))]
    assert row.cost == Cost(azure=2000.5, machine=20, currency="EUR")
    assert set(row.assets) == {
        Asset("models", "churn", "firm", ("web",)),
        Asset("components", "train", "template"),
        Asset("components", "clean", "own"),
        Asset("components", "geocode", "firm"),
        Asset("environments", "gpu", "own"),
        Asset("packages", "holidays", "own"),
        Asset("data", "azureml://d/churn", "datastore"),
        Asset("existing work", "geo", "internal code"),
    }


def test_what_a_commit_does_not_say_is_unknown(start: Callable[..., Path], tmp_path: Path) -> None:
    silent = start("silent", {"README.md": "Maturity level 4 of 4\n"})
    lost = start("lost", _src_path=str(tmp_path / "gone"))
    rows = read(silent, lost, clones=tmp_path)
    for row in rows:
        assert (row.state, row.stage, row.maturity, row.package) == ("read", None, None, None)
        assert (row.pending, row.assets, row.cost) == ([], [], Cost())
    assert rows[1].newest is rows[1].behind is None
    assert catalogue.maturity(rows)["unknown"] == catalogue.stages(rows)["unknown"] == 2
    assert "of 1 project cannot be listed from here" in page(rows, NOW, status=False)


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        (".copier-answers.yml", "a: [", ".copier-answers.yml: not valid YAML"),
        ("conf/project.yml", "stage: [a]\n", "conf/project.yml, field `stage`: expected a word"),
        ("conf/project.yml", b"name: \xff\n", "conf/project.yml: is not UTF-8 text"),
        ("conf/stage.yml", "a: 'b\n", "conf/stage.yml, line "),
        ("conf/stage.yml", "- 1\n", "conf/stage.yml: expected `key: value` lines"),
        ("conf/stage.yml", "decisions: 3\n", "conf/stage.yml, field `decisions`: expected a list"),
        ("conf/forks.yml", "forks: [{path: a, until: soon}]\n", "and a date `until` in each"),
        ("conf/maturity.yml", "[" * 5000, "conf/maturity.yml"),
        ("conf/cost.yml", "budget: many\n", "conf/cost.yml, field `budget`: expected a number"),
        ("conf/dev.yml", "infra: {budget: .nan}\n", "conf/dev.yml, field `budget`: expected a num"),
        ("conf/reuse.yml", "looked_at: x\n", "conf/reuse.yml, field `looked_at`: expected a list"),
        ("pyproject.toml", "a = ", "pyproject.toml: not valid TOML"),
        ("pyproject.toml", "project.dependencies = ['?']", "expected a requirement, got '?'"),
        ("pipelines/components/own.yml", "name: [", "components/own.yml, line 2: not valid YAML"),
        ("pipelines/components/own.yml", "name: 3", "own.yml, field `name`: expected a word"),
        ("conf/reuse.yml", "#" * 1_000_001, "conf/reuse.yml: is no file of at most 1,000,000"),
    ],
)
def test_a_broken_file_is_named_and_the_others_are_read(
    start: Callable[..., Path], tmp_path: Path, file: str, content: str | bytes, problem: str
) -> None:
    [row] = read(start("broken", {**FULL, file: content}), clones=tmp_path)
    assert row.state == "in part"
    assert len(row.problems) == 1
    assert problem in row.problems[0]
    assert row.maturity is not None
    assert {each.name for each in row.assets} >= {"geocode", "train"}


def test_a_project_that_cannot_be_read_stops_no_other(
    start: Callable[..., Path], tmp_path: Path
) -> None:
    fine = start("fine")
    plain, empty = tmp_path / "plain", tmp_path / "empty"
    write(plain, "README.md", "# No Copier here\n")
    commit_all(plain, "Start")
    git(tmp_path, "init", "--quiet", "empty")
    (tmp_path / "folder").mkdir()
    places = (tmp_path / "missing", tmp_path / "folder", empty, plain, "file:///no/where.git", fine)
    *failed, last = read(*places, clones=tmp_path)
    assert last.state == "read"
    assert {row.state for row in failed} == {"failed"}
    expected = ("no such folder", "not a git repository", "no commit", "not a Copier", "not appear")
    for row, reason in zip(failed, expected, strict=True):
        assert reason in row.problems[0]


def test_an_unexpected_error_is_a_row(
    start: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("https://user:secret@host")

    monkeypatch.setattr("hooks.fleet.overview.assets.find", fail)
    row = Reader(tmp_path, NOW).read(str(start("p")))
    assert (row.state, row.problems) == ("failed", ["ZeroDivisionError: https://host"])


def test_a_project_behind_a_url_is_fetched_when_it_has_a_new_commit(
    start: Callable[..., Path], tmp_path: Path
) -> None:
    project = start("far", {**FULL, "vendor/package.whl": os.urandom(1_100_000)})
    bare = tmp_path / "far.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(project), str(bare))
    git(bare, "config", "uploadpack.allowFilter", "true")
    clones = tmp_path / "clones"
    clones.mkdir()
    [first] = read(bare.as_uri(), clones=clones)
    assert (first.state, first.stage) == ("read", "operate")
    [clone] = (clones / "overview").iterdir()
    size = sum(file.stat().st_size for file in clone.rglob("*") if file.is_file())
    assert size < 200_000  # without the wheel
    assert read(bare.as_uri(), clones=clones)[0].commit == first.commit
    assert not (clone / "FETCH_HEAD").exists()  # it only asked
    write(project, "conf/project.yml", "name: churn\nstage: explore\n")
    commit_all(project, "Explore again")
    git(project, "push", "--quiet", str(bare), "main")
    [second] = read(bare.as_uri(), clones=clones)
    assert (second.stage, second.commit) == ("explore", git(project, "rev-parse", "HEAD"))


def test_what_several_hold_could_be_shared(start: Callable[..., Path], tmp_path: Path) -> None:
    seed = (ROOT / "template/src/[[package_name]]/features.py").read_text(encoding="utf-8")
    common = {**FULL, "src/churn/features.py": seed, "src/churn/model.py": "ours = 1\n"}
    alone = {"pyproject.toml": '[dependency-groups]\nteam = ["alone", "holidays"]\n'}
    made = start("one", common), start("two", common), start("three", alone)
    rows = read(*made, clones=tmp_path)
    assert "Packages: 1 shared, 1 not" in page(rows, NOW, status=False)
    shared = catalogue.candidates(rows)
    assert [each.path for each in shared] == [
        "data/raw/sales.csv",
        "pipelines/components/clean.yml",
        "pipelines/environments/gpu.yml",
        "src/churn/geo.py",
    ]
    assert {each.users for each in shared} == {("one", "two")}
    components = catalogue.assets(rows)["components"]
    assert [(each.name, each.users) for each in components] == [
        ("clean", ("one", "two")),
        ("geocode", ("one", "two")),
        ("train", ("one", "two")),  # the template's, so it is last
    ]
    models = catalogue.assets(rows)["models"]
    assert [(each.name, each.users) for each in models] == [("churn", ("web", "web"))]
    text = page(rows, NOW, status=False)
    for title in ("Models: 1 shared, 0 not", "Components: 3 shared, 0 not", "Could be shared: 4"):
        assert title in text


def test_decisions_are_pending(start: Callable[..., Path], tmp_path: Path) -> None:
    undecided = start("undecided", {"conf/project.yml": "stage: develop\n"})
    signed = "signed:\n- {fact: a, until: 2026-12-30}\n- {fact: b, until: 2026-12-31}\n"
    waiver = "waivers: [{check: proxies, reason: r, owner: Ada, expires: 2027-06-01}]\n"
    files = {"conf/maturity.yml": signed, "conf/ethics.yml": waiver}
    stop = DECIDED.replace("to: operate", "to: stop")
    stopped = start("stopped", {"conf/project.yml": "stage: develop\n", "conf/stage.yml": stop})
    rows = read(undecided, start("signed", files), stopped, clones=tmp_path)
    assert rows[2].stage == "stopped"
    assert [(each.project, each.what) for each in catalogue.waiting(rows, NOW.date())] == [
        ("stopped", "goes on despite `budget`"),
        ("signed", "`a` is signed"),  # b ends in 31 days
        ("signed", "fails `proxies`"),
        ("undecided", "is in `develop`, and nobody has decided so"),
    ]
    assert "Ada" not in json.dumps(run.plain(rows, NOW), default=str)
    assert "Ada" not in page(rows, NOW, status=False)


def test_a_work_tree_also_knows_what_its_steps_took(
    start: Callable[..., Path], tmp_path: Path
) -> None:
    step = {"pipeline": "train", "run": "run-1", "step": "train", "outcome": "passed"}
    project = start("ran", FULL)
    lines = [
        json.dumps({"began": began, "seconds": 3600, **step})
        for began in ("2026-11-02T08:00:00Z", "2026-10-31T08:00:00Z")
    ]
    write(project, ".mlops/steps.jsonl", "\n".join(lines))
    [row] = read(project, clones=tmp_path)
    assert (row.cost.seconds, row.cost.spent) == (3600, 0.5)
    assert "1.0 hours, 1 project, 0.5 EUR" in page([row], NOW, status=False)
    write(project, ".mlops/steps.jsonl", "{")
    [row] = read(project, clones=tmp_path)
    assert "line 1: is damaged" in row.problems[0]
    assert row.cost.seconds is None


def test_the_command_writes_page_and_json(fleet: Fleet) -> None:
    nasty = fleet.start("p", project_name=HOSTILE, team="<img src='x' onerror='y'>")
    write(nasty, "conf/project.yml", f"stage: {json.dumps(HOSTILE)}\n")
    write(nasty, "conf/reuse.yml", "looked_at: [{kind: '<i>', what: '<b>', used: true}]\n")
    commit_all(nasty, "Nasty")
    html, status = fleet.home / "o.html", fleet.home / "status.json"
    status.write_text(fleet.run("status", "--json", nasty).stdout, encoding="utf-8")
    done = fleet.run(
        *("overview", nasty, fleet.home / "missing", "--html", html, "--status", status, "--json"),
        expect=1,
    )
    found = json.loads(done.stdout)
    assert found["shape"] == "overview/1"
    assert found["projects"][0]["update"] == {"state": "behind", "drift": 0, "conflicts": 0}
    assert found["projects"][1]["update"] is None
    assert found["stages"] == {HOSTILE: 1, "unknown": 1}
    text = html.read_text(encoding="utf-8")
    tree = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))  # noqa: S314  our own
    assert {each.tag for each in tree.iter()} & {"script", "img", "b", "i"} == set()
    words = "".join(tree.itertext())
    assert words.count(HOSTILE.replace("\x1b", "?")) == 3  # its name, its stage, the histogram
    assert "<img src='x' onerror='y'>" in words
    assert "no such folder" in words
    links = {
        value
        for each in tree.iter()
        for name, value in each.attrib.items()
        if name in ("href", "src", "action", "style")
    }
    assert all(link == "data:," or link.startswith("#") for link in links)


@pytest.mark.parametrize("content", ["{", "[]", '{"shape": "fleet/2", "projects": []}', None])
def test_another_file_is_no_status(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "status.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(HookError, match="is not what `python -m hooks fleet status --json` prints"):
        run.with_status([], file)


def test_a_page_that_cannot_be_written_is_named(fleet: Fleet) -> None:
    done = fleet.run("overview", fleet.start("p"), "--html", fleet.home / "no" / "o.html", expect=2)
    assert "o.html: the page cannot be written" in done.stderr


def test_the_page_is_accessible_on_any_screen(tmp_path: Path) -> None:
    missing = [name for name in (str(CHROMIUM), "npm") if shutil.which(name) is None]
    if missing:
        message = f"missing: {', '.join(missing)}; `apt-get install chromium npm`"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    long = "a_long_name" * 12
    assets = [Asset(kind, long, "own") for kind in catalogue.KINDS]
    pending = [Pending(f"`{long}`", day) for day in (None, date(2026, 1, 1), date(2027, 6, 1))]
    levels = Maturity(2, {"people": 2}, date(2026, 11, 1))
    rows = [
        Project(
            f"/{long}/{number}",
            f"{long} {number}",
            state,
            problems=[] if state == "read" else [long],
            maturity=levels,
            pending=pending,
            assets=assets,
            cost=Cost(azure=1e6),
            copies={"a": f"data/raw/{long}"},
        )
        for number, state in enumerate(("read", "in part", "failed", "read", "read"))
    ]
    html = tmp_path / "overview.html"
    html.write_text(page(rows, NOW, status=True), encoding="utf-8")
    source = axe.install(tmp_path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            assert axe.faults(browser, html, source, scheme=scheme) == []
        for width in (375, 1280):
            view = browser.new_page(viewport={"width": width, "height": 800})
            view.goto(html.as_uri(), wait_until="load")
            wide = view.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, width
        browser.close()
