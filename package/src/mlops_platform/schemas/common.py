"""Fields that several kinds of files have in common."""

from __future__ import annotations

from mlops_platform.schemas.validators import (
    Anything,
    ByType,
    Either,
    Field,
    Fields,
    Flag,
    ListOf,
    Named,
    OneOf,
    Text,
    Validator,
    ignored,
    integer,
    used,
)

TEXT = Text()
ANY = Anything()
# Of a job or component, as azure-ai-ml has it: texts. Of other resources: any scalar.
TAGS = Named(Text(max_length=256))
RESOURCE_TAGS = Named(Text(max_length=256, allow_scalars=True))
# Azure ML's rule for assets and jobs: https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-command
NAME = Text(r"[A-Za-z0-9][\w.-]{0,254}", "letters, digits, ., _ and -, a letter or digit first")
VERSION = Text(
    r"[\w.-]{1,255}",
    "at most 255 letters, digits, ., _ and -",
    allow_integer=True,
    allow_float=True,
)
PORT = r"[A-Za-z_]\w*"
DESCRIBED: dict[str, Field] = {
    "$schema": ignored(TEXT),
    "description": ignored(TEXT),
    "tags": ignored(RESOURCE_TAGS),
    "properties": ignored(Named(ANY)),
}
ASSET: dict[str, Field] = {**DESCRIBED, "name!": NAME, "version": VERSION}

PATH_TYPES = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")
LITERAL_TYPES = ("string", "integer", "number", "boolean")
INPUT_MODES = OneOf("ro_mount", "download", "direct", "eval_mount", "eval_download")
OUTPUT_MODES = OneOf("rw_mount", "mount", "upload", "direct")

# A job's inputs and outputs: values.
GIVEN = Fields(
    {
        "type": used(OneOf(*PATH_TYPES)),
        "path": used(TEXT),
        "mode": ignored(INPUT_MODES),
        "path_on_compute": TEXT,
        "datastore": TEXT,
        "value": used(ANY),
    }
)
INPUTS = Named(Either(ANY, GIVEN), PORT)
OUTPUT = Fields(
    {
        "type": used(OneOf(*PATH_TYPES)),
        "path": used(TEXT),
        "mode": ignored(OUTPUT_MODES),
        "name": ignored(NAME),
        "version": ignored(VERSION),
    }
)
OUTPUTS = Named(Either(ANY, OUTPUT), PORT)

ENVIRONMENT_FIELDS: dict[str, Validator] = {
    "build": Fields({"path!": TEXT, "dockerfile_path": TEXT}),
    "image": TEXT,
    "conda_file": Either(TEXT, Named(ANY)),
    "os_type": OneOf("linux", "windows"),
    "inference_config": Fields(
        {
            f"{name}_route": Fields({"path!": TEXT, "port!": integer(1, 65535)})
            for name in ("liveness", "readiness", "scoring")
        }
    ),
}
ENVIRONMENT = Either(
    TEXT, Fields({**DESCRIBED, **ENVIRONMENT_FIELDS, "name": NAME, "version": VERSION})
)
IDENTITY = ByType(
    {
        "managed": Fields(
            {"type": TEXT, "client_id": TEXT, "object_id": TEXT, "msi_resource_id": TEXT}
        ),
        "managed_identity": Fields({"type": TEXT, "client_id": TEXT}),
        "aml_token": Fields({"type": TEXT}),
        "user_identity": Fields({"type": TEXT}),
    }
)
RESOURCES = Fields(
    {
        "instance_count": integer(1, 1000),
        "instance_type": Either(TEXT, ANY, ListOf(TEXT)),
        "properties": Named(ANY),
        "locations": ListOf(TEXT),
        "shm_size": Text(r"[0-9]+[bkmgBKMG]", "a number and b, k, m or g, such as 2g"),
        "docker_args": Either(TEXT, ANY, ListOf(TEXT)),
        "max_instance_count": integer(1),
    }
)
PROCESSES: dict[str, Validator] = {"type": TEXT, "process_count_per_instance": integer(1)}
DISTRIBUTION = ByType(
    {
        "pytorch": Fields(PROCESSES),
        "mpi": Fields(PROCESSES),
        "tensorflow": Fields(
            {"type": TEXT, "parameter_server_count": integer(0), "worker_count": integer(1)}
        ),
        "ray": Fields(
            {
                "type": TEXT,
                "port": integer(1, 65535),
                "address": TEXT,
                "include_dashboard": Flag(),
                "dashboard_port": integer(1, 65535),
                "head_node_additional_args": TEXT,
                "worker_node_additional_args": TEXT,
            }
        ),
    }
)
QUEUE = Fields(
    {
        "job_tier": OneOf("spot", "basic", "standard", "premium", "null"),
        "priority": OneOf("low", "medium", "high"),
    }
)
VARIABLES = Named(ANY)
