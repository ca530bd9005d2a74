"""Starts the schedules of azureml/schedules/, or brings them up to date.

A schedule keeps, as the tag `content`, a hash of what it was made from: so one that is up to date
is left alone, and one that somebody switched off stays off until what it runs changes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_platform.azure import allowed, packages, submit
from mlops_platform.azure.az import sets
from mlops_platform.azure.endpoints import Online
from mlops_platform.azure.place import Place
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import hash_path, read_yaml

FOLDER = Path("azureml/schedules")
MODEL_DATA = re.compile(r"azureml:[\w-]+-(?:blue|green)-(model_(?:in|out)puts):(\w+)")
ASSET = re.compile(r"azureml:([\w-]+):(\w+)")


class NotYet(GateError):
    """A schedule is right, and what it needs is still to come."""


def run(place: Place, only: Path | None) -> None:
    """Start one schedule, or all that can run in the environment: retraining in dev alone.

    Of all, those that cannot run there, or not yet, are left out with the reason.

    Raises:
        NotYet: the one that was asked for waits for a deployment or for data.
        UsageError: it may not run there, a file is wrong, or Azure cannot do it.
    """
    checked = []
    for file in [only] if only else sorted(FOLDER.glob("*.yml")):
        content = read_yaml(file)
        try:
            checked.append((file, str(content.get("name")), _given(place, file, content)))
        except allowed.NotHere as reason:
            if only:
                raise
            terminal.say(f"left out: {reason}")
        except NotYet as reason:
            if only:
                raise
            terminal.say(f"not yet: {reason}\nThen run {place.command('schedules')} again.")
    if checked:
        packages.register(place)
    for file, name, pairs in checked:
        _ensure(place, file, name, pairs + place.tags())


def _given(place: Place, file: Path, content: dict[str, Any]) -> list[str]:
    """What `--set` gives a schedule, as KEY=VALUE, once it is clear that it can be started."""
    job = content.get("create_job")
    if job is not None:
        job = job if isinstance(job, dict) else {"job": job}
        allowed.require(place, file, job)
        return _job(place, file, job)
    if isinstance(monitor := content.get("create_monitor"), dict):
        return _monitor(place, file, monitor)
    raise UsageError(f"{file}: has neither `create_job` nor `create_monitor`. Add one.")


def _ensure(place: Place, file: Path, name: str, pairs: list[str]) -> None:
    made_from = [hash_path(file), *pairs]
    content = hashlib.sha256("\0".join(made_from).encode()).hexdigest()[:12]
    named = ("--name", name, *place.az.workspace)

    def stands() -> bool:
        found = place.az.read("schedule", "show", *named)
        return found is not None and (found.get("tags") or {}).get("content") == content

    given = sets(*pairs, f"tags.content={content}")
    place.az.ensure(
        f"schedule {name}", stands, *("schedule", "create", "--file", str(file), *named, *given)
    )
    if not place.az.dry_run:
        terminal.out.print(f"schedule {name} is up to date in {place.environment}", markup=False)


def _job(place: Place, file: Path, job: dict[str, Any]) -> list[str]:
    """For `--set`: the data of the environment, and what the job is made from."""
    pairs = []
    for name, value in (job.get("inputs") or {}).items():
        path = value.get("path") if isinstance(value, dict) else None
        if str(path).startswith(f"azureml:{place.name}-raw:"):
            pairs.append(f"create_job.inputs.{name}.path={place.data}")
    pipeline = job.get("job")
    if isinstance(pipeline, str):
        made_from = submit.identity(place, file.parent / pipeline, pairs)
        pairs.append(f"tags.made_from={made_from}")
    return pairs


def _monitor(place: Place, file: Path, monitor: dict[str, Any]) -> list[str]:
    """For `--set`: the deployment that serves, and what is collected behind it.

    Raises:
        NotYet: none has all the traffic, or a data asset is missing.
    """
    endpoint = Online(place)
    traffic = endpoint.traffic()
    if len(traffic) != 1:
        raise NotYet(
            f"{file} waits for one deployment with all the traffic; that of {endpoint.name} is "
            f"{traffic or 'none'}. Run {place.command('rollout')} first."
        )
    (colour,) = traffic
    target = "create_monitor.monitoring_target.endpoint_deployment_id"
    pairs = [f"{target}=azureml:{endpoint.name}:{colour}"]
    needed = set()
    for key, value in _leaves(monitor.get("monitoring_signals"), ()):
        asset = ASSET.fullmatch(value)
        if collected := MODEL_DATA.fullmatch(value):
            data = f"{endpoint.name}-{colour}-{collected[1]}"
            pairs.append(f"create_monitor.monitoring_signals.{key}=azureml:{data}:{collected[2]}")
            needed.add((data, collected[2]))
        elif asset is not None:
            needed.add((asset[1], asset[2]))
    _require(place, file, sorted(needed))
    return pairs


def _leaves(content: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each text in nested mappings, with its path."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(content, str):
        yield ".".join(path), content


def _require(place: Place, file: Path, assets: list[tuple[str, str]]) -> None:
    missing = []
    for name, version in assets:
        named = ("--name", name, "--version", version, *place.az.workspace)
        if place.az.read("data", "show", *named) is None:
            missing.append(f"- {name}, version {version}: {_way(place, name, version)}")
    if missing:
        listed = "\n".join(missing)
        raise NotYet(
            f"{file} waits for data that it reads, in workspace {place.cloud.workspace}:\n{listed}"
        )


def _way(place: Place, name: str, version: str) -> str:
    """What to do for a data asset that is missing."""
    table = f"`az ml data create --type mltable --name {name} --version {version} --path FOLDER`"
    if name == f"{place.name}-truth":
        return f"register the truth, a table of id and target, with {table}"
    if name != f"{place.name}-reference":
        return "the deployment's data collector makes it; send it requests, then wait"
    if place.environment == "dev":
        return f"run {place.command('submit azureml/jobs/responsible-ai.yml')}"
    return f"register the training rows of the version that serves with {table}"
