"""Who may be deployed, shared, rolled out; and what a gate does that says no."""

import json

import pytest

from package.tests.azure import scenarios
from package.tests.azure.scenarios import ANSWER, REGISTRY, refusal


@pytest.mark.parametrize("role", ["rejected", "rolled_back"])
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_what_failed_is_never_deployed(mlops, new, role, environment):
    new.change(
        models=scenarios.version("1", role), registries={REGISTRY: scenarios.version("1", role)}
    )
    message = refusal(mlops, new, "deploy", "1", "--env", environment)
    assert f"version 1 is {role} and is never deployed: planted" in message


@pytest.mark.parametrize("role", ["archived", "unknown"])
def test_production_takes_challenger_and_champion(mlops, serving, role):
    registry = serving.state()["registries"][REGISTRY]
    serving.change(registries={REGISTRY: registry | scenarios.version("3", role)})
    message = refusal(mlops, serving, "deploy", "3", "--env", "prod")
    assert "In production only the challenger, the champion and the previous champion" in message


def test_production_takes_nothing_from_its_own_workspace(mlops, serving):
    """So nothing that is trained in production gets to its requests."""
    serving.change(models=scenarios.version("9", "challenger"))
    message = refusal(mlops, serving, "deploy", "9", "--env", "prod")
    assert (
        "version 9 of credit-risk is not in the registry mlr-credit-risk. Share it first" in message
    )
    assert "`uv run mlops azure share 9 --env dev`" in message


def test_the_champion_before_can_stand_again_for_a_rollback(mlops, replaced):
    registry = replaced.state()["registries"][REGISTRY]
    replaced.change(registries={REGISTRY: registry | scenarios.version("3", "challenger")})
    assert mlops(replaced, "deploy", "3", "--env", "prod") == "done"
    message = refusal(mlops, replaced, "rollback", "--why", "bad", "--env", "prod")
    assert "version 1, champion before version 2, is no longer deployed" in message
    assert mlops(replaced, "deploy", "1", "--env", "prod") == "done"
    assert mlops(replaced, "rollback", "--why", "bad", "--env", "prod") == "done"
    assert replaced.roles() == {"1": "champion", "2": "rolled_back", "3": "challenger"}


@pytest.mark.parametrize("role", ["rejected", "rolled_back", "archived", "unknown"])
def test_only_challenger_and_champion_are_shared(mlops, new, role):
    new.change(models=scenarios.version("1", role))
    message = refusal(mlops, new, "share", "1")
    assert f"version 1 is {role}. Only a challenger or a champion can be shared" in message


def test_a_shared_version_begins_as_challenger_with_its_evidence(mlops, trained):
    assert mlops(trained, "share", "challenger") == "done"
    shared = trained.state()["registries"][REGISTRY]["1"]["tags"]
    assert (shared["role"], shared["predictions_hash"]) == ("challenger", "p1")
    assert shared["role_by"] == "tests"


def test_another_version_of_the_same_number_is_not_taken_for_it(mlops, trained):
    other = scenarios.version("1", "champion", predictions_hash="other")
    trained.change(registries={REGISTRY: other})
    message = refusal(mlops, trained, "share", "1")
    assert (
        "already has another version 1: its `predictions_hash` is other, here it is p1" in message
    )


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_only_dev_shares(mlops, trained, environment):
    assert "shared from dev" in refusal(mlops, trained, "share", "1", "--env", environment)


WRONG = {
    "no object": "fine",
    "no prediction": {**ANSWER, "predictions": []},
    "another version": {**ANSWER, "version": "1"},
    "another model": {**ANSWER, "model": "other"},
    "no label": {**ANSWER, "predictions": [{"probabilities": scenarios.SHARES}]},
    "foreign labels": {**ANSWER, "predictions": [{"label": "x", "probabilities": {"x": 1.0}}]},
    "no probabilities": {**ANSWER, "predictions": [{"label": scenarios.LABELS[0]}]},
    "too probable": {
        **ANSWER,
        "predictions": [
            {"label": scenarios.LABELS[0], "probabilities": dict.fromkeys(scenarios.LABELS, 0.9)}
        ],
    },
    "an error": "error",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_answer_that_was_not_promised_aborts(mlops, deployed, wrong):
    deployed.change(answers={"2": WRONG[wrong]})
    assert mlops(deployed, "rollout", "--env", "prod") == "gate"
    assert "The rollout is aborted" in str(mlops.error)
    assert deployed.online()["traffic"] == {"blue": 100}
    assert deployed.roles() == {"1": "champion", "2": "challenger"}


@pytest.mark.parametrize("good", range(7))
def test_a_gate_that_says_no_at_any_step_restores_what_was(mlops, deployed, tmp_path, good):
    """The check passes `good` times; there are five gates before the end."""
    count = tmp_path / "count"
    script = tmp_path / "check.sh"
    script.write_text(f'echo x >> {count}\ntest "$(wc -l < {count})" -le {good}\n')
    ended = mlops(deployed, "rollout", "--env", "prod", "--check", f"sh {script}")
    assert list(scenarios.unserved_champions(deployed)) == []
    assert deployed.online()["mirror_traffic"] == {}
    if good < 5:
        assert ended == "gate"
        assert deployed.online()["traffic"] == {"blue": 100}
        assert deployed.default() == "blue"
        assert deployed.roles() == {"1": "champion", "2": "challenger"}
        assert mlops(deployed, "rollout", "--env", "prod") == "done"
    assert deployed.online()["traffic"] == {"green": 100}
    assert deployed.roles() == {"1": "archived", "2": "champion"}


@pytest.mark.parametrize(("message", "why"), [("", "."), ("busy", ": busy")])
def test_a_check_that_says_no_is_quoted_where_it_says_why(mlops, deployed, tmp_path, message, why):
    script = tmp_path / "check.sh"
    script.write_text(f"printf '{message}'; exit 3\n")
    assert mlops(deployed, "rollout", "--env", "prod", "--check", f"sh {script}") == "gate"
    assert str(mlops.error).endswith(f"failed (exit code 3){why} The rollout is aborted.")


def test_staging_moves_traffic_and_no_role(mlops, serving):
    roles = serving.roles()
    for words in (["setup"], ["deploy", "1"], ["rollout"], ["deploy", "2"], ["rollout"]):
        assert mlops(serving, *words, "--env", "staging") == "done"
        assert serving.roles() == roles
    assert serving.online("staging")["traffic"] == {"green": 100}
    assert mlops(serving, "rollout", "--env", "staging") == "done"
    assert serving.online("staging")["traffic"] == {"green": 100}
    assert "staging has no roles" in refusal(
        mlops, serving, "rollback", "--why", "x", "--env", "staging"
    )


def test_dev_keeps_its_roles_in_its_workspace(mlops, trained):
    for words in (["setup"], ["deploy", "challenger"], ["rollout"]):
        assert mlops(trained, *words) == "done"
    assert trained.roles("dev") == {"1": "champion"}
    assert trained.online("dev")["traffic"] == {"blue": 100}
    message = refusal(mlops, trained, "rollback", "--why", "x")
    assert "version 1 is the first champion" in message


def test_a_batch_endpoint_has_a_default_instead_of_traffic(mlops, serving):
    for file in (serving.root / "azureml" / "endpoints" / "online").iterdir():
        file.unlink()
    for words in (["deploy", "challenger"], ["rollout"]):
        assert mlops(serving, *words, "--env", "prod") == "done"
    assert serving.default() == "green"
    assert serving.roles() == {"1": "archived", "2": "champion"}
    assert mlops(serving, "rollback", "--why", "x", "--env", "prod") == "done"
    assert serving.default() == "blue"
    assert serving.roles() == {"1": "champion", "2": "rolled_back"}


def test_a_rollback_during_a_rollout_takes_the_newcomer_down(mlops, deployed):
    state = deployed.state()
    state["online"]["credit-risk-prod"]["traffic"] = {"blue": 90, "green": 10}
    deployed.change(**state)
    assert mlops(deployed, "rollback", "--why", "bad", "--env", "prod") == "done"
    assert deployed.online()["traffic"] == {"blue": 100}
    assert deployed.roles() == {"1": "champion", "2": "rolled_back"}


def test_a_data_version_never_changes_its_path(mlops, new):
    assert mlops(new, "setup") == "done"
    conf = new.root / "conf" / "dev.yml"
    conf.write_text(conf.read_text().replace("/paths/credit-risk/raw", "/paths/elsewhere"))
    assert "conf/dev.yml, field `data.path`: version 1" in refusal(mlops, new, "setup")


def test_the_status_is_for_machines_too(mlops, replaced, capsys):
    capsys.readouterr()
    assert mlops(replaced, "status", "--env", "prod", "--json") == "done"
    found = json.loads(capsys.readouterr().out)
    assert found["deployments"][1] == {
        "endpoint": "credit-risk-prod",
        "deployment": "green",
        "version": "2",
        "role": "champion",
        "state": "Succeeded",
        "traffic": 100,
        "mirror": 0,
    }
    assert [(v["version"], v["role"]) for v in found["versions"]] == [
        ("1", "archived"),
        ("2", "champion"),
    ]


def test_without_a_cloud_the_message_says_how_to_get_one(mlops, new):
    (new.root / "conf" / "dev.yml").unlink()
    assert "Add it: `uv run poe template-update --data cloud=azureml`" in refusal(
        mlops, new, "setup"
    )


def test_a_submission_sets_data_and_tags_and_finds_its_job_again(mlops, new, capsys):
    assert mlops(new, "setup") == "done"
    words = ["submit", "pipelines/train.yml", "--input", "trigger=drift"]
    assert mlops(new, *words, "--no-wait") == "done"
    (name,) = new.state()["jobs"]
    inputs = new.state()["jobs"][name]["spec"]["inputs"]
    assert inputs["raw"]["path"] == "azureml:credit-risk-raw:1"
    assert inputs["trigger"] == "drift"
    assert mlops(new, *words) == "done"
    assert f"{name}: Completed" in capsys.readouterr().out
    assert list(new.state()["jobs"]) == [name]
    assert mlops(new, *words, "--again") == "done"
    assert len(new.state()["jobs"]) == 2


def test_a_job_that_failed_is_an_error_and_a_new_one_the_next_time(mlops, new):
    new.change(ends={"train": "Failed"})
    assert mlops(new, "submit", "pipelines/train.yml") == "error"
    assert "ended as Failed" in str(mlops.error)
    new.change(ends={})
    assert mlops(new, "submit", "pipelines/train.yml") == "done"
    assert [job["status"] for job in new.state()["jobs"].values()] == ["Failed", "Completed"]


def test_an_input_that_is_not_declared_is_refused(mlops, new):
    message = refusal(mlops, new, "submit", "pipelines/train.yml", "--input", "trager=x")
    assert "there is no input `trager`; there are: conf, raw, trigger" in message
