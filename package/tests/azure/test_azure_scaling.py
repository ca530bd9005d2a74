"""Scale rules stand behind each online deployment, as the files say, and go with it."""

import pytest

from package.tests.azure import scenarios
from package.tests.azure.scenarios import REGISTRY

RULES = [("Increase", 70.0), ("Decrease", 30.0)]
LIMITS = {"default": 2, "minimum": 2, "maximum": 6}
FILE = "azureml/endpoints/online/autoscale.yml"


def test_a_deployment_gets_the_rules_and_the_limits_of_the_environment(mlops, serving):
    assert mlops(serving, "deploy", "challenger", "--env", "prod") == "done"
    assert scenarios.settings(serving) == {
        "credit-risk-prod-blue": (LIMITS, RULES),
        "credit-risk-prod-green": (LIMITS, RULES),
    }
    setting = serving.state()["autoscale"]["credit-risk-prod-green"]
    assert setting["targetResourceUri"].endswith("/credit-risk-prod/deployments/green")
    trigger = setting["profiles"][0]["rules"][0]["metricTrigger"]
    assert (trigger["metricName"], trigger["timeWindow"]) == ("CpuUtilizationPercentage", "PT5M")


def test_what_is_as_it_should_be_is_left_alone(mlops, deployed):
    before = len(deployed.history())
    assert mlops(deployed, "deploy", "2", "--env", "prod") == "done"
    assert len(deployed.history()) == before


def wrong_limit(setting):
    setting["profiles"][0]["capacity"]["maximum"] = "60"


def wrong_rule(setting):
    setting["profiles"][0]["rules"][0]["metricTrigger"]["threshold"] = 99.0


def same_rule_twice(setting):
    setting["profiles"][0]["rules"] *= 2


def missing_rule(setting):
    del setting["profiles"][0]["rules"][0]


def switched_off(setting):
    setting["enabled"] = False


def another_target(setting):
    setting["targetResourceUri"] = "/elsewhere"


WRONG = [wrong_limit, wrong_rule, same_rule_twice, missing_rule, switched_off, another_target]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_setting_that_is_not_as_declared_is_put_right(mlops, deployed, wrong):
    state = deployed.state()
    wrong(state["autoscale"]["credit-risk-prod-green"])
    deployed.change(**state)
    assert mlops(deployed, "deploy", "2", "--env", "prod") == "done"
    setting = deployed.state()["autoscale"]["credit-risk-prod-green"]
    limits, rules = scenarios.settings(deployed)["credit-risk-prod-green"]
    assert (limits, sorted(rules)) == (LIMITS, sorted(RULES))
    assert setting["enabled"]
    assert setting["targetResourceUri"].endswith("/green")


def test_as_many_machines_always_is_no_setting(mlops, deployed):
    conf = deployed.root / "conf" / "prod.yml"
    conf.write_text(conf.read_text().replace("min: 2, max: 6", "min: 2, max: 2"))
    assert mlops(deployed, "deploy", "2", "--env", "prod") == "done"
    assert set(scenarios.settings(deployed)) == {"credit-risk-prod-blue"}


def test_a_deployment_takes_its_setting_along(mlops, replaced):
    registry = replaced.state()["registries"][REGISTRY]
    replaced.change(registries={REGISTRY: registry | scenarios.version("3", "challenger")})
    assert mlops(replaced, "deploy", "3", "--env", "prod") == "done"
    gone = [
        state
        for state in replaced.history()
        if "blue" not in state["online"]["credit-risk-prod"]["deployments"]
    ]
    assert gone
    assert all("credit-risk-prod-blue" not in state["autoscale"] for state in gone)
    assert scenarios.settings(replaced)["credit-risk-prod-blue"] == (LIMITS, RULES)


def test_a_rule_that_nobody_understands_is_refused_with_its_place(mlops, serving):
    file = serving.root / FILE
    file.write_text(file.read_text().replace("> 70 avg 5m", "above 70"))
    assert mlops(serving, "deploy", "2", "--env", "prod") == "error"
    assert f"{FILE}, field `rules[0]`: write a condition as" in str(mlops.error)
