"""The releases, once a session."""

from pathlib import Path

import pytest

from tests.update.fleets import Fleet, small_template
from tests.update.releases import Template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Our releases, the work tree, and two test releases after it."""
    return Template.of_this_repository(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small template with two releases."""
    return small_template(tmp_path_factory.mktemp("small") / "template")


@pytest.fixture
def fleet(small: Path, tmp_path: Path) -> Fleet:
    """A folder for projects of that template."""
    return Fleet(small, tmp_path)
