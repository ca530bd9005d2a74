"""A deployed version works with the upstream data, and with the consumers of its responses."""

from typing import Any

import pytest
import yaml

from package.tests.azure import scenarios
from package.tests.azure.scenarios import ANSWER, LABELS, Scenario, refusal
from package.tests.azure.test_azure_faults import PASSING, STOPPING, each_call

CONTRACTS = ("contracts", "--env", "prod")
PREDICTION = ANSWER["predictions"][0]


def read(scenario: Scenario, **consumers: Any) -> None:
    """Give the model other callers."""
    (scenario.root / "conf" / "consumers.yml").write_text(yaml.safe_dump({"consumers": consumers}))


def jobs(scenario: Scenario) -> dict[str, Any]:
    """What each job was made from, by the first word of its name."""
    return {name.split("-")[0]: job["spec"] for name, job in scenario.state()["jobs"].items()}


def asked(scenario: Scenario) -> list[str]:
    """The deployments that were sent requests or files."""
    return [
        words[words.index("--deployment-name") + 1]
        for words in scenario.calls()
        if "invoke" in words
    ]


def test_the_version_that_waits_is_called_and_the_file_is_checked(mlops, deployed, capsys):
    before = deployed.online(), deployed.default(), deployed.roles()
    assert mlops(deployed, *CONTRACTS) == "done"
    assert asked(deployed) == ["green", "green"]
    made = jobs(deployed)
    assert made["upstream"]["inputs"]["raw"]["path"] == "azureml:credit-risk-raw:1"
    assert made["batchjob"]["model"].endswith("/versions/2")
    assert made["batchjob"]["inputs"]["--input"] == "azureml:credit-risk-raw:1"
    assert (deployed.online(), deployed.default(), deployed.roles()) == before


def test_where_none_waits_the_one_that_serves_is_asked(mlops, serving):
    assert mlops(serving, *CONTRACTS) == "done"
    assert asked(serving) == ["blue", "blue"]


def test_where_nothing_is_deployed_there_is_nothing_to_ask(mlops, new):
    assert mlops(new, "setup") == "done"
    message = refusal(mlops, new, "contracts")
    assert "has no deployment of a challenger or champion" in message


@pytest.mark.parametrize(
    ("reads", "answer", "message"),
    [
        ({"predictions.0.score": "number"}, ANSWER, "there is no `score`"),
        ({"predictions.1.label": "text"}, ANSWER, "there is no `1`"),
        ({"predictions.0.label": "number"}, ANSWER, "expected a number, got"),
        (
            {f"predictions.0.probabilities.{LABELS[1]}": "number"},
            ANSWER | {"predictions": [PREDICTION | {"probabilities": {LABELS[0]: 1.0}}]},
            f"there is no `{LABELS[1]}`",
        ),
        ({"version": "text"}, "error", "did not respond"),
    ],
)
def test_a_broken_consumer_says_no(mlops, deployed, reads, answer, message):
    deployed.change(answers={"2": answer})
    read(deployed, well={"reads": {"model": "text"}}, desk={"reads": reads})
    heard = refusal(mlops, deployed, *CONTRACTS)
    assert "version 2 breaks consumers (conf/consumers.yml)" in heard
    assert "\ndesk: " in heard
    assert message in heard
    assert ("\nwell: " in heard) == (answer == "error")
    assert jobs(deployed) == {}


def test_a_file_that_breaks_the_contract_says_no(mlops, deployed):
    deployed.change(ends={"upstream": "Failed"})
    assert mlops(deployed, *CONTRACTS) == "error"
    assert "job upstream-" in str(mlops.error)
    assert "ended as Failed" in str(mlops.error)
    assert set(jobs(deployed)) == {"upstream"}


def test_a_file_that_cannot_be_scored_says_no(mlops, deployed):
    deployed.change(ends={"batchjob": "Failed"})
    assert mlops(deployed, *CONTRACTS) == "error"
    assert "job batchjob-1 ended as Failed" in str(mlops.error)


def test_without_an_endpoint_nobody_needs_a_consumer(mlops, serving):
    for file in (serving.root / "azureml" / "endpoints" / "online").iterdir():
        file.unlink()
    (serving.root / "conf" / "consumers.yml").unlink()
    assert mlops(serving, "deploy", "challenger", "--env", "prod") == "done"
    assert mlops(serving, *CONTRACTS) == "done"
    assert asked(serving) == ["green"]


def test_with_an_endpoint_the_file_is_missed(mlops, deployed):
    (deployed.root / "conf" / "consumers.yml").unlink()
    assert "conf/consumers.yml: does not exist" in refusal(mlops, deployed, *CONTRACTS)


def test_a_dry_run_asks_nobody(mlops, deployed):
    assert mlops(deployed, *CONTRACTS, "--dry-run") == "done"
    assert asked(deployed) == []
    assert deployed.history() == []


@pytest.mark.parametrize("fault", [*PASSING, *STOPPING])
def test_each_call_may_fail_and_the_next_run_ends_well(mlops, deployed, fault):
    """Files may be scored once more: only that differs."""
    reference = deployed.copy()
    assert mlops(reference, *CONTRACTS) == "done"
    calls = sorted(mlops.kinds.values())
    assert len(calls) > 10
    for call, trial, ended in each_call(mlops, deployed, list(CONTRACTS), calls, fault):
        assert ended == "done" or fault in STOPPING, f"call {call}"
        assert ended != "done" or fault in (*PASSING, "garbage"), f"call {call}"
        assert mlops(trial, *CONTRACTS) == "done", f"call {call}"
        assert trial.online() == deployed.online(), f"call {call}"
        assert list(scenarios.unserved_champions(trial)) == [], f"call {call}"
        assert len([name for name in jobs(trial) if name == "upstream"]) == 1
