"""What a file is: its `$schema` says so, or else the fields that only one kind has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops_platform.specs.nodes import Fault, Node
from mlops_platform.specs.shapes import Anything, Fields, ListOf, Shape, Text, listed, nearest
from mlops_platform.specs.tables import assets, components, endpoints, jobs, schedules

SCHEMA = re.compile(r"https?://azuremlschemas\w*\.azureedge\.net/[\w./-]+?/(\w+)\.schema\.json")
# What Microsoft's pages on monitors show; it leads nowhere, and says nothing of the kind.
OLD_SCHEMA = re.compile(r"https?://azureml/sdk-2-0/\w+\.json")
WRITE = "https://azuremlschemas.azureedge.net/latest/{}.schema.json"


@dataclass(frozen=True)
class Kind:
    """A kind of file: `name` as its schema is called, the `family` that rules go by, its table."""

    name: str
    family: str
    table: Shape


AUTOSCALE = Fields(
    {
        "rules!": ListOf(
            Fields(
                {
                    "condition!": Text(
                        r"\w+( \w+)* [<>=!]=? [0-9.]+ (avg|min|max|total|count) [0-9]+[mh]",
                        "something such as CpuUtilizationPercentage > 70 avg 5m",
                    ),
                    "scale!": Text(r"(out|in|to) [0-9]+%?", "something such as out 1 or in 1"),
                    "cooldown": Text(),
                }
            ),
            1,
        )
    }
)
KINDS = {
    kind.name: kind
    for kind in (
        Kind("pipelineJob", "pipeline", Fields(jobs.PIPELINE)),
        Kind("pipelineComponent", "pipeline component", Fields(jobs.PIPELINE_COMPONENT)),
        Kind("commandJob", "job", Fields(jobs.COMMAND)),
        Kind("sweepJob", "sweep", Fields(jobs.SWEEP)),
        Kind("sparkJob", "spark", Fields(jobs.SPARK)),
        Kind("commandComponent", "component", Fields(components.COMMAND)),
        Kind("parallelComponent", "component", Fields(components.PARALLEL)),
        Kind("sparkComponent", "component", Fields(components.SPARK)),
        Kind("environment", "environment", Fields(assets.ENVIRONMENT)),
        Kind("data", "data", Fields(assets.DATA)),
        Kind("model", "model", Fields(assets.MODEL)),
        Kind("amlCompute", "compute", assets.COMPUTE),
        Kind("computeInstance", "compute", assets.COMPUTE),
        Kind("azureBlob", "datastore", assets.DATASTORE),
        Kind("azureFile", "datastore", assets.DATASTORE),
        Kind("azureDataLakeGen2", "datastore", assets.DATASTORE),
        Kind("managedOnlineEndpoint", "online endpoint", Fields(endpoints.ONLINE)),
        Kind("kubernetesOnlineEndpoint", "online endpoint", Fields(endpoints.ONLINE)),
        Kind("managedOnlineDeployment", "online deployment", Fields(endpoints.MANAGED)),
        Kind("kubernetesOnlineDeployment", "online deployment", Fields(endpoints.KUBERNETES)),
        Kind("batchEndpoint", "batch endpoint", Fields(endpoints.BATCH)),
        Kind("batchDeployment", "batch deployment", endpoints.BATCH_DEPLOYMENT),
        Kind("modelBatchDeployment", "batch deployment", endpoints.BATCH_DEPLOYMENT),
        Kind("pipelineComponentBatchDeployment", "batch deployment", endpoints.BATCH_DEPLOYMENT),
        Kind("schedule", "schedule", Fields(schedules.JOB_SCHEDULE)),
        Kind("monitorSchedule", "monitor", Fields(schedules.MONITOR)),
        # Looked at by azure-ai-ml alone.
        Kind("autoMLJob", "", Anything()),
        Kind("autoMLComponent", "", Anything()),
        Kind("workspace", "", Anything()),
        Kind("registry", "", Anything()),
        Kind("featureSet", "", Anything()),
        Kind("featureStore", "", Anything()),
        Kind("featureStoreEntity", "", Anything()),
        Kind("dataImport", "", Anything()),
    )
}
# Files that lie beside specs and are none: rules of Azure Monitor, packages for conda.
BESIDE = {"autoscale": Kind("autoscale", "", AUTOSCALE), "conda": Kind("conda", "", Anything())}
BY_TYPE = {
    "pipeline": ("pipelineJob", "pipelineComponent"),
    "command": ("commandJob", "commandComponent"),
    "spark": ("sparkJob", "sparkComponent"),
    "parallel": ("parallelComponent", "parallelComponent"),
    "sweep": ("sweepJob", "sweepJob"),
    "automl": ("autoMLJob", "autoMLComponent"),
    "amlcompute": ("amlCompute", "amlCompute"),
    "computeinstance": ("computeInstance", "computeInstance"),
    "azure_blob": ("azureBlob", "azureBlob"),
    "azure_file": ("azureFile", "azureFile"),
    "azure_data_lake_gen2": ("azureDataLakeGen2", "azureDataLakeGen2"),
    **dict.fromkeys(("uri_file", "uri_folder", "mltable"), ("data", "data")),
    **dict.fromkeys(("custom_model", "mlflow_model", "triton_model"), ("model", "model")),
}
BY_FIELD = {
    "create_monitor": "monitorSchedule",
    "create_job": "schedule",
    "instance_type": "managedOnlineDeployment",
    "endpoint_name": "batchDeployment",
    "traffic": "managedOnlineEndpoint",
    "auth_mode": "managedOnlineEndpoint",
    "build": "environment",
    "conda_file": "environment",
    "image": "environment",
    "dependencies": "conda",
    "rules": "autoscale",
}


def kind_of(tree: Node) -> tuple[Kind | None, Fault | None]:
    """A file's kind, or why it is not known."""
    schema = tree.get("$schema")
    if schema is not None and not OLD_SCHEMA.fullmatch(str(schema.value)):
        match = SCHEMA.fullmatch(str(schema.value))
        name = match[1] if match else ""
        if name in KINDS:
            return KINDS[name], None
        meant = nearest(name, KINDS)
        if meant.startswith("`"):
            write = WRITE.format(meant.strip("`"))
        else:
            write = f"{WRITE.format('NAME')}, NAME {meant}"
        return None, schema.fault(f"{schema.value!r} is no schema of Azure ML; write {write}")
    guessed = _guess(tree)
    if guessed:
        return KINDS.get(guessed) or BESIDE[guessed], None
    return None, tree.missing(
        "$schema",
        f"is missing, and nothing else says what this file is; write {WRITE.format('NAME')}, "
        f"NAME one of {listed(KINDS)}",
    )


def _guess(tree: Node) -> str:
    for field, name in BY_FIELD.items():
        if field in tree.value and not (field == "endpoint_name" and tree.get("type") is None):
            return name
    if "endpoint_name" in tree.value:
        return "batchDeployment" if "compute" in tree.value else "managedOnlineDeployment"
    job, component = BY_TYPE.get(tree.text("type").lower(), ("", ""))
    declared = {"version", "is_deterministic"} & set(tree.value)
    return component if declared else job
