"""Which version a delivery takes, and what the jobs after it are told."""

from pathlib import Path

import pytest

from package.tests.azure import scenarios
from package.tests.azure.scenarios import REGISTRY


@pytest.fixture
def values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a job gives to the jobs after it."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "values"))
    return tmp_path / "values"


@pytest.mark.parametrize(
    ("dev", "registry", "told"),
    [
        ([], [], ""),
        ([("1", "rejected")], [], ""),
        ([("1", "challenger")], [], "1"),
        ([("1", "challenger"), ("2", "challenger")], [], "2"),
        ([("1", "challenger")], [("1", "challenger")], "1"),
        ([("1", "challenger")], [("1", "champion")], ""),
        ([("1", "challenger")], [("1", "rolled_back")], ""),
        ([("1", "archived"), ("2", "challenger")], [("1", "champion")], "2"),
    ],
)
def test_the_version_to_be_delivered(mlops, new, values: Path, capsys, *, dev, registry, told):
    new.change(models=versions(dev), registries={REGISTRY: versions(registry)})
    assert mlops(new, "candidate", "--env", "dev") == "done"
    assert values.read_text() == f"version={told}\n"
    message = f"version to deliver: {told}, challenger since 2" if told else "no version to deliver"
    assert message in capsys.readouterr().out
    assert new.history() == []


def test_a_registry_that_cannot_be_read_is_no_empty_one(mlops, new, values: Path):
    new.change(models=scenarios.version("1", "challenger"))
    new.fail(2, "auth")
    assert mlops(new, "candidate", "--env", "dev") == "error"
    assert not values.exists()


@pytest.mark.parametrize(
    ("dev", "registry", "after"),
    [
        ([("1", "challenger")], [], {"1": "challenger"}),
        ([("1", "challenger")], [("1", "champion")], {"1": "champion"}),
        (
            [("1", "champion"), ("2", "challenger")],
            [("1", "archived"), ("2", "champion")],
            {"1": "archived", "2": "champion"},
        ),
        (
            [("1", "archived"), ("2", "champion")],
            [("1", "champion"), ("2", "rolled_back")],
            {"1": "champion", "2": "archived"},
        ),
    ],
)
def test_a_training_in_dev_meets_the_champion_of_production(mlops, new, dev, registry, after):
    new.change(models=versions(dev), registries={REGISTRY: versions(registry)})
    submit = ("submit", "pipelines/train.yml", "--env", "dev", "--no-wait")
    assert mlops(new, *submit) == "done"
    assert new.roles("dev") == after
    assert len(new.state()["jobs"]) == 1


def versions(listed: list[tuple[str, str]]) -> dict[str, dict]:
    return {key: found for each in listed for key, found in scenarios.version(*each).items()}
