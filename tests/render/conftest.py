"""The matrix of answers, each combination rendered once with pytest-copie."""

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from pytest_copie.plugin import Copie

from tests.conftest import SHARED, Project
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
    """Renders a combination once for all processes that run tests; for reading only."""
    kept = Path(os.environ[SHARED]) / "rendered"
    kept.mkdir(exist_ok=True)

    def make(answers: dict[str, Any]) -> Project:
        folder = kept / name_of(answers)
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                result = copie_session.copy(
                    extra_answers={"project_name": "Credit Risk", **answers}, template_dir=template
                )
                assert result.exception is None, result.exception
                assert result.answers["package_name"] == "credit_risk"
                for question, value in answers.items():
                    assert result.answers[question] == value
                shutil.move(result.project_dir, folder)
        return Project(folder)

    return make


@pytest.fixture(params=COMBINATIONS, ids=name_of)
def combination(request: pytest.FixtureRequest, rendered: Callable[..., Project]) -> Project:
    """Every combination of answers, rendered."""
    return rendered(request.param)
