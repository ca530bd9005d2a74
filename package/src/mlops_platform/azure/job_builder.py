"""Builds parts that several files of Azure ML have in common."""

from __future__ import annotations

from typing import Any, NamedTuple

from mlops_platform import settings
from mlops_platform.data.contract import Contract

SCHEMAS = "https://azuremlschemas.azureedge.net/latest"
COMPONENTS = "../../pipelines/components"
HOUR = 3600
CONF = {"type": "uri_folder", "path": "../../conf"}


class ProjectSettings(NamedTuple):
    """The settings in conf/ from which the files are built."""

    project: settings.Project
    train: settings.Train
    gates: settings.Gates
    contract: Contract


def build_pipeline(name: str, title: str, description: str, **rest: Any) -> dict[str, Any]:
    """Build a pipeline job of the project `name`, on the cluster that all jobs share."""
    return {
        "$schema": f"{SCHEMAS}/pipelineJob.schema.json",
        "type": "pipeline",
        "display_name": title,
        "description": description,
        "experiment_name": name,
        "tags": {"project": name},
        "settings": {"default_compute": "azureml:cpu"},
        **rest,
    }


def raw_data(name: str) -> dict[str, str]:
    """The raw data as an input of a job."""
    return {"type": "uri_folder", "path": f"azureml:{name}-raw:1"}


def prepare_jobs() -> dict[str, Any]:
    """The first two steps of pipelines/train.yml."""
    return {
        "validate": {
            "type": "command",
            "component": f"{COMPONENTS}/validate.yml",
            "limits": {"timeout": HOUR},
            "inputs": {"conf": "${{parent.inputs.conf}}", "raw": "${{parent.inputs.raw}}"},
        },
        "prepare": {
            "type": "command",
            "component": f"{COMPONENTS}/prepare.yml",
            "limits": {"timeout": HOUR},
            "inputs": {
                "conf": "${{parent.inputs.conf}}",
                "raw": "${{parent.inputs.raw}}",
                "validated": "${{parent.jobs.validate.outputs.evidence}}",
            },
        },
    }


def build_component(
    inputs: dict[str, str], outputs: dict[str, str], step: str, *arguments: str
) -> dict[str, Any]:
    """Build an inline component that runs a command of this package; ports are name and type."""
    return {
        "type": "command",
        "inputs": {port: {"type": kind} for port, kind in inputs.items()},
        "outputs": {port: {"type": kind} for port, kind in outputs.items()},
        "code": "../../src",
        "environment": "file:../../pipelines/environments/training.yml",
        "command": " ".join([f"python -m mlops_platform {step}", *arguments]),
    }
