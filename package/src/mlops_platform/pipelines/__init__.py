"""Reads, checks and sorts Azure ML v2 pipeline jobs, and runs them locally.

The same files run unchanged in Azure ML. A field that the local runner does not support is an error
with file and field; only fields for the cloud (compute, resources, distribution, limits, identity)
are ignored.
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
