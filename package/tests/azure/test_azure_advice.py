"""The next step in a message is a command that works as it stands, in the same environment."""

import re
from pathlib import Path

import pytest
from mlops_platform import azure

from package.tests.azure.scenarios import NAME, REGISTRY, refusal, version

SOURCE = Path(azure.__file__).parent


def test_before_a_deployment_the_environment_is_named(mlops, new):
    assert mlops(new, "setup", "--env", "prod") == "done"
    message = refusal(mlops, new, "rollout", "--env", "prod")
    assert "Run `uv run mlops azure deploy challenger --env prod`." in message


ASKED = ["rollout", "rollout --abort", "contracts", "rollback --why x"]


@pytest.mark.parametrize(
    ("kind", "words"), [*(("online", words) for words in ASKED), ("batch", "rollout")]
)
def test_a_missing_endpoint_is_told_with_the_command_that_makes_it(mlops, deployed, kind, words):
    deployed.change(**{kind: {}})
    message = refusal(mlops, deployed, *words.split(), "--env", "prod")
    assert f"{kind} endpoint {NAME}-prod" in message
    assert "does not exist. Run `uv run mlops azure setup --env prod`." in message


def test_during_a_rollout_the_environment_is_named(mlops, deployed):
    state = deployed.state()
    state["online"][f"{NAME}-prod"]["traffic"] = {"blue": 90, "green": 10}
    state["registries"][REGISTRY] |= version("3", "challenger")
    deployed.change(**state)
    assert mlops(deployed, "deploy", "challenger", "--env", "prod") == "gate"
    for words in ("rollout", "rollout --abort", "rollback --why REASON"):
        assert f"`uv run mlops azure {words} --env prod`" in str(mlops.error)
    message = refusal(mlops, deployed, "rollback", "--why", "x", "--env", "staging")
    assert "`uv run mlops azure rollout --abort --env staging`" in message


def test_advice_is_written_in_one_place():
    """Elsewhere, a command in backticks would be without its environment."""
    written = {
        file.name: found
        for file in SOURCE.glob("*.py")
        if (found := re.findall(r"`(?:uv run )?mlops azure \S+", file.read_text()))
    }
    assert written == {"target.py": ["`uv run mlops azure {arguments}"]}
