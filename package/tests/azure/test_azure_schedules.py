"""What runs by itself, and where; and what must not run outside dev at all."""

import shutil

import pytest

from package.tests.azure import scenarios

RETRAIN, MONITOR, TRUTH = (f"credit-risk-{name}" for name in ("retrain", "monitor", "truth"))
FILE = "azureml/schedules/monitor.yml"


def test_a_schedule_that_trains_without_the_decision_is_turned_off(mlops, trained):
    former = {RETRAIN: {"name": RETRAIN, "is_enabled": True}}
    trained.change(schedules=former)
    assert mlops(trained, "setup") == "done"
    assert mlops(trained, "schedules", "--dry-run") == "done"
    assert trained.state()["schedules"] == former
    assert mlops(trained, "schedules") == "done"
    assert trained.state()["schedules"][RETRAIN]["is_enabled"] is False
    before = len(trained.history())
    assert mlops(trained, "schedules") == "done"
    assert len(trained.history()) == before


def test_a_schedule_that_the_team_kept_goes_on_and_is_told(mlops, trained, monkeypatch):
    said = []
    monkeypatch.setattr("mlops_platform.core.terminal.log", said.append)
    trained.change(schedules={RETRAIN: {"name": RETRAIN, "is_enabled": True}})
    folder = trained.root / "azureml" / "schedules"
    shutil.copy(folder / "truth.yml", folder / "retrain.yml")
    assert mlops(trained, "setup") == "done"
    assert mlops(trained, "schedules", "azureml/schedules/truth.yml") == "done"
    assert mlops(trained, "schedules") == "done"
    assert trained.state()["schedules"][RETRAIN]["is_enabled"] is True
    (told,) = [text for text in said if "retrain.yml" in text]
    assert told.startswith("azureml/schedules/retrain.yml: trains each month")
    assert "delete the file" in told


def test_outcomes_are_judged_where_the_endpoint_keeps_its_predictions(mlops, trained):
    conf = trained.root / "conf" / "dev.yml"
    conf.write_text(conf.read_text().replace("online: credit-risk-dev", "online: loans-dev"))
    assert mlops(trained, "setup") == "done"
    assert mlops(trained, "schedules", "azureml/schedules/truth.yml") == "done"
    inputs = trained.state()["schedules"][TRUTH]["create_job"]["inputs"]
    store = "azureml://datastores/workspaceblobstore/paths/modelDataCollector"
    assert inputs["labels"]["path"] == "azureml:credit-risk-raw:1"
    assert inputs["collected"]["path"] == f"{store}/loans-dev"
    assert mlops(trained, "submit", "pipelines/truth.yml") == "done"
    (job,) = trained.state()["jobs"].values()
    assert job["spec"]["inputs"]["collected"]["path"] == f"{store}/loans-dev"
    for environment in ("staging", "prod"):
        words = ("submit", "pipelines/truth.yml", "--env", environment)
        message = scenarios.refusal(mlops, trained, *words)
        assert "Judge in dev: copy there what the endpoint kept" in message


def test_an_endpoint_that_keeps_nothing_is_not_judged(mlops, trained):
    conf = trained.root / "conf" / "dev.yml"
    text = conf.read_text()
    assert "share: 1" in text
    conf.write_text(text.replace("share: 1", "share: 0"))
    assert mlops(trained, "setup") == "done"
    message = scenarios.refusal(mlops, trained, "schedules", "azureml/schedules/truth.yml")
    assert "waits for predictions, and the endpoint keeps none" in message
    assert trained.state()["schedules"] == {}


def test_the_data_and_the_code_of_the_day_are_brought_up_to_date(mlops, trained):
    words = ["schedules", "azureml/schedules/truth.yml"]
    conf = trained.root / "conf" / "dev.yml"
    assert mlops(trained, "setup") == "done"
    assert mlops(trained, *words) == "done"
    conf.write_text(conf.read_text().replace('version: "1"', 'version: "2"'))
    assert mlops(trained, "setup") == "done"
    assert mlops(trained, *words) == "done"
    made = trained.state()["schedules"][TRUTH]
    assert made["create_job"]["inputs"]["labels"]["path"] == "azureml:credit-risk-raw:2"
    (trained.root / "pipelines" / "truth.yml").write_text(
        (trained.root / "pipelines" / "truth.yml").read_text() + "# another one\n"
    )
    assert mlops(trained, *words) == "done"
    assert trained.state()["schedules"][TRUTH]["tags"] != made["tags"]


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_nothing_is_trained_outside_dev(mlops, watched, environment):
    words = ("submit", "pipelines/train.yml", "--env", environment)
    message = scenarios.refusal(mlops, watched, *words)
    assert "`register` registers a version, which is only possible in dev" in message
    assert "Train in dev, then run `uv run mlops azure share challenger --env dev`" in message
    assert watched.state()["jobs"] == {}


def test_production_is_watched_where_its_requests_go(mlops, watched):
    assert mlops(watched, "schedules", "--env", "prod") == "done"
    assert list(watched.state()["schedules"]) == [MONITOR]
    monitor = watched.state()["schedules"][MONITOR]["create_monitor"]
    target = monitor["monitoring_target"]["endpoint_deployment_id"]
    assert target == "azureml:credit-risk-prod:green"
    performance = monitor["monitoring_signals"]["model_performance"]
    collected = performance["production_data"]["input_data"]["path"]
    assert collected == "azureml:credit-risk-prod-green-model_outputs:1"


def test_the_monitor_follows_the_traffic(mlops, watched):
    assert mlops(watched, "schedules", "--env", "prod") == "done"
    assert mlops(watched, "rollback", "--why", "bad", "--env", "prod") == "done"
    scenarios.collect(watched, "blue")
    assert mlops(watched, "schedules", "--env", "prod") == "done"
    monitor = watched.state()["schedules"][MONITOR]["create_monitor"]
    target = monitor["monitoring_target"]["endpoint_deployment_id"]
    assert target == "azureml:credit-risk-prod:blue"


MISSING = {
    "credit-risk-reference:1": "register the training rows of the version that serves",
    "credit-risk-truth:1": "register the ground truth, a table of id and target",
    "credit-risk-prod-green-model_outputs:1": "send requests, then wait",
}


@pytest.mark.parametrize("missing", MISSING)
def test_a_monitor_without_its_data_waits_and_names_the_next_step(mlops, watched, missing):
    data = {key: value for key, value in watched.state()["data"].items() if key != missing}
    watched.change(data=data)
    message = scenarios.refusal(mlops, watched, "schedules", FILE, "--env", "prod")
    assert message.count("\n- ") == 1
    assert f"\n- {missing.partition(':')[0]}, version 1: " in message
    assert MISSING[missing] in message


@pytest.mark.parametrize("rolled_out", [False, True])
def test_what_can_run_is_started_while_the_monitor_waits(mlops, trained, monkeypatch, rolled_out):
    message: list[str] = []
    monkeypatch.setattr("mlops_platform.core.terminal.log", message.append)
    for words in (["setup"], ["deploy", "1"], ["rollout"])[: 3 if rolled_out else 2]:
        assert mlops(trained, *words) == "done"
    assert mlops(trained, "schedules") == "done"
    assert list(trained.state()["schedules"]) == [TRUTH]
    (waiting,) = (text for text in message if text.startswith("not ready: "))
    what = "its input data" if rolled_out else "one deployment with all the traffic"
    assert f"{FILE} waits for {what}" in waiting
    assert waiting.endswith("\nThen run `uv run mlops azure schedules --env dev` again.")


def test_in_dev_a_job_of_the_project_makes_the_reference(mlops, trained):
    for words in (["setup"], ["deploy", "1"], ["rollout"]):
        assert mlops(trained, *words) == "done"
    message = scenarios.refusal(mlops, trained, "schedules", FILE)
    assert (
        "credit-risk-reference, version 1: run `uv run mlops azure submit azureml/jobs/" in message
    )


def test_a_monitor_of_nothing_is_refused(mlops, watched, halfway):
    for scenario, traffic in ((halfway, "50"), (watched, "none")):
        if scenario is watched:
            state = watched.state()
            state["online"]["credit-risk-prod"]["traffic"] = {}
            watched.change(**state)
        message = scenarios.refusal(mlops, scenario, "schedules", FILE, "--env", "prod")
        assert traffic in message
        assert "Run `uv run mlops azure rollout --env prod` first" in message


ASKING = {
    "batch": ("score", "Use the batch endpoint"),
    "monitor": ("drift", "`uv run mlops azure schedules --env "),
}


@pytest.mark.parametrize("environment", ["staging", "prod"])
@pytest.mark.parametrize("pipeline", ASKING)
def test_a_pipeline_that_asks_the_workspace_for_a_version_runs_in_dev(
    mlops, new, environment, pipeline
):
    file, (step, instead) = f"pipelines/{pipeline}.yml", ASKING[pipeline]
    message = scenarios.refusal(mlops, new, "submit", file, "--env", environment)
    assert (
        f"{file}: `{step}` reads a version from the workspace, which is only possible in dev"
        in message
    )
    assert instead in message
    assert mlops(new, "submit", file) == "done"


def test_without_a_batch_endpoint_the_message_says_how_to_get_one(mlops, new):
    shutil.rmtree(new.root / "azureml" / "endpoints" / "batch")
    message = scenarios.refusal(mlops, new, "submit", "pipelines/batch.yml", "--env", "prod")
    assert "`uv run poe template-update --data serving=both` adds a batch endpoint" in message


def test_a_schedule_of_the_team_s_own_keeps_to_the_same_rules(mlops, watched):
    own = watched.root / "azureml" / "schedules" / "own.yml"
    words = ["schedules", "azureml/schedules/own.yml", "--env", "prod"]
    own.write_text("name: own\n")
    message = scenarios.refusal(mlops, watched, *words)
    assert "own.yml: has neither `create_job` nor `create_monitor`" in message
    own.write_text("name: own\ncreate_job: ../../pipelines/train.yml\n")
    assert "own.yml: `register` registers a version" in scenarios.refusal(mlops, watched, *words)
    own.write_text("name: own\ncreate_job: ../../pipelines/gone.yml\n")
    message = scenarios.refusal(mlops, watched, "schedules", "--env", "prod")
    assert "gone.yml: does not exist" in message  # and it is not just left out
    own.write_text("name: own\ncreate_job: ../jobs/masked-replica.yml\n")
    assert mlops(watched, *words) == "done"
    assert "own" in watched.state()["schedules"]


def test_other_jobs_run_anywhere(mlops, new):
    words = ["submit", "azureml/jobs/masked-replica.yml", "--env", "prod"]
    assert mlops(new, *words) == "done"
    assert len(new.state()["jobs"]) == 1


def test_a_team_s_own_pipeline_cannot_register_outside_dev_either(mlops, new):
    """Below a component of a component, and as a command of its own."""
    inner = "type: pipeline\njobs:\n  a: {type: command, component: %s/components/register.yml}\n"
    inner = inner % (new.root / "pipelines")
    (new.root / "pipelines" / "inner.yml").write_text(inner)
    nested = "type: pipeline\njobs:\n  part: {type: pipeline, component: file:inner.yml}\n"
    (new.root / "pipelines" / "own.yml").write_text(nested)
    (new.root / "pipelines" / "command.yml").write_text("type: command\ncommand: mlops register\n")
    for file in ("own", "command"):
        message = scenarios.refusal(mlops, new, "submit", f"pipelines/{file}.yml", "--env", "prod")
        assert f"pipelines/{file}.yml: `register` registers a version" in message
