"""The releases, once a session, and a Copier that does not do the same work again and again."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
import pytest
from copier import _template
from copier._main import Worker

from tests.update.fleets import Fleet, small_template
from tests.update.releases import Template, git


@pytest.fixture(scope="package", autouse=True)
def quick_copier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Save work that Copier repeats.

    It compiles each part of each path anew, clones the template six times an update, and asks git
    for `core.fileMode` once a file. None of it changes what it renders: equal sources have equal
    code, a clone is kept only while all of the template's branches and tags stay, and these
    projects' file modes are never ignored.
    """
    compiled: dict[Hashable, CodeType] = {}
    compile_ = jinja2.Environment.compile

    def remember(self: jinja2.Environment, source: Any, *args: Any, **options: Any) -> CodeType:
        if not isinstance(source, str):
            return compile_(self, source, *args, **options)
        signs = (self.block_start_string, self.variable_start_string, self.keep_trailing_newline)
        key = (type(self), signs, tuple(self.extensions), source, args, tuple(options.items()))
        if key not in compiled:
            compiled[key] = compile_(self, source, *args, **options)
        return compiled[key]

    clones: dict[Hashable, str] = {}
    clone_ = _template.clone

    def keep(url: str, ref: str = "HEAD", location: str | None = None) -> str:
        if ref == "HEAD" or not Path(url).is_dir():
            return clone_(url, ref, location)
        key = (url, ref, git(Path(url), "show-ref", "--head"))
        if key not in clones:
            clones[key] = clone_(url, ref, str(tmp_path_factory.mktemp("clone")))
        return clones[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_template, "clone", keep)
        patch.setattr(jinja2.Environment, "compile", remember)
        patch.setattr(Worker, "_sync_git_index_executable_bit", lambda *_, **__: None)
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Our releases, the working tree, and two planted ones after it."""
    return Template.of_this_repository(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small template with two releases."""
    return small_template(tmp_path_factory.mktemp("small") / "template")


@pytest.fixture
def fleet(small: Path, tmp_path: Path) -> Fleet:
    """A folder for projects of that template."""
    return Fleet(small, tmp_path)
