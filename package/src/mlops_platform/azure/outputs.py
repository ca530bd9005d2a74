"""Brings what a training left in Azure ML to outputs/, as if its pipeline had run here."""

from __future__ import annotations

import shutil
from pathlib import Path

from mlops_platform.azure.place import TRAINING, Place
from mlops_platform.azure.versions import Versions
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import whole_folder
from mlops_platform.pipelines import load


def bring(place: Place, asked: str, outputs: Path) -> str:
    """Download the folders of all steps of the training that made a version.

    They take the place of the last run's in `outputs`, all or none. Returns the version's number.

    Raises:
        UsageError: no such version, not from dev, or Azure ML does not have all of it.
    """
    if place.environment != "dev":
        raise UsageError(
            f"--env {place.environment}: training runs in dev, so what it left is there, too."
        )
    version = Versions(place).get(asked)
    job = version.tags.get("job")
    if job is None:
        raise UsageError(
            f"version {version.number} does not say which job of Azure ML made it (tag `job`). "
            f"Train once more: `uv run poe submit {TRAINING} --env dev`."
        )
    pipeline = load(TRAINING)
    listed = place.az.read("job", "list", "--parent-job-name", job, *place.az.workspace)
    steps = {str(found.get("display_name")): str(found["name"]) for found in listed}
    with whole_folder(outputs / pipeline.name) as home:
        for step in pipeline.steps:
            if step.name not in steps:
                raise UsageError(f"job {job} has no step `{step.name}`, which {TRAINING} has.")
            for output in step.outputs:
                _download(place, steps[step.name], output, home / step.name / output)
    return version.number


def _download(place: Place, job: str, output: str, target: Path) -> None:
    """One output. Azure ends well, too, where there is none."""
    scratch = target.with_name(f".{output}")
    asked = ("--name", job, "--output-name", output, "--download-path", str(scratch))
    place.az.fetch("job", "download", *asked, *place.az.workspace)
    came = scratch / "named-outputs" / output
    if not came.is_dir() or not any(came.iterdir()):
        raise UsageError(f"job {job} has no output `{output}` in Azure ML. Somebody deleted it.")
    came.replace(target)
    shutil.rmtree(scratch)


def store(place: Place) -> str:
    """The address of the workspace's runs and versions, for MLflow.

    Raises:
        UsageError: Azure does not say it.
    """
    named = ("--name", place.cloud.workspace, *place.az.group)
    found = place.az.read("workspace", "show", *named) or {}
    if not found.get("mlflow_tracking_uri"):
        raise UsageError(
            f"workspace {place.cloud.workspace} does not say where its runs are. Does "
            f"{place.settings} name the right one?"
        )
    return str(found["mlflow_tracking_uri"])
