"""Finds all problems of all files in conf/ at once."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import get_args

from mlops_platform import settings
from mlops_platform.alerts import config as alerts
from mlops_platform.alerts import runbook
from mlops_platform.azure import access, infra, sweep
from mlops_platform.cli import data_files, pipelines
from mlops_platform.core.errors import UsageError
from mlops_platform.cost import quota
from mlops_platform.data.contract import load_contract
from mlops_platform.ethics import config as ethics_config
from mlops_platform.ethics.kinds import signature_check
from mlops_platform.evaluation import metrics
from mlops_platform.maturity import signed
from mlops_platform.models import rows, team, trust, used
from mlops_platform.template import conformance, patches


def find_problems(conf: Path) -> list[str]:
    """Return one line for each problem; none if every command can read its settings."""
    return pipelines.find_problems(conf, _list_checks(conf))


def _list_checks(conf: Path) -> Iterator[pipelines.Check]:
    yield _package
    yield _trusted
    yield from pipelines.CHECKS.values()
    yield _code_of_contract
    yield lambda conf: sweep.require_known(settings.load_train(conf), conf)
    yield _limits
    yield data_files.require_small
    yield data_files.require_own
    yield lambda conf: ethics_config.load(conf, settings.load_project(conf))
    yield signature_check.load_signatures
    yield conformance.load_forks
    yield patches.load
    yield settings.load_reuse
    yield signed.load
    if (conf / "alerts.yml").exists():
        yield _alerts
    yield settings.load_prices
    if (conf / "consumers.yml").exists():
        yield settings.load_consumers
    if (conf / "team.yml").exists():  # projects of before have none until an update brings it
        yield settings.load_team
    if (conf.resolve().parent / access.ROLES).exists():
        yield lambda conf: access.load(conf.resolve().parent)
    clouds = [env for env in get_args(settings.Environment) if (conf / f"{env}.yml").exists()]
    if len(clouds) == len(get_args(settings.Environment)):
        yield infra.is_used
    for environment in get_args(settings.Environment):
        if (conf / f"{environment}.yml").exists():
            yield partial(quota.require_enough, environment=environment)


def _trusted(conf: Path) -> None:
    """Check that what `trusted` names of other libraries are estimators."""
    names = trust.find_refused_settings(team.load_team(conf))
    if names:
        raise UsageError(
            f"{conf / 'project.yml'}, field `trusted`: {', '.join(names)} is neither of the "
            f"package `{settings.load_project(conf).package_name}` nor an estimator of an "
            "installed library under its full name. Remove it."
        )


def _code_of_contract(conf: Path) -> None:
    """Check that the team's code has what the contract needs: `derive`, one reader, text."""
    contract = load_contract(conf / "data.yml", settings.load_project(conf).task)
    code = team.load_team(conf)
    if contract.derived and not code.has("data", "derive"):
        raise UsageError(
            f"{conf / 'data.yml'}, field `derived`: {code.path('data')} has no function `derive`, "
            "which makes these columns. docs/contract.md shows one."
        )
    if "source" in contract.model_fields_set:
        rows.require_one_way(contract, code)
    if contract.text_features:  # templates of before have no transformer for text
        used.require_used(code.build_features(contract), contract, code)


def _alerts(conf: Path) -> None:
    """Check that each alert reaches somebody, and that a page says what they do."""
    runbook.require_written(
        Path(os.path.relpath(conf.resolve().parent / "docs")), alerts.load(conf)
    )


def _limits(conf: Path) -> None:
    """Check that limits of metrics fit the number of classes."""
    task = settings.load_project(conf).task
    classes = len(load_contract(conf / "data.yml", task).labels)
    metrics.require_fitting(settings.load_gates(conf), classes, conf)


def _package(conf: Path) -> None:
    """Check that Python finds the project's own package, and none of that name before it."""
    package = settings.load_project(conf).package_name
    folder = conf.resolve().parent / "src" / package
    spec = importlib.util.find_spec(package) if folder.is_dir() else None
    found = spec.origin or next(iter(spec.submodule_search_locations or ()), "") if spec else ""
    if found and not Path(found).resolve().is_relative_to(folder):
        place = "in Python itself" if found in {"built-in", "frozen"} else found
        raise UsageError(
            f"{conf / 'project.yml'}: `{package}` is a module that Python finds first, {place}, so "
            f"src/{package} is hidden. Rename the folder, for example to src/{package}_model, "
            f"and write `package: {package}_model`."
        )
