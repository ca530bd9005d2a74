"""A Copier that does not do the same work again and again."""

import subprocess
import sys
import tempfile
from collections.abc import Hashable
from pathlib import Path
from subprocess import PIPE
from types import CodeType, SimpleNamespace
from typing import Any

import jinja2
import pytest
from copier import _main, _template
from copier._main import Worker

from tests import scripts


def install(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Save work that Copier repeats; `folder` is where clones are kept.

    It compiles each part of each path again, clones the template six times an update, asks git for
    `core.fileMode` once a file, and a migration imports it again. None of it changes what it
    renders: equal sources have equal code, a clone is kept only while all of the template's
    branches and tags stay, and these projects' file modes are never ignored.
    """
    folder.mkdir()
    compiled: dict[Hashable, CodeType] = {}
    compile_ = jinja2.Environment.compile

    def remember(self: jinja2.Environment, source: Any, *args: Any, **options: Any) -> CodeType:
        if not isinstance(source, str) or not type(self).__module__.startswith("copier."):
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
        told = subprocess.run(["git", "-C", url, "show-ref", "--head"], stdout=PIPE, check=True)
        key = (url, ref, told.stdout)
        if key not in clones:
            clones[key] = clone_(url, ref, tempfile.mkdtemp(dir=folder))
        return clones[key]

    def run(
        command: list[str], *, shell: bool, check: bool, env: dict[str, str]
    ) -> subprocess.CompletedProcess[Any]:
        if shell or command[0] != sys.executable:
            return subprocess.run(command, shell=shell, check=check, env=env)
        done = scripts.run_migration(command[1], command[2:], Path(_main.local.cwd), env)
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
        return done

    patch.setattr(_main, "subprocess", SimpleNamespace(run=run))
    patch.setattr(_template, "clone", keep)
    patch.setattr(jinja2.Environment, "compile", remember)
    patch.setattr(Worker, "_sync_git_index_executable_bit", lambda *_, **__: None)
