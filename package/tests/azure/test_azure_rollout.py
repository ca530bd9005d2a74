"""From a deployment to all the traffic, and back."""

from package.tests.azure import scenarios


def test_a_rollout_goes_step_by_step(mlops, deployed):
    assert deployed.online()["traffic"] == {"blue": 100}
    assert mlops(deployed, "rollout", "--env", "prod") == "done"
    seen = []
    for state in deployed.history():
        endpoint = state["online"]["credit-risk-prod"]
        step = (endpoint["traffic"], endpoint["mirror_traffic"])
        if not seen or seen[-1] != step:
            seen.append(step)
    assert seen == [
        ({"blue": 100}, {"green": 10}),
        ({"blue": 90, "green": 10}, {}),
        ({"blue": 50, "green": 50}, {}),
        ({"green": 100}, {}),
    ]
    assert deployed.default() == "green"
    assert deployed.roles() == {"1": "archived", "2": "champion"}
    assert list(scenarios.unserved_champions(deployed)) == []


def test_a_rollback_brings_back_the_version_before(mlops, replaced):
    assert mlops(replaced, "rollback", "--why", "complaints", "--env", "prod") == "done"
    assert replaced.online()["traffic"] == {"blue": 100}
    assert replaced.default() == "blue"
    assert replaced.roles() == {"1": "champion", "2": "rolled_back"}
    assert list(scenarios.unserved_champions(replaced)) == []


def test_the_watch_sees_a_champion_that_nobody_asks(replaced):
    """Without it, the tests of faults would prove nothing."""
    registry = replaced.state()["registries"][scenarios.REGISTRY]
    registry["1"]["tags"]["role"] = "champion"
    replaced.change(registries={scenarios.REGISTRY: registry})
    assert "champion 1" in list(scenarios.unserved_champions(replaced))[-1]
    state = replaced.state()
    state["online"]["credit-risk-prod"]["traffic"] = {"green": 60}
    replaced.change(**state)
    assert "traffic of 60 %" in " ".join(scenarios.unserved_champions(replaced))
