"""Downloads the outputs of a training in Azure ML, as if its pipeline had run here."""

from __future__ import annotations

from pathlib import Path

from mlops_platform.azure.target import TRAINING, Target
from mlops_platform.azure.versions import Versions
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_folder, delete_folder, move
from mlops_platform.pipelines import load
from mlops_platform.pipelines.outputs import new_run


def download(target: Target, number_or_role: str, outputs: Path) -> str:
    """Download the outputs of all steps of the training that made a version.

    They become the last run in `outputs`, all or none. Returns the version's number.

    Raises:
        UsageError: no such version, another environment than dev, or missing outputs in Azure ML.
    """
    if target.environment != "dev":
        raise UsageError(
            f"--env {target.environment}: training runs in dev, so its outputs are there, too."
        )
    version = Versions(target).get(number_or_role)
    job = version.tags.get("job")
    if job is None:
        raise UsageError(
            f"version {version.number} has no tag `job`, the name of its training job in Azure ML. "
            f"Train again: `uv run poe submit {TRAINING} --env dev`."
        )
    pipeline = load(TRAINING)
    jobs = target.az.read("job", "list", "--parent-job-name", job, *target.az.workspace)
    steps = {str(job_step.get("display_name")): str(job_step["name"]) for job_step in jobs}
    with new_run(outputs / pipeline.name) as new:
        for step in pipeline.steps:
            if step.name not in steps:
                raise UsageError(f"job {job} has no step `{step.name}`, which {TRAINING} has.")
            with atomic_folder(new.folder / step.name) as folder:
                for output in step.outputs:
                    _download(target, steps[step.name], output, folder / output)
        new.end({step.name for step in pipeline.steps}, passed=True)
    return version.number


def _download(target: Target, job: str, output: str, folder: Path) -> None:
    """Download one output. `az` also reports success if there is none."""
    scratch = folder.with_name(f".{output}")
    options = ("--name", job, "--output-name", output, "--download-path", str(scratch))
    target.az.download("job", "download", *options, *target.az.workspace)
    downloaded = scratch / "named-outputs" / output
    if not downloaded.is_dir() or not any(downloaded.iterdir()):
        raise UsageError(f"job {job} has no output `{output}` in Azure ML. Train again.")
    move(downloaded, folder)
    delete_folder(scratch)


def tracking_uri(target: Target) -> str:
    """The MLflow tracking URI of the workspace.

    Raises:
        UsageError: the workspace has none.
    """
    options = ("--name", target.cloud.workspace, *target.az.group)
    workspace = target.az.read("workspace", "show", *options) or {}
    if not workspace.get("mlflow_tracking_uri"):
        raise UsageError(
            f"workspace {target.cloud.workspace} has no MLflow tracking URI. Check the "
            f"workspace in {target.settings}."
        )
    return str(workspace["mlflow_tracking_uri"])
