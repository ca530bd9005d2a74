"""Production takes new versions only of a project that decided to operate."""

import pytest
import yaml
from mlops_platform.settings import stage

from package.tests.azure import scenarios
from package.tests.azure.scenarios import REGISTRY, refusal

DECISION = {
    "to": "operate",
    "why": "agreed",
    "by": "Ada",
    "date": "2026-11-30",
    "commit": "",
    "criteria": {},
}


@pytest.fixture
def offered(serving):
    """Production serves a version; another one waits."""
    registry = serving.state()["registries"][REGISTRY]
    made = scenarios.version("2", "challenger", ethics="passed", ethics_stage="operate")
    serving.change(registries={REGISTRY: registry | made})
    return serving


def decide(scenario, *decisions: str) -> None:
    path = scenario.root / "conf" / stage.FILE
    entries = [DECISION | {"to": to} for to in decisions]
    path.write_text(yaml.safe_dump({"decisions": entries}))
    project = scenario.root / "conf" / "project.yml"
    reached = [to for to in decisions if to != "stop"] or ["explore"]
    project.write_text(project.read_text().replace("stage: explore", f"stage: {reached[-1]}"))


@pytest.mark.parametrize(
    ("decisions", "says"),
    [
        ([], "this project is at `explore`"),
        (["develop"], "this project is at `develop`"),
        (["operate", "stop"], "this project is stopped"),
    ],
)
def test_production_refuses_a_project_below_operate(mlops, offered, decisions, says):
    decide(offered, *decisions)
    before = offered.online()
    message = refusal(mlops, offered, "deploy", "2", "--env", "prod")
    assert says in message and "uv run poe stage operate" in message
    assert offered.online() == before


def test_what_serves_is_never_refused(mlops, offered):
    decide(offered, "operate", "stop")
    assert mlops(offered, "deploy", "champion", "--env", "prod") == "done"


def test_production_takes_a_version_of_a_project_that_operates(mlops, offered):
    decide(offered, "develop", "operate")
    assert mlops(offered, "deploy", "2", "--env", "prod") == "done"


def test_staging_shows_what_people_decide_by(mlops, offered):
    decide(offered)
    assert mlops(offered, "setup", "--env", "staging") == "done"
    assert mlops(offered, "deploy", "2", "--env", "staging") == "done"
