"""The commands of docs/azure.md, run in the order of the page, in the words of the page."""

import re
import shlex
import tomllib

import pytest

from tests.standard.azure import worlds

PAGE = (worlds.PROJECT / "docs" / "azure.md").read_text()
TASKS = tomllib.loads((worlds.PROJECT / "poe_tasks.toml").read_text())["tool"]["poe"]["tasks"]


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


def bring(world: worlds.World, command: str) -> None:
    """Let Azure go on as it would."""
    if "pipelines/train.yml" in command:
        world.change(models=worlds.version("1", "challenger"))
    names = [name for part in BROUGHT if part in command for name in BROUGHT[part]]
    world.change(data=world.state()["data"] | {f"{name}:1": {"name": name} for name in names})


def test_a_team_gets_from_nothing_to_production(mlops, new, monkeypatch: pytest.MonkeyPatch):
    waited: list[float] = []
    monkeypatch.setattr("credit_risk.mlops.azure.rollout.time.sleep", waited.append)
    commands = told()
    assert len(commands) == 15
    *first, back, again = commands
    for command in first:
        assert mlops(new, *words(command)) == "done", f"{command}: {mlops.said}"
        bring(new, command)
    assert new.roles("dev") == new.roles("prod") == {"1": "champion"}
    assert new.online("prod")["traffic"] == {"blue": 100}
    assert set(new.state()["schedules"]) == {"credit-risk-retrain", "credit-risk-monitor"}
    assert 600 in waited
    assert mlops(new, *words(back)) == "gate"
    assert "version 1 is the first champion" in str(mlops.said)
    trainings = len(new.state()["jobs"])
    assert mlops(new, *words(again)) == "done"
    assert len(new.state()["jobs"]) == trainings + 1
