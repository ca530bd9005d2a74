"""Alerts: each has a limit, somebody whom it reaches, and a page that says what to do."""

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient
from mlops_platform import cli, evidence, settings
from mlops_platform.alerts import config, evaluate, prometheus, runbook, scrape, state
from mlops_platform.alerts.measures import MEASURES
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.serving.app import create
from mlops_platform.serving.scorer import Scorer
from prometheus_client.parser import text_string_to_metric_families

from package.tests import azure_metrics, models
from package.tests.test_app import ROW
from package.tests.workspaces import CREDIT, TEAM

NOW = datetime(2026, 5, 8, 12, 0, tzinfo=UTC)
ALERTS = config.load(CREDIT / "conf")
MEMBERS = settings.load_team(CREDIT / "conf")
IN_PROMETHEUS = {name: alert for name, alert in ALERTS.items() if alert.of.prometheus}
BAD = {  # series that make each alert fire, over two hours in steps of a minute
    "EndpointDown": {},
    "ErrorsHigh": {'mlops_requests_total{job="credit-risk",path="/score",status="500"}': "0+9x120"},
    "AnswersSlow": {
        'mlops_request_seconds_bucket{job="credit-risk",path="/score",le="0.5"}': "0+1x120",
        'mlops_request_seconds_bucket{job="credit-risk",path="/score",le="1.0"}': "0+60x120",
        'mlops_request_seconds_bucket{job="credit-risk",path="/score",le="+Inf"}': "0+60x120",
    },
    "RequestsRefused": {
        'mlops_requests_total{job="credit-risk",path="/score",status="422"}': "0+9x120"
    },
    "DataDrifted": {'mlops_drift{job="credit-risk"}': "1x120"},
    "ModelBroken": {'mlops_truth{job="credit-risk"}': "2x120"},
    "ModelOld": {'mlops_model_trained_timestamp_seconds{job="credit-risk"}': "-16000000x120"},
}
GOOD = {
    'mlops_model{job="credit-risk",model="credit-risk",version="3"}': "1x120",
    'mlops_requests_total{job="credit-risk",path="/score",status="200"}': "0+600x120",
    'mlops_requests_total{job="credit-risk",path="/score",status="422"}': "0+1x120",
    'mlops_request_seconds_bucket{job="credit-risk",path="/score",le="0.5"}': "0+600x120",
    'mlops_request_seconds_bucket{job="credit-risk",path="/score",le="+Inf"}': "0+600x120",
    'mlops_drift{job="credit-risk"}': "0x120",
    'mlops_truth{job="credit-risk"}': "1x120",
    'mlops_model_trained_timestamp_seconds{job="credit-risk"}': "0x120",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An endpoint that has answered well, refused, and been told of drift."""
    folder = models.train("credit_risk", tmp_path_factory.mktemp("alerts") / "model")
    scorer = Scorer(folder, "credit-risk", "3", TEAM)
    found = {"3": {"drift": 1.0, "truth": 2.0}}
    with TestClient(create(scorer, verdicts=lambda version: found[version])) as client:
        assert client.post("/score", json={"rows": [ROW]}).status_code == 200
        assert client.post("/score", json=[]).status_code == 422
        yield client


def tool(name: str) -> str:
    """A program of Prometheus; `.ci/run` installs Debian's."""
    found = shutil.which(name)
    if not found and sys.platform != "linux":
        pytest.skip(f"{name} is Debian's")
    return found or pytest.fail(f"{name} is missing: .ci/run says which package has it")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rule(name: str, series: dict[str, str], *, fires: bool) -> dict[str, object]:
    """A test of promtool: an alert after two hours of these series."""
    alert = ALERTS[name]
    labels = {"project": "credit-risk", "role": alert.role, "severity": alert.severity}
    return {
        "interval": "1m",
        "input_series": [{"series": key, "values": text} for key, text in series.items()],
        "promql_expr_test": [],
        "alert_rule_test": [
            {
                "eval_time": "2h",
                "alertname": name,
                "exp_alerts": [{"exp_labels": labels}] if fires else [],
            }
        ],
    }


def promtool(folder: Path, tests: list[dict[str, object]]) -> subprocess.CompletedProcess[str]:
    rules = prometheus.rules("credit-risk", ALERTS, CREDIT / "docs")
    plain = yaml.safe_load(rules)
    for each in plain["groups"][0]["rules"]:
        del each["annotations"]  # a test would have to repeat the value
    (folder / "rules.yml").write_text(yaml.safe_dump(plain))
    content = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}
    (folder / "tests.yml").write_text(yaml.safe_dump(content))
    return run(tool("promtool"), "test", "rules", str(folder / "tests.yml"))


def test_prometheus_accepts_the_rules(tmp_path):
    (tmp_path / "rules.yml").write_text(prometheus.rules("credit-risk", ALERTS, CREDIT / "docs"))
    checked = run(
        tool("promtool"),
        "check",
        "rules",
        "--lint=all",
        "--lint-fatal",
        str(tmp_path / "rules.yml"),
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(IN_PROMETHEUS)} rules found" in checked.stdout


def test_each_alert_fires_as_planted_and_is_silent_else(tmp_path):
    assert set(BAD) == set(IN_PROMETHEUS)
    tests = [rule(name, GOOD, fires=False) for name in BAD]
    for name, bad in BAD.items():
        tests.append(rule(name, (GOOD | bad) if bad else {}, fires=True))
    checked = promtool(tmp_path, tests)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", BAD)
def test_an_alert_that_does_not_fire_is_found(tmp_path, name):
    checked = promtool(tmp_path, [rule(name, GOOD, fires=True)])
    assert checked.returncode != 0


def test_the_running_service_has_each_metric_and_label_of_the_rules(client):
    """prometheus_client changes names: a counter gets `_total`."""
    shown = client.get("/metrics").text
    samples = [
        sample for family in text_string_to_metric_families(shown) for sample in family.samples
    ]
    for alert in IN_PROMETHEUS.values():
        for name, asked in re.findall(r"(mlops_\w+)\{([^}]*)\}", alert.of.prometheus):
            labels = dict(re.findall(r'(\w+)=~?"([^"]*)"', asked))
            assert labels.pop("job") == "JOB"  # Prometheus adds it
            status = labels.pop("status", None)
            found = [
                each
                for each in samples
                if each.name == name and labels.items() <= each.labels.items()
            ]
            assert found, (name, labels)
            if status:
                assert all(re.fullmatch(r"\d{3}", each.labels["status"]) for each in found)
    assert {
        each.name: each.value for each in samples if each.name in ("mlops_drift", "mlops_truth")
    } == {
        "mlops_drift": 1,
        "mlops_truth": 2,
    }


@pytest.mark.parametrize("name", IN_PROMETHEUS)
def test_each_alert_reaches_its_role_and_a_page_who_is_on_call(tmp_path, name):
    path, alert = tmp_path / "routes.yml", ALERTS[name]
    path.write_text(prometheus.routes("credit-risk", MEMBERS))
    expected = [prometheus.ON_CALL] if alert.severity == "page" else []
    labels = ("project=credit-risk", f"role={alert.role}", f"severity={alert.severity}")
    receivers = ",".join([*expected, alert.role])
    command = (tool("amtool"), "config", "routes", "test", f"--config.file={path}")
    checked = run(*command, f"--verify.receivers={receivers}", *labels)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert run(tool("amtool"), "check-config", str(path)).returncode == 0


def test_a_route_that_stops_too_early_is_found(tmp_path):
    content = yaml.safe_load(prometheus.routes("credit-risk", MEMBERS))
    del content["route"]["routes"][0]["routes"][0]["continue"]
    path = tmp_path / "routes.yml"
    path.write_text(yaml.safe_dump(content))
    command = (tool("amtool"), "config", "routes", "test", f"--config.file={path}")
    labels = ("project=credit-risk", "role=ml_engineer", "severity=page")
    assert run(*command, "--verify.receivers=on-call,ml_engineer", *labels).returncode != 0


def test_the_addresses_are_those_of_the_team():
    team = settings.Team.model_validate(
        {
            "roles": {
                "ml_engineer": {"address": "ml@example.com", "on_call": True},
                "data_engineer": {"address": "data@example.com"},
            }
        }
    )
    content = yaml.safe_load(prometheus.routes("credit-risk", team))
    assert {
        each["name"]: [to["to"] for to in each["email_configs"]] for each in content["receivers"]
    } == {
        "on-call": ["ml@example.com"],
        "ml_engineer": ["ml@example.com"],
        "data_engineer": ["data@example.com"],
    }


def counters(requests: dict[str, float], *, slow: float = 0, fast: float = 0) -> scrape.Counters:
    within = {0.5: fast, 1.0: fast + slow, float("inf"): fast + slow}
    return scrape.Counters(requests, within)


def test_the_seconds_and_rows_of_a_running_service_are_read(client):
    found = scrape.parse(client.get("/metrics").text, "here")
    assert found.rows == 1
    assert found.seconds > 0


def test_rates_are_of_the_time_between_two_looks():
    first = evaluate.remember(
        [], counters({"200": 100, "500": 3}, fast=100), evaluate.Memory(), NOW, asked=True
    )
    later = counters({"200": 160, "500": 23, "422": 5}, fast=100, slow=60)
    measured = evaluate.measure(later, first, NOW + timedelta(minutes=10))
    assert measured == {
        "down": 0,
        "errors_per_minute": 2,
        "refused_per_minute": 0.5,
        "seconds_p95": pytest.approx(0.5 + 0.5 * 0.95),
    }


def test_a_process_that_was_started_again_counts_from_zero():
    first = evaluate.remember([], counters({"500": 90}), evaluate.Memory(), NOW, asked=True)
    measured = evaluate.measure(counters({"500": 4}), first, NOW + timedelta(minutes=2))
    assert measured["errors_per_minute"] == 2


def test_what_is_not_known_is_said_and_never_silent():
    measured = evaluate.measure(counters({"500": 9}), evaluate.Memory(), NOW)
    verdicts = evaluate.judge(
        {"ErrorsHigh": ALERTS["ErrorsHigh"]}, measured, evaluate.Memory(), NOW
    )
    assert [(each.word, each.why) for each in verdicts] == [
        ("not measured", "a rate needs two looks: run this again")
    ]


def test_an_alert_fires_when_it_was_above_for_long_enough():
    alert = {"ErrorsHigh": ALERTS["ErrorsHigh"]}  # above 1 for 10 minutes
    memory, words = evaluate.Memory(), []
    for minute, value in ((0, 3.0), (9, 3.0), (10, 3.0), (11, 0.5), (12, 3.0), (21, 3.0)):
        now = NOW + timedelta(minutes=minute)
        verdicts = evaluate.judge(alert, {"errors_per_minute": value}, memory, now)
        memory = evaluate.remember(verdicts, None, memory, now, asked=True)
        words.append(verdicts[0].word)
    assert words == ["pending", "pending", "fires", "silent", "pending", "pending"]


def test_a_clock_that_is_set_back_delays_an_alert_by_no_more_than_its_time():
    alert = {"ErrorsHigh": ALERTS["ErrorsHigh"]}  # above 1 for 10 minutes
    memory = evaluate.Memory(since={"ErrorsHigh": NOW + timedelta(days=365)})
    verdicts = evaluate.judge(alert, {"errors_per_minute": 3.0}, memory, NOW)
    memory = evaluate.remember(verdicts, None, memory, NOW, asked=True)
    later = evaluate.judge(alert, {"errors_per_minute": 3.0}, memory, NOW + timedelta(minutes=10))
    assert [verdicts[0].word, later[0].word] == ["pending", "fires"]


@pytest.mark.parametrize("field", ['"at": "2026-05-08T12:00:00"', '"shape": "alerts/9"', "{"])
def test_a_damaged_memory_is_named(tmp_path, field):
    path = tmp_path / "alerts.json"
    path.write_text(f"{{{field}}}")
    with pytest.raises(UsageError, match=r"alerts\.json: is damaged\. Delete it"):
        evaluate.load(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match=r"alerts\.json: is damaged\. Delete it"):
        evaluate.load(path)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://[", "http://127.0.0.1:99999"]
)
def test_what_is_no_address_is_not_an_endpoint_that_is_down(url):
    with pytest.raises(UsageError, match="is no address"):
        scrape.read(url)


def test_a_look_that_does_not_ask_the_endpoint_forgets_nothing_of_it():
    alert = {"ErrorsHigh": ALERTS["ErrorsHigh"]}
    verdicts = evaluate.judge(alert, {"errors_per_minute": 3.0}, evaluate.Memory(), NOW)
    before = evaluate.remember(verdicts, counters({"500": 9}), evaluate.Memory(), NOW, asked=True)
    later = NOW + timedelta(minutes=5)
    unasked = evaluate.judge(alert, evaluate.UNASKED, before, later)
    assert evaluate.remember(unasked, None, before, later, asked=False) == before
    down = evaluate.remember(unasked, None, before, later, asked=True)
    assert (down.at, down.since) == (None, {})


def test_the_counters_of_a_running_endpoint_are_read(client):
    found = scrape.parse(client.get("/metrics").text, "here")
    assert found.requests == {"200": 1, "422": 1}
    assert found.within[float("inf")] == 2
    assert found.version == "3"
    with pytest.raises(UsageError, match="no endpoint of a project"):
        scrape.parse("up 1\n", "here")


def test_an_endpoint_that_does_not_answer_is_down():
    assert scrape.read("http://127.0.0.1:9") is None
    measured = evaluate.measure(None, evaluate.Memory(), NOW)
    assert measured["down"] == 1
    with pytest.raises(UsageError, match="is no address"):
        scrape.read("127.0.0.1:8000")


def test_each_alert_has_a_written_section():
    runbook.require_written(CREDIT / "docs", ALERTS)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("## ModelOld", "## ModelAged", "no section `### ModelOld`"),
        ("Means: nobody has trained for a long time.", "Means: TODO", "`Means:` is not written"),
        ("Look: `uv run mlops models`.\n", "", "`Look:` is not written"),
        ("Look: `uv run mlops models`.", "Look:", "`Look:` is not written"),
    ],
)
def test_a_section_that_is_missing_or_unwritten_is_named(workspace, old, new, message):
    page = workspace.root / "docs" / "alerts.md"
    text = page.read_text()
    assert old in text
    page.write_text(text.replace(old, new))
    with pytest.raises(GateError, match=message):
        cli.invoke(["settings", "--conf", str(workspace.conf)])


def test_a_page_that_is_no_text_is_named(workspace):
    (workspace.root / "docs" / "alerts.md").write_bytes(b"## ModelOld \xe9")
    with pytest.raises(GateError, match=r"alerts\.md: cannot be read as UTF-8 text"):
        cli.invoke(["settings", "--conf", str(workspace.conf)])


def test_the_runbook_of_the_team_comes_first(workspace):
    docs = workspace.root / "docs"
    (docs / "runbook.md").write_text("### ModelOld\n\nMeans: nothing.\nLook: away.\nDo: TODO\n")
    assert runbook.page_of(docs, "ModelOld") == docs / "runbook.md"
    with pytest.raises(UsageError, match=r"runbook\.md, section `ModelOld`: `Do:` is not written"):
        runbook.require_written(docs, ALERTS)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"measure": "errors"}, "unknown measure 'errors'"),
        ({"for": "10"}, "for"),
        ({"for": "99999999999999d"}, "for"),  # more days than a duration can have
        ({"above": -1}, "above"),
        ({"severity": "high"}, "severity"),
        ({"role": "boss"}, "role"),
    ],
)
def test_a_fault_in_the_file_names_the_field(workspace, fields, message):
    path = workspace.conf / "alerts.yml"
    content = yaml.safe_load(path.read_text())
    content["alerts"]["ModelOld"] |= fields
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UsageError, match=message):
        config.load(workspace.conf)


def test_a_project_of_before_is_told_how_it_gets_alerts(workspace):
    (workspace.conf / "alerts.yml").unlink()
    with pytest.raises(UsageError, match=r"does not exist.*template-update"):
        config.load(workspace.conf)


def test_a_role_that_nobody_has_is_named(workspace):
    path = workspace.conf / "team.yml"
    content = yaml.safe_load(path.read_text())
    del content["roles"]["data_scientist"]
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UsageError, match=r"alerts\.ModelOld\.role`: nobody .* is data_scientist"):
        config.load(workspace.conf)


def test_what_azure_measures_is_of_azures_list():
    for measure in MEASURES.values():
        assert measure.prometheus or measure.azure
        if measure.azure:
            assert measure.azure.metric in azure_metrics.NAMES[measure.azure.resource]


def test_the_command_says_what_fires_and_whom_to_tell(workspace, capsys, monkeypatch):
    monkeypatch.chdir(workspace.root)
    cli.invoke(["run", "pipelines/train.yml"])
    cli.invoke(["promote"])
    cli.invoke(["alerts"])
    said = capsys.readouterr().out
    assert "ModelOld: silent, model_age_days is" in said
    assert "DataDrifted: not measured, the monitor has not judged this version" in said
    assert "ErrorsHigh: not measured, needs --url, the running endpoint" in said
    lacks = "no prediction of version 1 is kept yet, score new rows with it first"
    assert f"ModelBroken: not measured, {lacks}: `uv run poe batch --input data=PATH`" in said
    path = workspace.conf / "alerts.yml"
    path.write_text(path.read_text().replace("above: 180", "above: 0"))
    with pytest.raises(GateError, match=r"ModelOld: fires.*ticket.*docs/alerts.md, ModelOld"):
        cli.invoke(["alerts", "--json"])
    (workspace.root / "docs" / "alerts.md").unlink()  # then the section belongs to the team's page
    with pytest.raises(GateError, match=r"ModelOld: fires.*docs/runbook.md, ModelOld"):
        cli.invoke(["alerts"])


def test_verdicts_are_those_of_the_version_that_serves(workspace, monkeypatch):
    monkeypatch.chdir(workspace.root)
    cli.invoke(["run", "pipelines/train.yml"])
    cli.invoke(["promote"])
    cli.invoke(["monitor"])
    outputs = workspace.root / "outputs"
    assert state.verdicts(outputs, "1") == {"drift": 0.0}
    assert state.verdicts(outputs, "2") == {}
    cli.invoke(["truth"])
    path = next(outputs.glob("truth/*/judge/evidence/truth.json"))
    report = evidence.read(evidence.TruthReport, path)
    assert {each.verdict for each in report.versions} <= {"not yet"}
    assert state.verdicts(outputs, "1") == {"drift": 0.0}  # no verdict is no number
    for verdict, value in (("holds", 0.0), ("doubtful", 1.0), ("broken", 2.0)):
        judged = evidence.VersionTruth(version="1", role="champion", verdict=verdict, message="")
        evidence.write(report.model_copy(update={"versions": [judged]}), path)
        assert state.verdicts(outputs, "1") == {"drift": 0.0, "truth": value}


@pytest.mark.parametrize(
    ("form", "checked"),
    [("prometheus", ("promtool", "check", "rules")), ("alertmanager", ("amtool", "check-config"))],
)
def test_the_command_prints_for_other_programs(workspace, capsys, tmp_path, form, checked):
    cli.invoke(["alerts", "--as", form, "--conf", str(workspace.conf)])
    path = tmp_path / f"{form}.yml"
    path.write_text(capsys.readouterr().out)
    assert run(tool(checked[0]), *checked[1:], str(path)).returncode == 0


class Shows(BaseHTTPRequestHandler):
    """An address that shows metrics, or fails."""

    text: str | None = None

    def do_GET(self) -> None:
        """The library's name for GET."""
        self.send_response(200 if self.text and self.path == "/metrics" else 503)
        self.end_headers()
        self.wfile.write((self.text or "").encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Say nothing."""


def test_the_command_asks_the_endpoint(workspace, capsys, client, monkeypatch):
    """Two looks make a rate; an endpoint that fails is down for as long as conf/alerts.yml says."""
    monkeypatch.chdir(workspace.root)
    cli.invoke(["run", "pipelines/train.yml"])
    cli.invoke(["promote"])
    monkeypatch.setattr(Shows, "text", client.get("/metrics").text)
    with ThreadingHTTPServer(("127.0.0.1", 0), Shows) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asks = ["alerts", "--url", f"http://127.0.0.1:{server.server_address[1]}"]
        cli.invoke(asks)
        kept = workspace.root / ".mlops" / "alerts.json"
        memory = evaluate.load(kept)
        assert memory.requests == {"200": 1, "422": 1}
        earlier = memory.at - timedelta(minutes=10)
        evaluate.keep(memory.model_copy(update={"at": earlier, "requests": {"200": 1}}), kept)
        cli.invoke(asks)
        said = capsys.readouterr().out
        assert "EndpointDown: silent, down is 0" in said
        assert "ErrorsHigh: not measured, a rate needs two looks" in said
        assert re.search(r"RequestsRefused: silent, refused_per_minute is 0\.(1|09\d*), ", said)
        monkeypatch.setattr(Shows, "text", None)
        cli.invoke(asks)
        memory = evaluate.load(kept)
        since = memory.since["EndpointDown"] - timedelta(minutes=3)
        evaluate.keep(memory.model_copy(update={"since": {"EndpointDown": since}}), kept)
        with pytest.raises(GateError, match=r"EndpointDown: fires, down is 1.*page"):
            cli.invoke(asks)
        server.shutdown()
