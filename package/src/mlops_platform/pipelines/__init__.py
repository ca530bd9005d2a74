"""Azure ML v2 pipeline jobs as this project uses them: read, checked, put in order.

What is read here runs unchanged in Azure ML. What the local runner cannot do is refused with the
file and the field; only what places a job in the cloud (compute, resources, distribution,
limits, identity) is left to the cloud.
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
    words,
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
    "words",
]
