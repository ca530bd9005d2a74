"""Reads, checks and sorts Azure ML v2 pipeline jobs, and runs them locally.

The same files run unchanged in Azure ML. Which fields a local run uses, ignores because they change
nothing there (compute, limits), or refuses is written beside each field in `schemas`.
Schema: https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-pipeline
"""

from mlops_platform.pipelines.model import (
    BINDING,
    OPTIONAL,
    PATHS,
    FromPipeline,
    FromStep,
    Pipeline,
    Port,
    Step,
    split_command,
)
from mlops_platform.pipelines.reader import load

__all__ = [
    "BINDING",
    "OPTIONAL",
    "PATHS",
    "FromPipeline",
    "FromStep",
    "Pipeline",
    "Port",
    "Step",
    "load",
    "split_command",
]
