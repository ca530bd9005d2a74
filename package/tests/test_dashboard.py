"""Tiles: each state comes from what is known, and unknown is not good."""

import json
import re
import shutil
import threading
import time
from dataclasses import replace
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from mlops_platform import evidence, settings
from mlops_platform.alerts import config, evaluate, state
from mlops_platform.alerts.measures import MEASURES
from mlops_platform.core.errors import UsageError
from mlops_platform.dashboard import TILES, State, workbook
from mlops_platform.dashboard.facts import Facts
from mlops_platform.dashboard.read import READERS
from mlops_platform.dashboard.states import History
from mlops_platform.report import dashboard as page
from mlops_platform.tracking.roles import Version

from package.tests import azure_metrics
from package.tests.test_alerts import Shows
from package.tests.test_cost import NOW, change, step, with_quota
from package.tests.workspaces import CREDIT

BY_NAME = {tile.name: tile for tile in TILES}
CHAMPION = Version("1", "r1", {"role": "champion", "role_since": "2026-05-01T", "role_why": "best"})
CHALLENGER = Version("2", "r2", {"role": "challenger", "role_why": "better"})
QUIET = {"down": 0.0, "errors_per_minute": 0.0, "refused_per_minute": 0.0, "seconds_p95": 0.02}


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    shutil.copytree(CREDIT / "conf", tmp_path / "conf")
    return tmp_path / "conf"


def facts(conf: Path, *versions: Version, steps=(), url=None, since=None, **measured) -> Facts:
    """A project's facts, with what was measured."""
    alerts = config.load(conf)
    memory = evaluate.Memory(since=since or {})
    verdicts = evaluate.judge(alerts, measured, memory, NOW) if measured else []
    return Facts(conf, NOW, url, versions, list(steps), alerts, measured, verdicts)


def look(name: str, found: Facts) -> State:
    return READERS[name](BY_NAME[name], found)


def test_each_tile_has_a_reader_and_measures_that_alerts_know():
    assert list(READERS) == [tile.name for tile in TILES]
    for tile in TILES:
        assert set(tile.measures) <= set(MEASURES)
        assert tile.queries or tile.elsewhere, tile.name
    watched = [measure for tile in TILES for measure in tile.measures]
    assert sorted(watched) == sorted(MEASURES)  # each has its place, once


def test_nothing_known_is_never_good(conf):
    for tile in TILES:
        found = look(tile.name, facts(conf))
        assert (found.word, bool(found.why), bool(found.next)) == ("unknown", True, True), tile


@pytest.mark.parametrize(
    ("versions", "outcome", "word", "command"),
    [
        ([CHAMPION], "passed", "good", ""),
        ([CHAMPION, CHALLENGER], "passed", "warning", "uv run poe promote"),
        ([CHALLENGER], "passed", "warning", "uv run poe promote"),
        ([CHAMPION], "gate", "warning", "uv run poe report"),
        ([CHAMPION], "error", "warning", "uv run poe report"),
        ([], "passed", "unknown", "uv run poe pipeline"),
    ],
)
def test_progress(conf, versions, outcome, word, command):
    steps = [step("train", ago=2), step("evaluate", ago=1, outcome=outcome)]
    found = look("progress", facts(conf, *versions, steps=steps, model_age_days=3.0))
    assert (found.word, found.next) == (word, command)


@pytest.mark.parametrize(("serves", "word"), [("", "good"), ("1", "good"), ("4", "warning")])
def test_an_endpoint_that_serves_another_version_is_a_warning(conf, serves, word):
    asked = facts(conf, CHAMPION, url="http://here", model_age_days=3.0)
    found = look("progress", replace(asked, serves=serves))
    assert found.word == word
    if word == "warning":
        assert found.why == (
            "the endpoint serves version 4, the champion is version 1: stop the endpoint and "
            "start it again"
        )
        assert found.next == "uv run poe serve"


def test_a_champion_without_a_date_of_its_training_asks_for_a_training(conf):
    found = look("progress", facts(conf, CHAMPION, model_age_days=state.NO_DATE))
    expected = ("unknown", state.NO_DATE, "uv run poe retrain --why REASON")
    assert (found.word, found.why, found.next) == expected


def test_an_old_champion_is_a_warning_with_the_limit_of_the_alert(conf):
    found = look("progress", facts(conf, CHAMPION, model_age_days=181.0))
    assert (found.word, found.why) == (
        "warning",
        "ModelOld: 181, limit 180; ticket to data scientist",
    )
    change(conf / "alerts.yml", "above: 180", "above: 200")
    assert look("progress", facts(conf, CHAMPION, model_age_days=181.0)).word == "good"


@pytest.mark.parametrize(
    ("outcome", "word", "figure"),
    [("passed", "good", "2 of 2 runs"), ("gate", "good", "2 of 2 runs"), ("error", "bad", "1 of")],
)
def test_compute(conf, outcome, word, figure):
    steps = [step("train", ago=2), step("drift", ago=1, pipeline="monitor", outcome=outcome)]
    found = look("compute", facts(conf, steps=steps))
    assert found.word == word
    assert found.figure.startswith(figure)
    assert found.next == ("uv run poe monitor" if word == "bad" else "")
    repaired = [*steps, step("drift", ago=0.5, pipeline="monitor")]
    assert look("compute", facts(conf, steps=repaired)).word == "good"


@pytest.mark.parametrize(
    ("cores", "severity", "word"),
    [(15, "ticket", "bad"), (19, "ticket", "warning"), (19, "page", "bad"), (20, "page", "good")],
)
def test_quota(conf, cores, severity, word):
    """16 cores may be taken; the alert's limit is 0.8 of those that there are."""
    for name in ("dev", "staging"):
        (conf / f"{name}.yml").unlink()
    with_quota(conf, cores)
    line = "above: 0.8, for: 1h, severity: "
    change(conf / "alerts.yml", f"{line}ticket", f"{line}{severity}")
    assert look("quota", facts(conf)).word == word


@pytest.mark.parametrize(
    ("measured", "since", "errors", "availability"),
    [
        ({}, {}, "good", "good"),
        ({"errors_per_minute": 2.0}, {}, "warning", "good"),  # not for ten minutes yet
        ({"errors_per_minute": 2.0}, {"ErrorsHigh": 11}, "bad", "good"),
        ({"refused_per_minute": 6.0}, {"RequestsRefused": 31}, "warning", "good"),
        ({"seconds_p95": 0.6}, {"AnswersSlow": 11}, "good", "warning"),
        ({"seconds_p95": "nobody has asked"}, {}, "good", "good"),  # idle
        ({"errors_per_minute": "needs two looks"}, {}, "unknown", "good"),
        ({"down": 1.0} | dict.fromkeys(list(QUIET)[1:], "no answer"), {}, "unknown", "warning"),
        (
            {"down": 1.0} | dict.fromkeys(list(QUIET)[1:], "no answer"),
            {"EndpointDown": 3},
            "unknown",
            "bad",
        ),
        (evaluate.UNASKED, {}, "unknown", "unknown"),
    ],
)
def test_the_endpoint(conf, measured, since, errors, availability):
    ago = {name: NOW - timedelta(minutes=minutes) for name, minutes in since.items()}
    found = facts(conf, CHAMPION, url="http://here", since=ago, **QUIET | measured)
    assert look("errors", found).word == errors
    assert look("availability", found).word == availability


def test_a_measure_that_nobody_watches_is_not_known(conf):
    text = (conf / "alerts.yml").read_text()
    (conf / "alerts.yml").write_text(re.sub(r"(?m)^  ErrorsHigh: .*\n", "", text))
    found = look("errors", facts(conf, CHAMPION, url="http://here", **QUIET))
    assert (found.word, found.why) == (
        "unknown",
        "no alert of conf/alerts.yml watches `errors_per_minute`",
    )


def drifted(verdict: str, version: str = "1") -> evidence.DriftReport:
    return evidence.DriftReport(
        verdict=verdict, message="said", model="m", version=version, rows=9, columns=[]
    )


@pytest.mark.parametrize(
    ("report", "measured", "word"),
    [
        (drifted("stable"), 0.0, "good"),
        (drifted("drift"), 1.0, "warning"),
        (drifted("insufficient evidence"), str(state.NO_DRIFT), "unknown"),
        (drifted("stable", "7"), str(state.NO_DRIFT), "unknown"),  # of another version
    ],
)
def test_drift(conf, report, measured, word):
    evidence.write(report, conf.parent / "outputs/monitor/run-1/drift/evidence/drift.json")
    found = look("drift", facts(conf, CHAMPION, drift=measured))
    assert found.word == word


def test_drift_that_pages_is_bad(conf):
    evidence.write(
        drifted("drift"), conf.parent / "outputs/monitor/run-1/drift/evidence/drift.json"
    )
    line = "measure: drift, above: 0, for: 0m, severity: "
    change(conf / "alerts.yml", f"{line}ticket", f"{line}page")
    found = look("drift", facts(conf, CHAMPION, drift=1.0))
    assert (found.word, found.why) == ("bad", "DataDrifted: 1, limit 0; page to domain expert")


def test_before_its_first_prediction_truth_asks_for_predictions(conf):
    found = look("truth", facts(conf, CHAMPION, truth="x"))
    why = "no prediction of version 1 is kept yet, score new rows with it first"
    assert (found.word, found.why, found.next) == ("unknown", why, "uv run poe serve")
    (conf.parent / "pipelines").mkdir()
    (conf.parent / "pipelines" / "batch.yml").touch()
    found = look("truth", facts(conf, CHAMPION, truth="x"))
    assert found.next == "uv run poe batch --input data=PATH"
    kept = conf.parent / ".mlops" / "ledger" / "version=1" / "period=2026-05" / "stream-0.parquet"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert look("truth", facts(conf, CHAMPION, truth="x")).next == "uv run poe truth"


@pytest.mark.parametrize(
    ("verdict", "measured", "word", "command"),
    [
        ("holds", 0.0, "good", ""),
        ("doubtful", 1.0, "warning", "uv run poe truth"),  # the alert is silent up to 1
        ("broken", 2.0, "bad", "uv run poe truth --retrain"),
        ("not yet", "not yet: labels", "unknown", "uv run poe truth"),
    ],
)
def test_truth(conf, verdict, measured, word, command):
    judged = evidence.VersionTruth(
        version="1",
        role="champion",
        verdict=verdict,
        message="labels" if verdict == "not yet" else "said",  # as `judge` says what is missing
        missing=["labels"],
    )
    counts = evidence.TruthReport.model_fields
    numbers = {name: 0 for name, field in counts.items() if field.annotation is int}
    report = evidence.TruthReport(
        model="m",
        as_of="today",
        metric="roc_auc",
        higher_is_better=True,
        confidence=0.9,
        limit="",
        new=None,
        versions=[judged],
        **numbers,
    )
    evidence.write(report, conf.parent / "outputs/truth/run-1/judge/evidence/truth.json")
    found = look("truth", facts(conf, CHAMPION, truth=measured))
    assert (found.word, found.next) == (word, command)
    assert found.why.startswith("labels" if verdict == "not yet" else "said; labels")
    assert found.why.count("labels") == 1


@pytest.mark.parametrize(
    ("seconds", "word"), [(30 * 3600, "good"), (33 * 3600, "warning"), (100 * 3600, "bad")]
)
def test_cost(conf, seconds, word):
    """An hour costs 0.20 of 20; a third of the month is over."""
    found = look("cost", facts(conf, steps=[step("train", ago=1, seconds=seconds)]))
    assert (found.word, found.figure) == (word, f"{seconds / 18000:.2f} EUR")
    change(conf / "cost.yml", "budget: 20", "# budget: 20")
    assert look("cost", facts(conf, steps=[step("train", ago=1)])).word == "unknown"
    (conf / "cost.yml").unlink()
    found = look("cost", facts(conf, steps=[step("train", ago=1)]))
    assert (found.word, found.figure) == ("unknown", "60 s")
    assert "cost.yml: is not there. Write {currency" in found.why


def test_a_project_has_the_tiles_of_what_it_has(conf):
    found = facts(conf)
    assert all(found.has(tile.needs) for tile in TILES)
    (conf / "consumers.yml").unlink()
    for name in ("dev", "staging", "prod"):
        (conf / f"{name}.yml").unlink()
    unwatched = replace(found, alerts={})
    names = [tile.name for tile in TILES if unwatched.has(tile.needs)]
    assert names == ["progress", "compute", "drift", "truth", "cost"]
    assert replace(unwatched, url="http://here").has("endpoint")


# ---------------------------------------------------------------- what draws them


def states() -> list[State]:
    history = History("accuracy, last 3 runs", [0.5, 0.9, 0.7])
    tiles = list(TILES)
    return [
        State(tiles[0], "good", "version 1", "a <b> & `code`", history=history),
        State(tiles[1], "bad", "1 of 2 runs", "why", "uv run poe pipeline"),
        State(tiles[2], "warning", "90%", "why", "uv run poe check"),
        State(tiles[3], "unknown", "not asked", "why", "uv run poe dashboard --url URL"),
    ]


def test_the_page_says_it_in_words():
    project = settings.load_project(CREDIT / "conf")
    text = page.render(project, states(), NOW)
    assert "<title>credit-risk: 1 bad, 1 warning, 1 not known</title>" in text
    assert "Monday, 11 May 2026, 00:00 UTC" in text
    assert "A &lt;b&gt; &amp; <code>code</code>" in text
    assert 'aria-label="accuracy, last 3 runs: 0.5, 0.9, 0.7"' in text
    assert text.count("<polyline") == 1
    assert text.count("Next: <code>") == 3
    assert "<script" not in text
    assert "report.html" not in text
    assert page.render(project, states(), NOW) == text
    live = page.render(project, states()[:1], NOW, every=10, report=True)
    assert "<title>credit-risk: All is well</title>" in live
    assert "location.reload(), 10000)" in live
    assert 'href="report.html"' in live


def test_a_line_ends_once():
    found = State(TILES[0], "unknown", "1 s", "write a price.", "uv run poe cost")
    assert found.line() == "Progress: unknown, 1 s; write a price. Next: `uv run poe cost`."


def test_the_page_fetches_nothing():
    text = page.render(settings.load_project(CREDIT / "conf"), states(), NOW, every=10)
    assert not re.search(r"(?:src|href)=\"(?!data:,)", text)
    assert "http" not in text


def test_the_workbook_of_the_template_is_this_one():
    text = (CREDIT / "infra" / "workbook.json.tftpl").read_text()
    assert text == workbook.text(), "mlops azure workbook > template/.../workbook.json"
    names = [item["name"] for item in json.loads(text.partition("\n")[2])["items"]]
    assert len(set(names)) == len(names)
    assert {tile.name for tile in TILES} <= set(names)


def test_the_workbook_asks_for_metrics_of_azures_list():
    asked = re.findall(r'MetricName == "([^"]*)"', " ".join(map(workbook.kql, queries())))
    assert len(asked) == 4
    assert set(asked) <= azure_metrics.NAMES["workspace"]
    limited = {query.limits for query in queries()} - {"budget"}
    assert limited <= set(MEASURES)


def queries():
    return [query for tile in TILES for query in tile.queries]


def test_the_commands_on_a_project_with_a_champion(serving, mlops):
    code, said, _ = mlops(serving, "dashboard", "--json")
    assert code == 0
    found = {each["tile"]: each["state"] for each in json.loads(said)}
    assert (found["progress"], found["compute"], found["drift"]) == ("good", "good", "unknown")
    path = serving.root / "outputs" / "dashboard.html"
    code, said, _ = mlops(serving, "dashboard")
    assert code == 0
    assert "Progress: good, version 1; since " in said
    assert "Errors: unknown, not asked; needs --url, the running endpoint. Next: `uv run" in said
    assert "version 1" in path.read_text()
    code, said, _ = mlops(serving, "cost", "--json")
    shown = json.loads(said)
    assert code == 0
    assert shown["currency"] == "EUR"
    last, champion = shown["lines"][:2]
    assert champion["seconds"] > 0
    assert last["seconds"] == champion["seconds"]
    assert last["cost"]["local"] == pytest.approx(last["seconds"] * 0.2 / 3600)
    assert last["cost"]["prod"] is None
    assert "machines.Standard_DS3_v2.hour" in shown["missing"][1]
    code, said, told = mlops(serving, "cost")
    assert "the champion, version 1" in said
    assert "Write what an hour costs, in EUR." in told


METRICS = """\
mlops_model{model="credit-risk",version="1"} 1
mlops_rows_scored_total 50
mlops_requests_total{path="/score",status="200"} 25
mlops_request_seconds_sum{path="/score"} 2
mlops_request_seconds_bucket{path="/score",le="0.1"} 25
mlops_request_seconds_bucket{path="/score",le="+Inf"} 25
"""


def test_the_command_asks_a_running_endpoint(serving, mlops, monkeypatch):
    """Two looks make a rate, for the alerts and for this alike; then nobody answers."""
    monkeypatch.setattr(Shows, "text", METRICS)

    def states() -> dict[str, str]:
        code, said, _ = mlops(serving, "dashboard", "--json", *url)
        assert code == 0
        return {each["tile"]: each["state"] for each in json.loads(said)}

    with ThreadingHTTPServer(("127.0.0.1", 0), Shows) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = ("--url", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setattr(Shows, "text", METRICS.replace('version="1"', 'version="4"'))
        assert states()["progress"] == "warning"
        monkeypatch.setattr(Shows, "text", METRICS)
        (serving.root / ".mlops" / "alerts.json").unlink()
        first = states()
        assert first["progress"] == "good"
        assert (first["errors"], first["availability"]) == ("unknown", "good")
        kept = serving.root / ".mlops" / "alerts.json"
        memory = evaluate.load(kept)
        evaluate.keep(memory.model_copy(update={"at": memory.at - timedelta(minutes=10)}), kept)
        second = states()
        assert (second["errors"], second["availability"]) == ("good", "good")
        lines = json.loads(mlops(serving, "cost", "--json", *url)[1])["lines"]
        found = {line["what"]: line["seconds"] for line in lines}
        assert found["a thousand predictions, endpoint"] == 40
        monkeypatch.setattr(Shows, "text", None)
        assert states()["availability"] == "warning"
        server.shutdown()


def test_it_looks_again_until_it_is_told_to_stop(serving, mlops, monkeypatch):
    waited = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            raise UsageError("enough")

    monkeypatch.setattr(time, "sleep", sleep)
    code, said, _ = mlops(serving, "dashboard", "--every", "5")
    assert (code, waited, said.count("Progress: good")) == (2, [5, 5], 2)
    assert "reload(), 5000)" in (serving.root / "outputs" / "dashboard.html").read_text()


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        ("since today", "Since today"),
        ("conf/dev.yml: `quota` is missing", "conf/dev.yml: <code>quota</code> is missing"),
    ],
)
def test_a_reason_begins_with_a_capital_but_a_file_keeps_its_name(why, shown):
    project = settings.load_project(CREDIT / "conf")
    text = page.render(project, [replace(states()[0], why=why)], NOW)
    assert f'<p class="why">{shown}</p>' in text
