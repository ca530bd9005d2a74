"""Runs a pipeline in Azure ML: the same file that runs locally, with the environment's data.

A job's name contains a hash of its sources: pipeline, code, settings, packages, data version and
inputs. So an interrupted submission finds its job again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops_platform.azure import job_policy, packages, retention
from mlops_platform.azure.az import set_options, wait_interval
from mlops_platform.azure.environments import lock_version
from mlops_platform.azure.target import Target
from mlops_platform.azure.versions import Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import hash_path, read_yaml
from mlops_platform.tracking import provenance

FINAL_STATUSES = {"Completed", "Failed", "Canceled"}
RAW_DATA = Path("data/raw")
COLLECTED = "collected"  # the input for what the endpoint of the environment kept


def run(
    target: Target,
    pipeline: Path,
    inputs: dict[str, str],
    *,
    wait: bool,
    again: bool,
    before_start: Callable[[], None] | None = None,
) -> str:
    """Submit a pipeline, or find the job of the same sources; return the job's name.

    `again` submits a completed job again. `before_start` is called before a new job starts and
    before anything changes; it raises to prevent the job.

    Raises:
        UsageError: the job is not allowed there, cannot be submitted, or did not complete.
    """
    job_policy.check_environment(target, pipeline, read_yaml(pipeline))
    pairs = overrides(target, pipeline, inputs)
    stem = f"{pipeline.stem}-{job_hash(target, pipeline, pairs)}"
    name, existing = _find_name(target, stem, again=again)
    if existing is None and before_start is not None:
        before_start()
    _sync_champion(target)
    packages.register(target)
    if existing is None:
        pairs += _provenance(pipeline)
        options = ("--name", name, *target.az.workspace)
        target.az.ensure(
            f"job {name}",
            lambda: find_job(target, name) is not None,
            *("job", "create", "--file", str(pipeline), *options, *set_options(*pairs)),
        )
    if target.az.dry_run:
        return name
    job = find_job(target, name) or {}
    _print_status(job, name)
    if existing is not None and existing.get("status") == "Completed":
        terminal.out.print(
            "A job with the same code, settings, packages, inputs and data version has completed: "
            "no new job was started. `--again` starts one.",
            markup=False,
        )
    if wait:
        wait_for(target, name, job)
    return name


def _sync_champion(target: Target) -> None:
    """Make production's champion the champion of dev, so that a new model is compared with it.

    The registry shows what production serves; a version has the same number there and in dev.
    """
    if target.environment != "dev":
        return
    serving = Versions(target, registry=True).holder("champion")
    dev = Versions(target, registry=False)
    if serving and dev.find(serving.number):
        dev.promote(serving.number, "production serves it")


def overrides(target: Target, pipeline: Path, inputs: dict[str, str]) -> list[str]:
    """Values for `--set`, as KEY=VALUE: data, packages, inputs, tags.

    Raises:
        UsageError: no such file, or an input that it does not declare.
    """
    content = read_yaml(pipeline)
    declared: dict[str, Any] = content.get("inputs") or {}
    for name in inputs:
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise UsageError(f"{pipeline}: there is no input `{name}`; there are: {known}.")
    pairs = []
    for name, value in declared.items():
        path = value.get("path") if isinstance(value, dict) else None
        if name in inputs:
            pairs.append(f"inputs.{name}{'.path' if path else ''}={inputs[name]}")
        elif name == COLLECTED:
            pairs.append(f"inputs.{name}.path={retention.collected_path(target)}")
        elif path and _is_raw(target, pipeline, str(path)):
            pairs.append(f"inputs.{name}.path={target.data}")
    return pairs + target.packages(pipeline) + target.tags()


def _is_raw(target: Target, pipeline: Path, path: str) -> bool:
    if path.startswith("azureml:"):
        return path.startswith(f"azureml:{target.name}-raw:")
    return (pipeline.parent / path).resolve() == RAW_DATA.resolve()


def _provenance(pipeline: Path) -> list[str]:
    """Values for `--set`: the provenance that training steps record.

    It is not part of the job's hash: a commit that changes no code, such as one of a signature, is
    no reason to train again.
    """
    jobs: dict[str, Any] = read_yaml(pipeline).get("jobs") or {}
    return [
        f"jobs.{name}.environment_variables.{variable}={value}"
        for name, job in jobs.items()
        if "train" in job_policy.list_steps(pipeline.parent, job)
        for variable, value in provenance.environment_variables(Path.cwd()).items()
    ]


def job_hash(target: Target, pipeline: Path, pairs: list[str]) -> str:
    """Hash the sources of a job: pipeline, components, code, settings, packages, data."""
    hashes = [hash_path(pipeline), lock_version(Path.cwd()), *pairs]
    for folder in (Path("pipelines/components"), Path("src"), target.conf):
        hashes.append(hash_path(folder))
    return hashlib.sha256("\0".join(hashes).encode()).hexdigest()[:12]


def _find_name(target: Target, stem: str, *, again: bool) -> tuple[str, dict[str, Any] | None]:
    """The name to use, and its job if there is one that is running or completed."""
    number = 1
    while True:
        name = f"{stem}-{number}"
        job = find_job(target, name)
        if job is None or job.get("status") not in FINAL_STATUSES:
            return name, job
        if job.get("status") == "Completed" and not again:
            return name, job
        number += 1


def find_job(target: Target, name: str) -> dict[str, Any] | None:
    """Return Azure's description of a job; None if it does not exist."""
    job: dict[str, Any] | None = target.az.read("job", "show", "--name", name, *target.az.workspace)
    return job


def _print_status(job: dict[str, Any], name: str) -> None:
    studio = (job.get("services") or {}).get("Studio") or {}
    status = job.get("status", "unknown")
    terminal.out.print(f"{name}: {status}", markup=False)
    if studio.get("endpoint"):
        terminal.out.print(str(studio["endpoint"]), markup=False)


def wait_for(target: Target, name: str, job: dict[str, Any]) -> None:
    """Wait until the job has finished; its own time limits end it.

    Raises:
        UsageError: it did not complete.
    """
    has_waited = False
    while job.get("status") not in FINAL_STATUSES:
        has_waited = True
        wait_interval(1)
        current = find_job(target, name)
        if current is None:
            raise UsageError(f"job {name} no longer exists. Submit it again.")
        job = current
    if has_waited:
        _print_status(job, name)
    if job["status"] != "Completed":
        raise UsageError(
            f"job {name} ended as {job['status']}. Its page in Azure ML, above, says why; a "
            "failed gate ends a job in the same way. Run the same command again for a new job."
        )
