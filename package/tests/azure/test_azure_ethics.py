"""Production takes no version whose ethics say no."""

import os

import pytest

from package.tests.azure import scenarios
from package.tests.azure.scenarios import REGISTRY


def settings(scenario, old: str, new: str) -> None:
    path = scenario.root / "conf" / "project.yml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def offer(scenario, **tags: str) -> None:
    registry = scenario.state()["registries"][REGISTRY]
    made = scenarios.version("2", "challenger", **tags)
    scenario.change(registries={REGISTRY: registry | made})


@pytest.mark.parametrize(
    ("tags", "says"),
    [({}, "not validated"), ({"compliance": "not validated"}, "two people must sign")],
)
def test_a_regulated_project_delivers_only_what_is_validated(mlops, serving, tags, says):
    settings(serving, "regulated: false", "regulated: true")
    offer(serving, **tags)
    before = serving.online()
    assert mlops(serving, "deploy", "2", "--env", "prod") == "gate"
    assert says in str(mlops.error)
    assert serving.online() == before


def test_a_validated_version_is_deployed(mlops, serving):
    settings(serving, "regulated: false", "regulated: true")
    offer(serving, compliance="validated")
    assert mlops(serving, "deploy", "2", "--env", "prod") == "done"


def test_from_develop_on_the_ethics_must_have_passed(mlops, serving):
    settings(serving, "stage: explore", "stage: develop")
    offer(serving, ethics="failed", ethics_stage="develop")
    assert mlops(serving, "deploy", "2", "--env", "prod") == "gate"
    assert "ethics checks of version 2: failed" in str(mlops.error)
    offer(serving, ethics="passed", ethics_stage="develop")
    assert mlops(serving, "deploy", "2", "--env", "prod") == "done"


def test_a_version_of_dev_is_tested_with_the_files_of_its_training(mlops, new, monkeypatch):
    done: list[tuple[str, ...]] = []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "set by the command")
    home = "mlops_platform.azure.outputs"
    monkeypatch.setattr(
        f"{home}.download", lambda _, version, folder: done.append((version,)) or "3"
    )
    monkeypatch.setattr(f"{home}.tracking_uri", lambda _: "azureml://w")
    monkeypatch.setattr(
        "mlops_platform.cli.handling.examine",
        lambda _, number: done.append((number, os.environ["MLFLOW_TRACKING_URI"])),
    )
    assert mlops(new, "test", "challenger") == "done"
    assert done == [("challenger",), ("3", "azureml://w")]
