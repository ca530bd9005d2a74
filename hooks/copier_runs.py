"""Copier in this process: its git is held off from users' settings as the package's is."""

from collections.abc import Iterator
from contextlib import contextmanager

import plumbum
from mlops_platform.core import git


@contextmanager
def git_held_off() -> Iterator[None]:
    """Copier's git commands in the body get the package's environment for git."""
    inherited = dict(plumbum.local.env)
    with plumbum.local.env():
        plumbum.local.env.clear()
        plumbum.local.env.update(git.environment(inherited))
        yield
