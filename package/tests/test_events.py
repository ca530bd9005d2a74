"""Events: read as Azure sends them, decided by what is so now, done once."""

import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.eventgrid import SystemEventNames
from mlops_platform import cli, evidence, settings
from mlops_platform.cli import handling
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.events import log, parse
from mlops_platform.events.decide import BREACH, Facts, decide
from mlops_platform.monitoring import retraining
from mlops_platform.monitoring.retraining import NewRows
from mlops_platform.tracking import experiments

from package.tests.event_samples import DATA, FOUND, NAME, REGISTERED, breach, make
from package.tests.test_retraining import add_rows, drifted
from package.tests.workspaces import CREDIT, Workspace

Mlops = Callable[..., tuple[int, str, str]]


def read(event: Any) -> parse.Event:
    (found,) = parse.read(json.dumps(event), "event.json")
    return found


def test_the_names_are_those_of_microsofts_library() -> None:
    theirs = {each.value for each in SystemEventNames if parse.PREFIX in each.value}
    assert set(parse.KINDS) == theirs
    assert set(parse.FIELDS) == set(DATA) == set(parse.KINDS.values())


@pytest.mark.parametrize("kind", DATA)
def test_both_schemas_one_or_a_list_and_any_case_are_read(kind: str) -> None:
    plain = make(kind)
    cloud = {"specversion": "1.0", "source": "w", "type": plain["eventType"]}
    cloud |= {"time": plain["eventTime"]} | {key: plain[key] for key in ("id", "subject", "data")}
    assert read(cloud) == read(plain) == read([plain])
    lower = plain | {"data": {key.lower(): value for key, value in plain["data"].items()}}
    assert read(lower).models == read(plain).models if "Model" in kind else True
    assert read(lower).text("runId") == read(plain).text("runId")


def without(event: dict[str, Any], *path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(event))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return copy


MALFORMED = {
    "no JSON": ("{", "event.json: is no JSON ("),
    "another number": ("1", "event.json: an event is an object, got '1'"),
    "nothing": ([], "event.json: holds no event"),
    "a list of texts": (["a"], "event.json, field `0`: an event is an object, got 'a'"),
    "no type": (without(REGISTERED, "eventType"), "field `eventType`: is missing or empty"),
    "another service": (
        REGISTERED | {"eventType": "Microsoft.Storage.BlobCreated"},
        "field `eventType`: 'Microsoft.Storage.BlobCreated' is no event of Azure Machine Learning",
    ),
    "no id": (without(REGISTERED, "id"), "field `id`: is missing or empty"),
    "an empty id": (REGISTERED | {"id": " "}, "field `id`: expected a text, got ' '"),
    "no time": (without(REGISTERED, "eventTime"), "field `eventTime`: is missing"),
    "no data": (without(REGISTERED, "data"), "field `data`: is missing"),
    "data as a text": (REGISTERED | {"data": "x"}, "field `data`: expected an object, got 'x'"),
    "no version": (without(REGISTERED, "data", "ModelVersion"), "field `data.ModelVersion`: is"),
    "true as version": (make("ModelRegistered", ModelVersion=True), "expected a text, got 'True'"),
    "a list as version": (make("ModelRegistered", ModelVersion=[1]), "expected a text, got '[1]'"),
    "no run": (without(make("RunCompleted"), "data", "runId"), "field `data.runId`: is missing"),
    "no status": (make("RunStatusChanged", runStatus=None), "field `data.runStatus`: is missing"),
    "no number": (make("ModelDeployed", ModelIds=NAME), "'credit-risk' names no version"),
    "commas": (make("ModelDeployed", ModelIds=", ,"), "field `data.ModelIds`: ', ,' names no"),
    "the second of two": (
        [REGISTERED, without(REGISTERED, "id")],
        "event.json, field `1.id`: is missing or empty",
    ),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_event_is_named_with_file_and_field(fault: str) -> None:
    content, message = MALFORMED[fault]
    with pytest.raises(UsageError) as caught:
        parse.read(content if isinstance(content, str) else json.dumps(content), "event.json")
    assert message in str(caught.value)
    assert "event.json" in str(caught.value)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there\.json: does not exist"):
        parse.load(tmp_path / "there.json")
    with pytest.raises(UsageError, match=r"has no file `\*\.json`"):
        parse.load(tmp_path)
    (tmp_path / "latin.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(UsageError, match=r"latin\.json: is no JSON .*, or delete it\.$"):
        parse.load(tmp_path)


ROLES = {"1": "archived", "2": "champion", "3": "challenger", "4": "rejected"}
V = "ModelVersion"
DECISIONS: dict[str, tuple[dict[str, Any], str, str, tuple[str, ...]]] = {
    "failed": (make("RunStatusChanged"), "tell", "run a failed", ("ml_engineer",)),
    "running": (make("RunStatusChanged", runStatus="Running"), "nothing", "has not ended", ()),
    "canceled": (make("RunStatusChanged", runStatus="Canceled"), "nothing", "found anything", ()),
    "ended": (make("RunCompleted"), "nothing", "ended well", ()),
    "breach": (breach(), "retrain", FOUND, ()),
    "breach in other case": (
        make("RunStatusChanged", runTags=None, RunTags={BREACH.upper(): FOUND}),
        "tell",
        "run a failed",
        ("ml_engineer",),
    ),
    "breach, not ended": (breach(runStatus="Running"), "nothing", "has not ended", ()),
    "breach, then completed": (breach(runStatus="Completed"), "retrain", FOUND, ()),
    "breach of others": (
        make("RunStatusChanged", runTags={BREACH: FOUND, "project": "other"}),
        "nothing",
        "of another project: other",
        (),
    ),
    "challenger": (
        make("ModelRegistered", **{V: "3"}),
        "test",
        "version 3 is the new challenger",
        ("model_validator",),
    ),
    "rejected": (make("ModelRegistered", **{V: 4}), "nothing", "version 4 is rejected", ()),
    "registered late": (make("ModelRegistered", **{V: 1}), "nothing", "1 is archived", ()),
    "not there": (make("ModelRegistered", **{V: 9}), "wait", "9 does not exist; there are: 1,", ()),
    "of others": (make("ModelRegistered", ModelName="x"), "nothing", "another model: x", ()),
    "champion deployed": (
        make("ModelDeployed", ModelIds=f"x:7,{NAME}:2"),
        "tell",
        "version 2, champion, was deployed",
        ("ml_engineer", "model_validator", "domain_expert"),
    ),
    "deployed late": (
        make("ModelDeployed"),
        "nothing",
        "version 1 is archived by now, and the champion is version 2",
        (),
    ),
    "a word as version": (
        make("ModelRegistered", ModelVersion="abc"),
        "nothing",
        "are numbers",
        (),
    ),
    "a long version": (
        make("ModelDeployed", ModelIds=f"{NAME}:{10**50}"),
        "nothing",
        "numbers",
        (),
    ),
    "deployed, not there": (make("ModelDeployed", ModelIds=f"{NAME}:9"), "wait", "not exist", ()),
    "v1": (make("DatasetDriftDetected"), "nothing", "v1, which is retired", ()),
}


@pytest.mark.parametrize("case", DECISIONS)
def test_each_decision(case: str) -> None:
    event, action, why, told = DECISIONS[case]
    found = decide(read(event), NAME, Facts(roles=ROLES))
    assert (found.action, found.tell) == (action, told)
    assert why in found.why


def test_the_tag_of_a_breach_is_read_in_any_case() -> None:
    found = {key: value for key, value in DATA["RunStatusChanged"].items() if key != "runTags"}
    event = make("RunStatusChanged") | {"data": found | {"RUNTAGS": {BREACH.title(): FOUND}}}
    assert decide(read(event), NAME).action == "retrain"
    assert decide(read(event), NAME).drift == FOUND


def test_without_facts_somebody_else_asks_for_them() -> None:
    assert decide(read(REGISTERED), NAME).action == "test"
    assert decide(read(make("ModelDeployed")), NAME).action == "tell"


def test_a_failure_that_is_over_tells_nobody() -> None:
    found = decide(read(make("RunStatusChanged")), NAME, Facts(passed_since="run-8"))
    assert (found.action, found.tell) == ("nothing", ())
    assert "run-8 has passed since" in found.why


def test_a_role_that_nobody_has_reaches_those_on_call() -> None:
    team = settings.load_team(CREDIT / "conf")
    told = log.people(team, ("model_validator", "domain_expert"))
    assert [each.role for each in told] == ["model_validator", "domain_expert"]
    fewer = {role: each for role, each in team.roles.items() if role != "model_validator"}
    on_call = [each.address for each in fewer.values() if each.on_call]
    found = log.people(team.model_copy(update={"roles": fewer}), ("model_validator",))
    assert [each.address for each in found] == on_call
    assert on_call


def given(workspace: Workspace, *events: dict[str, Any]) -> str:
    (workspace.root / "event.json").write_text(json.dumps(list(events)))
    return "event.json"


def kept(workspace: Workspace) -> list[log.Handled]:
    return log.load(workspace.root).handled


def left(workspace: Workspace) -> list[str]:
    """Events that commands left, oldest first."""
    files = sorted((workspace.root / ".mlops" / "events").glob("*.json"))
    return [parse.load(file)[0].kind for file in files]


def test_nothing_is_done_without_do_and_each_event_once_with_it(
    trained: Workspace, mlops: Mlops
) -> None:
    file = given(trained, make("RunStatusChanged"), make("ModelDeployed", "e2", ModelIds="x:1"))
    code, said, _ = mlops(trained, "event", file)
    assert code == 0
    address = settings.load_team(trained.conf).roles["ml_engineer"].address
    assert f"RunStatusChanged e1: would tell: run a failed. Would tell: {address} (ml_" in said
    assert "ModelDeployed e2: would do nothing: it is of another model: x" in said
    assert kept(trained) == []
    assert mlops(trained, "event", file, "--do")[0] == 0
    first = kept(trained)
    assert [(each.id, each.done) for each in first] == [("e1", "tell"), ("e2", "nothing")]
    assert [each.address for each in first[0].told] == [address]
    code, said, _ = mlops(trained, "event", file, "--do")
    assert (code, said.count("nothing: handled at")) == (0, 2)
    assert kept(trained) == first


def test_the_same_event_twice_in_a_file_is_done_once(trained: Workspace, mlops: Mlops) -> None:
    file = given(trained, make("RunStatusChanged"), make("RunStatusChanged"))
    assert mlops(trained, "event", file, "--do")[0] == 0
    assert len(kept(trained)) == 1


def test_an_event_of_a_version_that_is_not_there_waits(trained: Workspace, mlops: Mlops) -> None:
    file = given(trained, make("ModelRegistered", ModelVersion="9"), make("RunCompleted", "e2"))
    code, _, err = mlops(trained, "event", file, "--do")
    assert code == 2
    assert "version 9 does not exist; there are: 1. Nothing was done; give the event again" in err
    assert [each.id for each in kept(trained)] == ["e2"]


def test_old_events_do_no_harm(serving: Workspace, mlops: Mlops) -> None:
    roles = serving.roles()
    file = given(serving, make("ModelRegistered"), make("ModelDeployed", "e2"))
    code, said, _ = mlops(serving, "event", file, "--do")
    assert code == 0
    assert "version 1 is champion: there is nothing to decide on it" in said
    assert "version 1, champion, was deployed" in said
    assert serving.roles() == roles


def test_a_breach_only_notifies_until_there_are_new_labels(
    serving: Workspace, mlops: Mlops
) -> None:
    serving.change("train.yml", retrain={"cool_down_hours": 0})
    drifted(serving)
    assert mlops(serving, "monitor", "--current", "now")[0] == 1
    assert left(serving) == ["RunStatusChanged"]
    code, said, _ = mlops(serving, "event")
    assert code == 0
    assert "would retrain: a monitor found: " in said
    assert "/now has drifted from what version 1 was trained on; no retraining" in said
    assert "new labelled rows: there are none since the last training" in said
    assert not (serving.root / "outputs" / "retraining.json").exists()
    assert mlops(serving, "event", "--do")[0] == 0
    assert serving.roles() == {"1": "champion"}
    assert {each.role for each in kept(serving)[0].told} == {"domain_expert", "data_engineer"}
    add_rows(serving, 200)
    assert mlops(serving, "event", "--do")[0] == 0
    assert serving.roles() == {"1": "champion"}  # that event is over
    assert mlops(serving, "event", given(serving, breach()))[1].count("retraining for drift") == 1
    assert mlops(serving, "event", "event.json", "--do")[0] == 0
    assert len(serving.roles()) == 2
    assert serving.roles()["1"] == "champion"
    assert kept(serving)[-1].done == "retrain"
    assert left(serving) == ["RunStatusChanged", "ModelRegistered"]
    assert log.load(serving.root).begun == {}


@pytest.mark.parametrize("blocked", [False, True])
def test_a_new_challenger_is_tested_and_the_validator_told(
    trained: Workspace, mlops: Mlops, monkeypatch: pytest.MonkeyPatch, *, blocked: bool
) -> None:
    def check(conf: Path, *, as_json: bool) -> None:
        assert (conf, as_json) == (Path("conf"), False)
        if blocked:
            raise GateError("2 of 9 checks block this version at stage operate:\n  limits: ...")

    monkeypatch.setattr("mlops_platform.cli.ethics.run_checks", check)
    code, _, err = mlops(trained, "event", given(trained, REGISTERED), "--do")
    assert code == blocked
    (handled,) = kept(trained)
    assert [each.role for each in handled.told] == ["model_validator"]
    if blocked:
        message = "version 1 failed its offline test: 2 of 9 checks block this version"
        assert handled.message == f"{message} at stage operate"
        assert message in err
    else:
        assert handled.message.startswith("version 1 passed its offline test: roc_auc 0.")


@pytest.mark.parametrize("blocked", [False, True])
def test_in_ci_the_page_of_the_job_says_whom_to_tell(
    trained: Workspace, monkeypatch: pytest.MonkeyPatch, *, blocked: bool
) -> None:
    def check(conf: Path, *, as_json: bool) -> None:
        if blocked:
            raise GateError("2 of 9 checks block this version")

    page = trained.root / "page.md"
    monkeypatch.chdir(trained.root)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    monkeypatch.setattr("mlops_platform.cli.ethics.run_checks", check)
    address = settings.load_team(trained.conf).roles["model_validator"].address
    if blocked:
        with pytest.raises(GateError, match=f"2 of 9 checks .*Tell {address}"):
            handling.examine(Path("conf"), "1")
    else:
        handling.examine(Path("conf"), "1")
    word = "failed" if blocked else "passed"
    assert f"version 1 {word} its offline test: " in page.read_text()
    assert f"For: {address} (model_validator)" in page.read_text()


def test_a_challenger_with_another_model_fails_its_test(trained: Workspace, mlops: Mlops) -> None:
    (version,) = trained.registry.versions()
    trained.registry.mark(version.run_id, {"predictions_hash": "0" * 64})
    code, _, err = mlops(trained, "event", given(trained, REGISTERED), "--do")
    assert code == 1
    assert "version 1 failed its offline test: the registered model does not predict as" in err
    assert [each.role for each in kept(trained)[0].told] == ["model_validator"]


def test_a_version_of_an_earlier_training_is_not_tested_on_the_rows_of_another(
    trained: Workspace, mlops: Mlops
) -> None:
    file = trained.step("train") / "evidence" / "training.json"
    content = json.loads(file.read_text())
    file.unlink()  # a hard link to the file of all tests
    file.write_text(json.dumps(content | {"run_id": "another"}))
    code, _, err = mlops(trained, "event", given(trained, REGISTERED), "--do")
    assert (code, "the last training is not that of version 1" in err) == (1, True)


def test_promotion_and_rollback_leave_events(trained: Workspace, mlops: Mlops) -> None:
    trained.change("project.yml", stage="explore")
    assert mlops(trained, "promote", "--why", "it is better")[0] == 0
    assert left(trained) == ["ModelDeployed"]
    code, said, _ = mlops(trained, "event")
    assert (code, "would tell: version 1, champion, was deployed" in said) == (0, True)


def test_a_failed_training_leaves_an_event_until_one_passed(
    workspace: Workspace, mlops: Mlops
) -> None:
    text = (workspace.raw / "credit.csv").read_text()
    (workspace.raw / "credit.csv").write_text(text.replace(",0.", ",7."))
    assert mlops(workspace, "run", "pipelines/train.yml")[0] == 1
    assert left(workspace) == ["RunStatusChanged"]
    assert "would tell: run run-1 failed" in mlops(workspace, "event")[1]
    (workspace.root / "outputs" / "train" / "run-2").mkdir()
    (workspace.root / "outputs" / "train" / "latest.txt").write_text("run-2\n")
    assert "run run-1 failed, and run-2 has passed since" in mlops(workspace, "event")[1]


def test_without_events_there_is_nothing_to_say(workspace: Workspace, mlops: Mlops) -> None:
    assert mlops(workspace, "event")[:2] == (0, "no events in .mlops/events\n")


def killed(workspace: Workspace, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handle the event in a process that is killed when it calls this for the first time."""
    pid = os.fork()
    if not pid:
        monkeypatch.chdir(workspace.root)
        monkeypatch.setattr(moment, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        try:
            cli.invoke(["event", "event.json", "--do"])
        finally:
            os._exit(0)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL


def decided(word: str) -> evidence.Retraining:
    return retraining.decide(
        drift=FOUND,
        truth="",
        new=NewRows(9),
        least=1,
        wait="" if word == "train" else "the last training is too recent",
        manual_command="x",
    )


class KilledError(BaseException):
    """Ends a process where it stands, as far as its files can tell."""


@pytest.mark.parametrize(
    ("moment", "trainings"),
    [("log.save", 1), ("pipelines.run", 1), ("handling.record", 2)],
)
def test_an_event_whose_command_was_killed_is_not_handled(
    serving: Workspace,
    mlops: Mlops,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    trainings: int,
) -> None:
    """The second command finishes what the first decided; by now the cool-down would forbid it."""
    trained: list[str] = []
    words = iter(["train", "train" if moment == "log.save" else "notify"])
    home = "mlops_platform.cli.handling"
    monkeypatch.setattr(f"{home}.retraining.decide", lambda *_: decided(next(words)))
    monkeypatch.setattr(f"{home}.summary.show", lambda _: None)
    monkeypatch.setattr(
        f"{home}.pipelines.run", lambda _, inputs: trained.append(inputs["trigger"])
    )
    given(serving, breach())
    monkeypatch.chdir(serving.root)
    with monkeypatch.context() as patch:

        def kill(*_: object, **__: object) -> None:
            raise KilledError

        target = {"log.save": "mlops_platform.events.log.save"}.get(moment)
        patch.setattr(target or f"mlops_platform.cli.{moment}", kill)
        with pytest.raises(KilledError):
            cli.invoke(["event", "event.json", "--do"])
    assert kept(serving) == []
    assert mlops(serving, "event", "event.json", "--do")[0] == 0
    assert trained == ["drift"] * trainings
    assert "trained for drift" in kept(serving)[0].message
    assert log.load(serving.root).begun == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a process to kill it")
def test_a_training_that_was_killed_is_finished_although_it_is_recent(
    serving: Workspace, mlops: Mlops, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.change("train.yml", retrain={"cool_down_hours": 1})
    began, start_times = datetime.now(UTC), experiments.start_times
    monkeypatch.setattr(  # the first training is not of now
        "mlops_platform.tracking.experiments.start_times",
        lambda conf: [each for each in start_times(conf) if each > began],
    )
    add_rows(serving, 200)
    given(serving, breach())
    killed(serving, "mlops_platform.steps.compare.run", monkeypatch)
    assert kept(serving) == []
    assert mlops(serving, "event", "event.json", "--do")[0] == 0
    assert "trained for drift" in kept(serving)[0].message
    assert len(serving.roles()) == 2
    assert log.load(serving.root).begun == {}
