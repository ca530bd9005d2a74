"""Online and batch endpoints, and their deployments."""

from __future__ import annotations

from mlops_platform.schemas.assets import COMPUTE_IDENTITY, SIZE
from mlops_platform.schemas.common import (
    ANY,
    DESCRIBED,
    ENVIRONMENT,
    INPUTS,
    NAME,
    RESOURCES,
    TEXT,
    VARIABLES,
)
from mlops_platform.schemas.components import MINI_BATCHES
from mlops_platform.schemas.validators import (
    ByType,
    Either,
    Field,
    Fields,
    Flag,
    ListOf,
    Named,
    Number,
    OneOf,
    Text,
    integer,
)

# https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas#azure-machine-learning-online-endpoints-and-batch-endpoints
ENDPOINT_NAME = Text(
    r"[A-Za-z](-?[A-Za-z0-9]){2,31}", "3 to 32 letters, digits and single -, a letter first"
)
ENDPOINT: dict[str, Field] = {
    **DESCRIBED,
    "name!": ENDPOINT_NAME,
    "location": TEXT,
    "identity": COMPUTE_IDENTITY,
    "scoring_uri": TEXT,
    "openapi_uri": TEXT,
}
ONLINE = {
    **ENDPOINT,
    "auth_mode": OneOf("key", "aml_token", "aad_token"),
    "traffic": Named(integer(0, 100)),
    "mirror_traffic": Named(integer(0, 50)),
    "public_network_access": OneOf("enabled", "disabled"),
    "compute": TEXT,
}
BATCH = {
    **ENDPOINT,
    "auth_mode": OneOf("aad_token"),
    "defaults": Fields({"deployment_name!": TEXT}),
}
DEPLOYMENT: dict[str, Field] = {
    **DESCRIBED,
    "name!": ENDPOINT_NAME,
    "endpoint_name!": ENDPOINT_NAME,
    "model": Either(
        TEXT,
        Fields(
            {
                **DESCRIBED,
                "name": NAME,
                "version": ANY,
                "path!": TEXT,
                "type": OneOf("custom_model", "mlflow_model", "triton_model"),
                "flavors": ANY,
            }
        ),
    ),
    "code_configuration": Fields({"code!": TEXT, "scoring_script!": TEXT}),
    "environment": ENVIRONMENT,
    "environment_variables": VARIABLES,
}
# The limits of probes and requests: reference-yaml-deployment-managed-online.
PROBE = Fields(
    {
        "initial_delay": integer(1, 86400),
        "period": integer(1, 86400),
        "timeout": integer(1, 86400),
        "success_threshold": integer(1),
        "failure_threshold": integer(1),
    }
)
COLLECTION = Fields(
    {
        "enabled!": Either(OneOf("true", "false"), ANY),
        "data": Either(TEXT, Fields({"name": TEXT, "path": TEXT, "version": ANY})),
        "client_id": TEXT,
    }
)
ONLINE_WORK: dict[str, Field] = {
    **DEPLOYMENT,
    "type": OneOf("managed", "kubernetes"),
    "instance_count": integer(1),
    "scale_settings": ByType(
        {
            "default": Fields({"type!": TEXT}),
            "target_utilization": Fields(
                {
                    "type!": TEXT,
                    "min_instances": integer(1),
                    "max_instances": integer(1),
                    "target_utilization_percentage": integer(1, 100),
                    "polling_interval": integer(1),
                }
            ),
        }
    ),
    "request_settings": Fields(
        {
            "request_timeout_ms": integer(1, 180000),
            "max_concurrent_requests_per_instance": integer(1),
            "max_queue_wait_ms": integer(0, 180000),
        }
    ),
    "liveness_probe": PROBE,
    "readiness_probe": PROBE,
    "app_insights_enabled": Flag(),
    "model_mount_path": TEXT,
    "data_collector": Fields(
        {
            "collections!": Named(COLLECTION),
            "rolling_rate": OneOf("minute", "hour", "day"),
            "sampling_rate": Number(0, 1),
            "request_logging": Fields({"capture_headers": ListOf(TEXT)}),
        }
    ),
}
MANAGED = {
    **ONLINE_WORK,
    "instance_type!": SIZE,
    # Azure Monitor scales managed deployments: azureml/endpoints/online/autoscale.yml.
    "scale_settings": ByType({"default": Fields({"type!": TEXT})}),
    "egress_public_network_access": OneOf("enabled", "disabled"),
}
KUBERNETES = {**ONLINE_WORK, "instance_type": TEXT, "resources": Named(ANY)}
MODEL_WORK: dict[str, Field] = {
    **{name: MINI_BATCHES[name] for name in ("error_threshold", "max_concurrency_per_instance")},
    "logging_level": OneOf("info", "warning", "debug"),
    "mini_batch_size": integer(1),
    "output_action": OneOf("append_row", "summary_only"),
    "output_file_name": Text(r"[\w.-]+", "a file's name, without folders"),
    "retry_settings": MINI_BATCHES["retry_settings"],
}
BATCH_DEPLOYMENT = ByType(
    {
        "model": Fields(
            {
                **DEPLOYMENT,
                **MODEL_WORK,
                "type": TEXT,
                "compute!": TEXT,
                "resources": RESOURCES,
                "settings": Fields(
                    {
                        **MODEL_WORK,
                        "instance_count": integer(1),
                        "environment_variables": VARIABLES,
                    }
                ),
            }
        ),
        "pipeline": Fields(
            {
                **DESCRIBED,
                "type!": TEXT,
                "name!": ENDPOINT_NAME,
                "endpoint_name!": ENDPOINT_NAME,
                "component": TEXT,
                "job_definition": Either(TEXT, ANY),
                "settings": Fields(
                    {
                        "default_compute": TEXT,
                        "default_datastore": TEXT,
                        "continue_on_step_failure": Flag(),
                        "force_rerun": Flag(),
                    }
                ),
                "inputs": INPUTS,
            }
        ),
    },
    "model",
)
