"""The kind of a file: from its `$schema`, or from fields that only one kind has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops_platform.schemas import assets, components, endpoints, jobs, schedules
from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.schemas.validators import (
    Anything,
    Fields,
    ListOf,
    Text,
    Validator,
    join_names,
    nearest,
)

SCHEMA = re.compile(r"https?://azuremlschemas\w*\.azureedge\.net/[\w./-]+?/(\w+)\.schema\.json")
# From Microsoft's pages on monitors: it does not exist, and does not name the kind.
OLD_SCHEMA = re.compile(r"https?://azureml/sdk-2-0/\w+\.json")
SCHEMA_URL = "https://azuremlschemas.azureedge.net/latest/{}.schema.json"


@dataclass(frozen=True)
class Kind:
    """A kind of file: the `name` of its schema, the `family` for rules, and its fields."""

    name: str
    family: str
    schema: Validator


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
        # Only azure-ai-ml checks these.
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
# Schemas that exist, of files that the platform does not use: attached machines, a store that
# Microsoft retired, connections; and all of prompt flow, which is no part of azure-ai-ml.
NOT_USED = {"azureDataLakeGen1", "connection", "flow", "kubernetesCompute", "vmCompute"}
PROMPT_FLOW = "/promptflow/"
# Files beside specs that are no specs: rules of Azure Monitor, packages for conda.
OTHER_FILES = {
    "autoscale": Kind("autoscale", "", AUTOSCALE),
    "conda": Kind("conda", "", Anything()),
}
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


def kind_of(tree: Node) -> tuple[Kind | None, Problem | None]:
    """The kind of a file, or the problem if it is unknown."""
    schema = tree.get("$schema")
    if schema is not None and not OLD_SCHEMA.fullmatch(str(schema.value)):
        match = SCHEMA.fullmatch(str(schema.value))
        name = match[1] if match else ""
        if name in KINDS:
            return KINDS[name], None
        if name in NOT_USED or (name and PROMPT_FLOW in str(schema.value)):
            message = (
                f"Azure ML has {name} files, but they are not used here, and their fields are not "
                "checked; keep them in a folder of their own"
            )
            return Kind(name, "", Anything()), schema.problem(message, house=True)
        suggestion = nearest(name, KINDS)
        if suggestion.startswith("`"):
            correct = SCHEMA_URL.format(suggestion.strip("`"))
        else:
            correct = f"{SCHEMA_URL.format('NAME')}, NAME {suggestion}"
        return None, schema.problem(f"{schema.value!r} is no schema of Azure ML; write {correct}")
    guess = _guess(tree)
    if guess:
        return KINDS.get(guess) or OTHER_FILES[guess], None
    return None, tree.missing(
        "$schema",
        "is missing, and no other field shows what this file is; write "
        f"{SCHEMA_URL.format('NAME')}, NAME one of {join_names(KINDS)}",
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
