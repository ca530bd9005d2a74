"""The matrix of answers, each combination rendered once with pytest-copie."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_copie.plugin import Copie

from tests.conftest import Project
from tests.rendering import copy_template

CHOICES: dict[str, list[Any]] = {
    "task": ["classification", "regression"],
    "serving": ["online", "batch", "both"],
    "ci": ["github", "azure-devops"],
    "cloud": ["azureml", "none"],
    "regulated": [False, True],
}
COMBINATIONS = [
    dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())
]


def name_of(answers: dict[str, Any]) -> str:
    """A test's name for a set of answers."""
    words = [str(value) for value in answers.values() if not isinstance(value, bool)]
    return "-".join(words) + ("-regulated" if answers["regulated"] else "")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template without git, so that what is not committed yet is tested too."""
    return copy_template(tmp_path_factory.mktemp("template") / "copier-mlops")


@pytest.fixture(scope="session")
def rendered(copie_session: Copie, template: Path) -> Callable[[dict[str, Any]], Project]:
    """Renders a combination once; for reading only."""
    kept: dict[str, Project] = {}

    def make(answers: dict[str, Any]) -> Project:
        key = name_of(answers)
        if key not in kept:
            result = copie_session.copy(
                extra_answers={"project_name": "Credit Risk", **answers}, template_dir=template
            )
            assert result.exception is None, result.exception
            assert result.answers["package_name"] == "credit_risk"
            for question, value in answers.items():
                assert result.answers[question] == value
            kept[key] = Project(result.project_dir)
        return kept[key]

    return make


@pytest.fixture(params=COMBINATIONS, ids=name_of)
def combination(request: pytest.FixtureRequest, rendered: Callable[..., Project]) -> Project:
    """Every combination of answers, rendered."""
    return rendered(request.param)
