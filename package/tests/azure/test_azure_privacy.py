"""What an online endpoint keeps, for how long, and who reaches it: as conf/<env>.yml decides."""

import re

import pytest

from package.tests.azure import scenarios

PROD = "credit-risk-prod"
CLUSTER = "mlw-credit-risk-prod:cpu"
ACCOUNT = "rg-storage/stcreditrisk"
RULE = {
    "name": f"collected-{PROD}",
    "enabled": True,
    "type": "Lifecycle",
    "definition": {
        "snapshot": None,
        "filters": {
            "blobTypes": ["blockBlob", "appendBlob"],
            "prefixMatch": [f"azureml-blobstore-1/modelDataCollector/{PROD}/"],
        },
        "actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 30}}},
    },
}
OF_OTHERS = RULE | {"name": "logs"}
SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/a"


def decide(scenario, field, value, environment="prod"):
    """Write another value in conf/<env>.yml; None removes the field."""
    conf = scenario.root / "conf" / f"{environment}.yml"
    text = conf.read_text()
    line = f"{field}: {value}\n" if value else ""
    changed = re.sub(rf"^{field}: .*\n", line, text, flags=re.MULTILINE)
    assert changed != text
    conf.write_text(changed)


def regulate(scenario):
    conf = scenario.root / "conf" / "project.yml"
    conf.write_text(conf.read_text().replace("regulated: false", "regulated: true"))


def rules(scenario):
    return scenario.state()["policies"].get(ACCOUNT, {"policy": {"rules": []}})["policy"]["rules"]


def collector(scenario, colour="green"):
    """The sampling rate of a deployment, and which collections are on."""
    found = scenario.online()["deployments"][colour]["data_collector"]
    on = {name: each["enabled"] for name, each in found["collections"].items()}
    return float(found["sampling_rate"]), on


ALL = dict.fromkeys(("model_inputs", "model_outputs", "predictions"), "true")
NONE = dict.fromkeys(ALL, "false")


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        ("{share: 0.25, days: 30}", (0.25, ALL)),
        ("{share: 0, days: 30}", (1.0, NONE)),
        (None, (1.0, ALL)),
    ],
)
def test_a_deployment_keeps_the_share_of_requests_that_was_decided(
    mlops, serving, decided, expected
):
    decide(serving, "collect", decided)
    assert mlops(serving, "deploy", "2", "--env", "prod") == "done"
    assert collector(serving) == expected


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        (None, NONE),
        ("{share: 0.5, days: 30}", NONE),
        ("{share: 0.5, days: 30, decided_by: Ana}", ALL),
    ],
)
def test_a_regulated_project_keeps_nothing_until_somebody_decides(
    mlops, serving, monkeypatch, decided, expected
):
    monkeypatch.setattr("mlops_platform.ethics.release.require_passed", lambda *_, **__: None)
    regulate(serving)
    decide(serving, "collect", decided)
    assert mlops(serving, "deploy", "2", "--env", "prod") == "done"
    assert collector(serving)[1] == expected


def test_a_monitor_of_requests_that_nobody_keeps_waits(mlops, watched):
    decide(watched, "collect", "{share: 0, days: 30}")
    file = "azureml/schedules/monitor.yml"
    message = scenarios.refusal(mlops, watched, "schedules", file, "--env", "prod")
    assert f"{file} waits for requests to compare" in message
    assert "conf/prod.yml, field `collect`" in message


def test_setup_writes_one_rule_for_deletion_beside_those_of_others(mlops, new):
    policy = {"name": "default", "policy": {"rules": [OF_OTHERS]}}
    new.change(policies={ACCOUNT: policy})
    assert mlops(new, "setup", "--env", "prod") == "done"
    assert rules(new) == [OF_OTHERS, RULE]


def test_other_days_change_the_rule_and_the_same_days_nothing(mlops, new):
    assert mlops(new, "setup", "--env", "prod") == "done"
    before = len(new.history())
    assert mlops(new, "setup", "--env", "prod") == "done"
    assert len(new.history()) == before
    decide(new, "collect", "{share: 0, days: 7}")
    assert mlops(new, "setup", "--env", "prod") == "done"
    (rule,) = rules(new)
    delete = rule["definition"]["actions"]["baseBlob"]["delete"]
    assert delete == {"daysAfterModificationGreaterThan": 7}


@pytest.mark.parametrize(
    ("field", "lost", "says"),
    [
        ("storage", None, "does not show the storage account of mlw-credit-risk-prod"),
        ("datastores", {}, "has no datastore workspaceblobstore"),
    ],
)
def test_storage_that_is_not_known_gets_no_rule(mlops, new, field, lost, says):
    new.change(**{field: lost})
    assert mlops(new, "setup", "--env", "prod") == "error"
    assert says in str(mlops.error)
    assert new.state()["policies"] == {}


@pytest.mark.parametrize("undecided", ["collect", "network"])
def test_a_project_from_before_the_settings_works_as_before(mlops, new, undecided):
    decide(new, undecided, None)
    new.change(registries={scenarios.REGISTRY: scenarios.version("1", "challenger")})
    for words in (["setup"], ["deploy", "1"], ["rollout"]):
        assert mlops(new, *words, "--env", "prod") == "done"
    is_public = undecided == "network"
    assert addresses(new) == (PUBLIC if is_public else PRIVATE)
    assert rules(new) == ([RULE] if is_public else [])


PUBLIC = (True, "enabled", "enabled")
PRIVATE = (False, "disabled", "disabled")


def addresses(scenario):
    """Those of the cluster, of the endpoint, and of what a deployment reaches."""
    endpoint = scenario.online()
    (deployment,) = endpoint["deployments"].values()
    return (
        scenario.state()["computes"][CLUSTER]["enable_node_public_ip"],
        endpoint["public_network_access"],
        deployment["egress_public_network_access"],
    )


def test_production_has_no_public_address_no_ssh_and_identities(mlops, serving):
    assert addresses(serving) == PRIVATE
    cluster = serving.state()["computes"][CLUSTER]
    assert cluster["ssh_public_access_enabled"] is False
    assert "network_settings" not in cluster
    assert cluster["identity"] == serving.online()["identity"] == {"type": "system_assigned"}


def test_the_cluster_is_in_a_subnet_of_the_team(mlops, new):
    decide(new, "network", f"{{public: false, subnet: {SUBNET}}}")
    assert mlops(new, "setup", "--env", "prod") == "done"
    cluster = new.state()["computes"][CLUSTER]
    assert cluster["network_settings"] == {"subnet": SUBNET}


def test_an_endpoint_is_opened_and_closed_with_its_traffic(mlops, serving):
    conf = serving.root / "conf" / "prod.yml"
    state = serving.state()
    state["computes"] = {}
    serving.change(**state)
    conf.write_text(conf.read_text().replace("public: false", "public: true, decided_by: Ana"))
    assert mlops(serving, "setup", "--env", "prod") == "done"
    assert serving.online()["public_network_access"] == "enabled"
    assert serving.online()["traffic"] == {"blue": 100}


def test_a_cluster_with_a_public_address_is_not_called_private(mlops, serving):
    state = serving.state()
    state["computes"][CLUSTER]["enable_node_public_ip"] = True
    serving.change(**state)
    message = scenarios.refusal(mlops, serving, "setup", "--env", "prod")
    assert "conf/prod.yml, field `network.public`" in message
    assert "`az ml compute delete --name cpu --resource-group rg-credit-risk-prod" in message


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("collect", "{share: 1.5, days: 30}", "field `collect.share`"),
        ("collect", "{share: yes, days: 30}", "field `collect.share`"),
        ("collect", "{share: 1, days: 0}", "field `collect.days`"),
        ("collect", "{share: 1}", "field `collect.days`"),
        ("collect", '{share: 1, days: 30, decided_by: ""}', "field `collect.decided_by`"),
        ("network", "{}", "field `network.public`"),
        ("network", "{public: false, subnet: training}", "field `network.subnet`"),
        ("network", f"{{public: true, subnet: {SUBNET}}}", "`subnet` needs `public: false`"),
    ],
)
def test_a_wrong_decision_is_named(mlops, new, field, value, says):
    decide(new, field, value)
    message = scenarios.refusal(mlops, new, "setup", "--env", "prod")
    assert says in message
    assert new.state()["computes"] == {}
