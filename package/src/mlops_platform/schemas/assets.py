"""Environments, data, models, datastores and compute."""

from __future__ import annotations

from dataclasses import replace

from mlops_platform.schemas.common import (
    ANY,
    ASSET,
    DESCRIBED,
    ENVIRONMENT_FIELDS,
    TAGS,
    TEXT,
    VERSION,
)
from mlops_platform.schemas.validators import (
    ByType,
    Either,
    Field,
    Fields,
    Flag,
    ListOf,
    Named,
    OneOf,
    Text,
    integer,
)

ENVIRONMENT = {**ASSET, **ENVIRONMENT_FIELDS, "datastore": TEXT}
# Only of data does the service refuse longer ones: github.com/Azure/azureml-assets/issues/295.
DATA_VERSION = replace(
    VERSION, pattern=r"[\w.-]{1,30}", example="at most 30 letters, digits, ., _ and -"
)
DATA = {
    **ASSET,
    "version": DATA_VERSION,
    "type": OneOf("uri_file", "uri_folder", "mltable"),
    "path!": TEXT,
    "datastore": TEXT,
    "auto_delete_setting": ANY,
}
MODEL = {
    **ASSET,
    "type": OneOf("custom_model", "mlflow_model", "triton_model"),
    "path!": TEXT,
    "flavors": Named(ANY),
    "stage": TEXT,
    "datastore": TEXT,
}
COMPUTE_NAME = Text(
    r"[A-Za-z](-?[A-Za-z0-9]){1,22}[A-Za-z0-9]?", "3 to 24 letters, digits and -, a letter first"
)
SIZE = Text(r"(?i)(standard|basic)_[a-z0-9_]+", "a size such as Standard_DS3_v2")
COMPUTE_IDENTITY = Fields(
    {
        "type!": OneOf("system_assigned", "user_assigned", "none", "system_assigned,user_assigned"),
        "user_assigned_identities": ListOf(Either(TEXT, Fields({"resource_id!": TEXT}))),
        "principal_id": TEXT,
        "tenant_id": TEXT,
    }
)
MACHINE: dict[str, Field] = {
    "$schema": TEXT,
    "type!": TEXT,
    "name!": COMPUTE_NAME,
    "description": TEXT,
    "tags": TAGS,
    "location": TEXT,
    "resource_id": TEXT,
}
NETWORK: dict[str, Field] = {
    "network_settings": Fields({"vnet_name": TEXT, "subnet": TEXT}),
    "identity": COMPUTE_IDENTITY,
    "enable_node_public_ip": Flag(),
    "ssh_public_access_enabled": Flag(),
    "ssh_settings": Fields({"admin_username": TEXT, "admin_password": TEXT, "ssh_key_value": TEXT}),
}
COMPUTE = ByType(
    {
        "amlcompute": Fields(
            {
                **MACHINE,
                **NETWORK,
                "size": SIZE,
                "tier": OneOf("low_priority", "dedicated"),
                "min_instances": integer(0),
                "max_instances": integer(1),
                "idle_time_before_scale_down": integer(1),
            }
        ),
        "computeinstance": Fields(
            {
                **MACHINE,
                **NETWORK,
                "size": SIZE,
                "create_on_behalf_of": Fields({"user_tenant_id": TEXT, "user_object_id": TEXT}),
                "schedules": Named(ANY),
                "idle_time_before_shutdown": Text(
                    r"PT[0-9]+[HM]([0-9]+M)?", "something such as PT30M"
                ),
                "idle_time_before_shutdown_minutes": integer(15, 4320),
                "custom_applications": ListOf(ANY),
                "setup_scripts": ANY,
                "enable_sso": Flag(),
                "enable_root_access": Flag(),
                "release_quota_on_stop": Flag(),
                "enable_os_patching": Flag(),
            }
        ),
        "virtualmachine": ANY,
        "kubernetes": ANY,
        "synapsespark": ANY,
    }
)
STORE: dict[str, Field] = {
    **DESCRIBED,
    "type!": TEXT,
    "name!": Text(r"[a-z0-9_]{1,255}", "small letters, digits and _"),
    "account_name!": TEXT,
    "endpoint": TEXT,
    "protocol": OneOf("https", "http", "wasbs", "wasb", "abfss", "abfs"),
    "credentials": ANY,
}
DATASTORE = ByType(
    {
        "azure_blob": Fields({**STORE, "container_name!": TEXT}),
        "azure_file": Fields({**STORE, "file_share_name!": TEXT}),
        "azure_data_lake_gen2": Fields({**STORE, "filesystem!": TEXT}),
        "azure_data_lake_gen1": ANY,
        "one_lake": ANY,
    }
)
