"""Creates the schedules of azureml/schedules/, or updates them.

The tag `content` of a schedule is a hash of its sources: a schedule that is up to date stays as it
is, and one that somebody turned off stays off until its sources change.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_platform.azure import job_policy, packages, retention, submit
from mlops_platform.azure.az import set_options
from mlops_platform.azure.online_endpoint import Online
from mlops_platform.azure.target import Target
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import hash_path, read_yaml

FOLDER = Path("azureml/schedules")
MODEL_DATA = re.compile(r"azureml:[\w-]+-(?:blue|green)-(model_(?:in|out)puts):(\w+)")
# Until 2.1 it trained each month, whatever there was to learn; CI asks for the decision now.
FORMER = "retrain"
ASSET = re.compile(r"azureml:([\w-]+):(\w+)")


class NotReadyError(GateError):
    """A valid schedule whose deployment or data does not exist yet."""


def run(target: Target, only: Path | None) -> None:
    """Create or update one schedule, or all that can run in the environment.

    Of all, those that cannot run there, or not yet, are skipped with the reason: outcomes are
    judged in dev only.

    Raises:
        NotReadyError: the schedule `only` waits for a deployment or for data.
        UsageError: it is not allowed there, a file is invalid, or Azure refuses.
    """
    schedules = []
    for file in [only] if only else sorted(FOLDER.glob("*.yml")):
        content = read_yaml(file)
        try:
            schedules.append((file, str(content.get("name")), _overrides(target, file, content)))
        except job_policy.WrongEnvironmentError as reason:
            if only:
                raise
            terminal.log(f"skipped: {reason}")
        except NotReadyError as reason:
            if only:
                raise
            terminal.log(f"not ready: {reason}\nThen run {target.command('schedules')} again.")
    if schedules:
        packages.register(target)
    for file, name, pairs in schedules:
        _ensure(target, file, name, pairs + target.tags())
    former = FOLDER / f"{FORMER}.yml"
    if not only and former.exists():
        terminal.log(
            f"{former.as_posix()}: trains each month, whatever there is to learn. CI asks for the "
            "decision each week: delete the file, and run this again."
        )
    elif not only:
        _stop_former(target)


def _stop_former(target: Target) -> None:
    """Turn off the schedule of an earlier release that trained without the decision."""
    name = f"{target.name}-{FORMER}"
    options = ("--name", name, *target.az.workspace)

    def is_off() -> bool:
        schedule = target.az.read("schedule", "show", *options)
        return schedule is None or schedule.get("is_enabled") is False

    if not is_off():
        target.az.ensure(f"schedule {name}, off", is_off, *("schedule", "disable", *options))
        if not target.az.dry_run:
            terminal.out.print(f"schedule {name} is off: CI decides on retraining", markup=False)


def _overrides(target: Target, file: Path, content: dict[str, Any]) -> list[str]:
    """Values for `--set`, as KEY=VALUE, after the check that the schedule can run."""
    job = content.get("create_job")
    if job is not None:
        job = job if isinstance(job, dict) else {"job": job}
        job_policy.check_environment(target, file, job)
        return _job(target, file, job)
    if isinstance(monitor := content.get("create_monitor"), dict):
        return _monitor(target, file, monitor)
    raise UsageError(f"{file}: has neither `create_job` nor `create_monitor`. Add one.")


def _ensure(target: Target, file: Path, name: str, pairs: list[str]) -> None:
    parts = [hash_path(file), *pairs]
    content = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    options = ("--name", name, *target.az.workspace)

    def is_current() -> bool:
        schedule = target.az.read("schedule", "show", *options)
        return schedule is not None and (schedule.get("tags") or {}).get("content") == content

    overrides = set_options(*pairs, f"tags.content={content}")
    target.az.ensure(
        f"schedule {name}",
        is_current,
        *("schedule", "create", "--file", str(file), *options, *overrides),
    )
    if not target.az.dry_run:
        terminal.out.print(f"schedule {name} is up to date in {target.environment}", markup=False)


def _job(target: Target, file: Path, job: dict[str, Any]) -> list[str]:
    """Values for `--set`: the data of the environment, and the hash of the job's sources."""
    pairs = []
    for name, value in (job.get("inputs") or {}).items():
        path = value.get("path") if isinstance(value, dict) else None
        if str(path).startswith(f"azureml:{target.name}-raw:"):
            pairs.append(f"create_job.inputs.{name}.path={target.data}")
        elif name == submit.COLLECTED:
            if retention.collected_share(target) == 0:
                raise NotReadyError(
                    f"{file} waits for predictions, and the endpoint keeps none: decide in "
                    f"{target.settings}, field `collect` (docs/azure.md), and deploy a version."
                )
            path = retention.collected_path(target)
            pairs.append(f"create_job.inputs.{name}.path={path}")
    pipeline = job.get("job")
    if isinstance(pipeline, str):
        made_from = submit.job_hash(target, file.parent / pipeline, pairs)
        pairs.append(f"tags.made_from={made_from}")
    return pairs


def _monitor(target: Target, file: Path, monitor: dict[str, Any]) -> list[str]:
    """Values for `--set`: the deployment that serves, and the data collected from it.

    Raises:
        NotReadyError: no request is kept, no deployment has all the traffic, or a data asset is
            missing.
    """
    if retention.collected_share(target) == 0:
        raise NotReadyError(
            f"{file} waits for requests to compare, and the endpoint keeps none: decide in "
            f"{target.settings}, field `collect` (docs/azure.md), and deploy a version."
        )
    endpoint = Online(target)
    traffic = endpoint.traffic()
    if len(traffic) != 1:
        raise NotReadyError(
            f"{file} waits for one deployment with all the traffic; the traffic of {endpoint.name} "
            f"is {traffic or 'none'}. Run {target.command('rollout')} first."
        )
    (colour,) = traffic
    field = "create_monitor.monitoring_target.endpoint_deployment_id"
    pairs = [f"{field}=azureml:{endpoint.name}:{colour}"]
    needed = set()
    for key, value in _walk_strings(monitor.get("monitoring_signals"), ()):
        asset = ASSET.fullmatch(value)
        if collected := MODEL_DATA.fullmatch(value):
            data = f"{endpoint.name}-{colour}-{collected[1]}"
            pairs.append(f"create_monitor.monitoring_signals.{key}=azureml:{data}:{collected[2]}")
            needed.add((data, collected[2]))
        elif asset is not None:
            needed.add((asset[1], asset[2]))
    _require_data(target, file, sorted(needed))
    return pairs


def _walk_strings(content: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each string in nested mappings, with its path."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _walk_strings(value, (*path, str(key)))
    elif isinstance(content, str):
        yield ".".join(path), content


def _require_data(target: Target, file: Path, assets: list[tuple[str, str]]) -> None:
    missing = []
    for name, version in assets:
        options = ("--name", name, "--version", version, *target.az.workspace)
        if target.az.read("data", "show", *options) is None:
            missing.append(f"- {name}, version {version}: {_how_to_create(target, name, version)}")
    if missing:
        lines = "\n".join(missing)
        raise NotReadyError(
            f"{file} waits for its input data in workspace {target.cloud.workspace}:\n{lines}"
        )


def _how_to_create(target: Target, name: str, version: str) -> str:
    """How to create a data asset that is missing."""
    table = f"`az ml data create --type mltable --name {name} --version {version} --path FOLDER`"
    if name == f"{target.name}-truth":
        return f"register the ground truth, a table of id and target, with {table}"
    if name != f"{target.name}-reference":
        return "the deployment's data collector creates it; send requests, then wait"
    if target.environment == "dev":
        return f"run {target.command('submit azureml/jobs/responsible-ai.yml')}"
    return f"register the training rows of the version that serves with {table}"
