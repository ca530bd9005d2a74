"""What is right passes without a word: all renders, and specs that a team wrote on its own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlops_platform.azure import render
from mlops_platform.specs import check, sdk

from tests.conftest import Project
from tests.render.conftest import COMBINATIONS, name_of, rendered, template  # noqa: F401

OWN = Path(__file__).with_name("own")
# The CI and how regulated a project is change no spec.
ANSWERS = [a for a in COMBINATIONS if a["ci"] == "github" and not a["regulated"]]


@pytest.mark.parametrize("answers", ANSWERS, ids=name_of)
def test_the_specs_of_every_combination_pass(
    rendered: Callable[..., Project],  # noqa: F811
    answers: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = rendered(answers)
    monkeypatch.chdir(project.path)
    count, problems = check.run([], project.path)
    assert problems == []
    assert count == len(list(project.path.glob("pipelines/**/*.yml"))) + len(
        list(project.path.glob("azureml/**/*.yml"))
    )


def test_an_endpoint_of_another_name_changes_no_spec(
    rendered: Callable[..., Project],  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Names are unique in a region: conf/<env>.yml has them, and `deploy` puts them in."""
    project = Project(shutil.copytree(rendered(ANSWERS[0]).path, tmp_path / "project"))
    settings = project.read("conf/dev.yml")
    assert "online: credit-risk-dev" in settings
    project.write("conf/dev.yml", settings.replace("credit-risk-dev", "lending-risk-dev"))
    monkeypatch.chdir(project.path)
    render.write(project.path)
    assert check.run([], project.path)[1] == []


def test_a_file_that_a_team_kept_is_no_cloud(
    rendered: Callable[..., Project],  # noqa: F811
    tmp_path: Path,
) -> None:
    """After `template-update --data cloud=none`, one that it had edited stays."""
    project = Project(shutil.copytree(rendered(ANSWERS[0]).path, tmp_path / "project"))
    shutil.rmtree(project.path / "azureml" / "jobs")
    assert render.find_differences(project.path)
    for environment in ("dev", "staging", "prod"):
        (project.path / "conf" / f"{environment}.yml").unlink()
    assert render.find_differences(project.path) == []


def test_specs_of_a_teams_own_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(OWN, tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    files = check.find([Path("own")], tmp_path)
    specs, problems = check.lint(files, tmp_path)
    assert [*problems, *sdk.validate(specs)] == []
    kinds = {spec.kind.name for spec in specs}
    assert len(kinds) >= 14, sorted(kinds)
