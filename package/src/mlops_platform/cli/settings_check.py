"""Finds all problems of all files in conf/ at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import get_args

from mlops_platform import settings
from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import load_contract
from mlops_platform.ethics import config as ethics_config
from mlops_platform.ethics.kinds import signature_check
from mlops_platform.evaluation import metrics
from mlops_platform.report import card
from mlops_platform.template import conformance, patches

Check = Callable[[Path], object]


def find_problems(conf: Path) -> list[str]:
    """Return one line for each problem; none if every command can read its settings."""
    problems: list[str] = []
    for check in _list_checks(conf):
        try:
            check(conf)
        except UsageError as error:
            problems += str(error).splitlines()
    return list(dict.fromkeys(problems))  # each problem once, also if several checks find it


def _list_checks(conf: Path) -> Iterator[Check]:
    yield settings.load_project
    yield settings.load_train
    yield _gates
    yield lambda conf: load_contract(conf / "data.yml", settings.load_project(conf).task)
    yield lambda conf: ethics_config.load(conf, settings.load_project(conf))
    yield signature_check.load_signatures
    yield card.load_fields
    yield conformance.load_forks
    yield patches.load
    if (conf / "consumers.yml").exists():
        yield settings.load_consumers
    for environment in get_args(settings.Environment):
        if (conf / f"{environment}.yml").exists():
            yield partial(settings.load_cloud, environment=environment)


def _gates(conf: Path) -> None:
    metrics.primary_metric(settings.load_gates(conf), settings.load_project(conf).task, conf)
