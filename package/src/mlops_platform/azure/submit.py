"""Runs a pipeline in Azure ML: the same file that runs here, with the environment's data.

A job's name follows from what it runs: the pipeline, the code, the settings, the packages, the
data's version and the inputs. So a submission that was interrupted finds its job again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops_platform.azure import allowed, packages
from mlops_platform.azure.az import pause, sets
from mlops_platform.azure.environments import version
from mlops_platform.azure.place import Place
from mlops_platform.azure.versions import Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import hash_path, read_yaml
from mlops_platform.tracking import provenance

OVER = {"Completed", "Failed", "Canceled"}
RAW = Path("data/raw")


def run(
    place: Place,
    pipeline: Path,
    inputs: dict[str, str],
    *,
    wait: bool,
    again: bool,
    may_begin: Callable[[], None] | None = None,
) -> str:
    """Submit a pipeline, or find the job that was submitted for the same; return the job's name.

    `again` submits once more what has completed. `may_begin` is asked before anything is changed,
    and only where a new job would begin: it raises to say no.

    Raises:
        UsageError: the job may not run there, cannot be submitted, or did not complete.
    """
    allowed.require(place, pipeline, read_yaml(pipeline))
    pairs = overrides(place, pipeline, inputs)
    stem = f"{pipeline.stem}-{identity(place, pipeline, pairs)}"
    name, found = _free(place, stem, again=again)
    if found is None and may_begin is not None:
        may_begin()
    _follow_production(place)
    packages.register(place)
    if found is None:
        pairs += _provenance(pipeline)
        named = ("--name", name, *place.az.workspace)
        place.az.ensure(
            f"job {name}",
            lambda: show(place, name) is not None,
            *("job", "create", "--file", str(pipeline), *named, *sets(*pairs)),
        )
    if place.az.dry_run:
        return name
    job = show(place, name) or {}
    _say(job, name)
    if found is not None and found.get("status") == "Completed":
        terminal.out.print(
            "It ran before, with the same code, settings, packages, inputs and version of the "
            "data, and would make the same again: no new job was started.",
            markup=False,
        )
    if wait:
        finish(place, name, job)
    return name


def _follow_production(place: Place) -> None:
    """Make production's champion that of dev, so that a new model is compared with what serves.

    What production serves stands in the registry, under the number that the version has in dev.
    """
    if place.environment != "dev":
        return
    serving = Versions(place, registry=True).holder("champion")
    here = Versions(place, registry=False)
    if serving and here.find(serving.number):
        here.crown(serving.number, "production serves it")


def overrides(place: Place, pipeline: Path, inputs: dict[str, str]) -> list[str]:
    """What `--set` gives a job, as KEY=VALUE: data, packages, inputs, tags.

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
        elif path and _is_raw(place, pipeline, str(path)):
            pairs.append(f"inputs.{name}.path={place.data}")
    return pairs + place.packages(pipeline) + place.tags()


def _is_raw(place: Place, pipeline: Path, path: str) -> bool:
    if path.startswith("azureml:"):
        return path.startswith(f"azureml:{place.name}-raw:")
    return (pipeline.parent / path).resolve() == RAW.resolve()


def _provenance(pipeline: Path) -> list[str]:
    """For `--set`: what the steps that train are told of their making.

    It is no part of a job's identity: a commit that changes no code, as one of a signature, is no
    reason to train again.
    """
    jobs: dict[str, Any] = read_yaml(pipeline).get("jobs") or {}
    return [
        f"jobs.{name}.environment_variables.{variable}={value}"
        for name, job in jobs.items()
        if "train" in allowed.steps(pipeline.parent, job)
        for variable, value in provenance.variables(Path.cwd()).items()
    ]


def identity(place: Place, pipeline: Path, pairs: list[str]) -> str:
    """What a job is made from, as a hash: pipeline, components, code, settings, packages, data."""
    hashes = [hash_path(pipeline), version(Path.cwd()), *pairs]
    for folder in (Path("pipelines/components"), Path("src"), place.conf):
        hashes.append(hash_path(folder))
    return hashlib.sha256("\0".join(hashes).encode()).hexdigest()[:12]


def _free(place: Place, stem: str, *, again: bool) -> tuple[str, dict[str, Any] | None]:
    """The name to use, and the job that has it: one that runs, or has completed, is taken up."""
    number = 1
    while True:
        name = f"{stem}-{number}"
        job = show(place, name)
        if job is None or job.get("status") not in OVER:
            return name, job
        if job.get("status") == "Completed" and not again:
            return name, job
        number += 1


def show(place: Place, name: str) -> dict[str, Any] | None:
    """Azure's description of a job, or None."""
    return place.az.read("job", "show", "--name", name, *place.az.workspace)


def _say(job: dict[str, Any], name: str) -> None:
    studio = (job.get("services") or {}).get("Studio") or {}
    status = job.get("status", "unknown")
    terminal.out.print(f"{name}: {status}", markup=False)
    if studio.get("endpoint"):
        terminal.out.print(str(studio["endpoint"]), markup=False)


def finish(place: Place, name: str, job: dict[str, Any]) -> None:
    """Wait until the job is over; its own time limits see to it that it ends.

    Raises:
        UsageError: it did not complete.
    """
    waited = False
    while job.get("status") not in OVER:
        waited = True
        pause(1)
        found = show(place, name)
        if found is None:
            raise UsageError(f"job {name} is gone. Somebody deleted it.")
        job = found
    if waited:
        _say(job, name)
    if job["status"] != "Completed":
        raise UsageError(
            f"job {name} ended as {job['status']}. Its page in Azure ML, above, says why; a step "
            "whose gate said no ends so, too. Run the same command again for a new job."
        )
