"""The commands of docs/azure.md, run in the order of the page, in the words of the page."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from mlops_platform.pipelines import load

from package.tests.azure import scenarios

PAGE = (scenarios.PROJECT / "docs" / "azure.md").read_text()
TASKS = tomllib.loads((scenarios.PROJECT / "poe_tasks.toml").read_text())["tool"]["poe"]["tasks"]


def told() -> list[str]:
    """The commands of the section, without those that need no Azure."""
    section = PAGE.split("## The commands")[1].split("\n## ")[0]
    blocks = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("uv run poe ")]


def words(command: str) -> list[str]:
    """What a task makes of it, after `mlops azure`."""
    task, *rest = shlex.split(command.removeprefix("uv run poe "))
    program, group, *first = TASKS[task]["cmd"].split()
    assert (program, group) == ("mlops", "azure")
    return [*first, *rest]


# Data that jobs, requests and the team bring, which a stand-in does not: after these commands.
BROUGHT = {
    "azureml/jobs/responsible-ai.yml": ["credit-risk-reference", "credit-risk-truth"],
    "rollout": ["credit-risk-dev-blue-model_outputs"],
    "rollout --env prod": ["credit-risk-prod-blue-model_outputs"],
}


def bring(scenario: scenarios.Scenario, command: str, terraform: scenarios.Terraform) -> None:
    """Let Azure go on as it would."""
    left = scenario.root / "left"
    if command.endswith("infra-plan --env prod"):
        terraform.make("prod")  # by CI, after the approval
    if "pipelines/train.yml" in command:
        scenario.change(models=scenarios.version("1", "challenger", job="train-1"))
        scenario.change(left={"train-1": str(left)})
    names = [name for part in BROUGHT if part in command for name in BROUGHT[part]]
    scenario.change(data=scenario.state()["data"] | {f"{name}:1": {"name": name} for name in names})


def test_a_team_gets_from_nothing_to_production(
    mlops, bare, terraform, monkeypatch: pytest.MonkeyPatch
):
    new = terraform.scenario = bare
    waited: list[float] = []
    held: list[Path] = []
    for step in load(scenarios.PROJECT / "pipelines" / "train.yml").steps:
        for output in step.outputs:
            (new.root / "left" / step.name / output).mkdir(parents=True)
            (new.root / "left" / step.name / output / "file").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "set by azure-ethics")
    monkeypatch.setattr(
        "mlops_platform.cli.ethics.run_checks", lambda conf, as_json: held.append(conf)
    )
    monkeypatch.setattr("mlops_platform.azure.rollout.time.sleep", waited.append)
    commands = told()
    assert len(commands) == 20
    *first, back, again = commands
    for command in first:
        assert mlops(new, *words(command)) == "done", f"{command}: {mlops.error}"
        bring(new, command, terraform)
    assert new.roles("dev") == new.roles("prod") == {"1": "champion"}
    assert new.online("prod")["traffic"] == {"blue": 100}
    names = {f"credit-risk-{name}" for name in ("monitor", "truth")}
    assert set(new.state()["schedules"]) == names
    assert 600 in waited
    assert len(held) == 1
    assert mlops(new, *words(back)) == "gate"
    assert "version 1 is the first champion" in str(mlops.error)
    trainings = len(new.state()["jobs"])
    assert mlops(new, *words(again)) == "done"
    assert len(new.state()["jobs"]) == trainings + 1
