"""All faults of all files in conf/ at once, before a command meets the first of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import get_args

from mlops_platform import settings
from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import load_contract
from mlops_platform.ethics import page
from mlops_platform.ethics.kinds import manual
from mlops_platform.evaluation import metrics
from mlops_platform.report import card
from mlops_platform.template import conformance

Look = Callable[[Path], object]


def faults(conf: Path) -> list[str]:
    """One line for each fault; none where every command can read what it needs."""
    found: list[str] = []
    for look in _looks(conf):
        try:
            look(conf)
        except UsageError as error:
            found += str(error).splitlines()
    return list(dict.fromkeys(found))  # what several files need is told once


def _looks(conf: Path) -> Iterator[Look]:
    yield settings.load_project
    yield settings.load_train
    yield _gates
    yield lambda conf: load_contract(conf / "data.yml", settings.load_project(conf).task)
    yield lambda conf: page.load(conf, settings.load_project(conf))
    yield manual.read
    yield card.load_seed
    yield conformance.load_forks
    if (conf / "consumers.yml").exists():
        yield settings.load_consumers
    for environment in get_args(settings.Environment):
        if (conf / f"{environment}.yml").exists():
            yield partial(settings.load_cloud, environment=environment)


def _gates(conf: Path) -> None:
    metrics.deciding(settings.load_gates(conf), settings.load_project(conf).task, conf)
