"""Builds azureml/schedules/monitor.yml: Azure ML's monitoring of the online endpoint.

The endpoint rejects requests that violate the contract, so these signals monitor valid requests.
Schema: https://learn.microsoft.com/azure/machine-learning/reference-yaml-monitor
"""

from __future__ import annotations

from typing import Any

from mlops_platform.azure.job_builder import SCHEMAS, ProjectSettings

# Azure's default: the minimum similarity of two feature rankings by importance; 1 is identical.
ATTRIBUTION_LIMIT = 0.9
# Metrics that both support. For regression azure-ai-ml 1.35.2 cannot load the limits of its own
# schema (`mae`, `rmse`): the gates of a retraining check them.
PERFORMANCE_METRICS = {"classification": ["accuracy"], "regression": []}
PREDICTION_COLUMN = "prediction"


def build(config: ProjectSettings) -> dict[str, Any]:
    """Build a monitor schedule with one signal for each kind of change."""
    name, drift, contract = config.project.name, config.gates.drift, config.contract
    numeric, categorical = contract.numeric_features, contract.categorical_features
    psi = {"population_stability_index": drift.psi}
    reference = {
        "input_data": {"type": "mltable", "path": f"azureml:{name}-reference:1"},
        "data_context": "training",
        "data_column_names": {"target_column": contract.target},
    }

    def quality(columns: list[str]) -> dict[str, float]:
        missing = max(contract.columns[column].missing for column in columns)
        return {
            "null_value_rate": round(min(missing + drift.missing, 1), 6),
            "out_of_bounds_rate": drift.missing,
        }

    signals: dict[str, Any] = {
        "data_drift": {
            "type": "data_drift",
            "reference_data": reference,
            "features": [*numeric, *categorical],
            "metric_thresholds": _by_kind(numeric, psi, categorical, psi),
            "alert_enabled": True,
        },
        "prediction_drift": {
            "type": "prediction_drift",
            "reference_data": reference,
            "metric_thresholds": {"categorical" if contract.labels else "numerical": psi},
            "alert_enabled": True,
        },
        "data_quality": {
            "type": "data_quality",
            "reference_data": reference,
            "features": [*numeric, *categorical],
            "metric_thresholds": _by_kind(
                numeric,
                quality(numeric) if numeric else {},
                categorical,
                quality(categorical) if categorical else {},
            ),
            "alert_enabled": True,
        },
        "feature_attribution_drift": {
            "type": "feature_attribution_drift",
            "reference_data": reference,
            "metric_thresholds": {"normalized_discounted_cumulative_gain": ATTRIBUTION_LIMIT},
            "alert_enabled": True,
        },
    }
    if (limits := _limits(config)) and (ids := contract.named("id")):
        signals["model_performance"] = {
            "type": "model_performance",
            "production_data": {
                "input_data": {
                    "type": "uri_folder",
                    "path": f"azureml:{name}-dev-blue-model_outputs:1",
                },
                "data_context": "model_outputs",
                "data_column_names": {"prediction": PREDICTION_COLUMN, "correlation_id": ids[0]},
            },
            "reference_data": {
                "input_data": {"type": "mltable", "path": f"azureml:{name}-truth:1"},
                "data_context": "ground_truth",
                "data_column_names": {"target": contract.target, "correlation_id": ids[0]},
            },
            "metric_thresholds": {config.project.task: limits},
            "alert_enabled": True,
        }
    return {
        "$schema": f"{SCHEMAS}/monitorSchedule.schema.json",
        "name": f"{name}-monitor",
        "display_name": "Monitor",
        "description": "Watches requests and predictions of the online endpoint.",
        "tags": {"project": name},
        "trigger": {
            "type": "recurrence",
            "frequency": "day",
            "interval": 1,
            "schedule": {"hours": 3, "minutes": 15},
            "time_zone": "UTC",
        },
        "create_monitor": {
            "compute": {"instance_type": "standard_e4s_v3", "runtime_version": "3.4"},
            "monitoring_target": {
                "ml_task": config.project.task,
                "endpoint_deployment_id": f"azureml:{name}-dev:blue",
            },
            "monitoring_signals": signals,
            "alert_notification": {"emails": [config.project.contact]},
        },
    }


def _by_kind(
    numeric_columns: list[str],
    numeric_limits: dict[str, float],
    categorical_columns: list[str],
    categorical_limits: dict[str, float],
) -> dict[str, Any]:
    """The limits of each kind of feature that the contract has."""
    kinds = {
        "numerical": (numeric_columns, numeric_limits),
        "categorical": (categorical_columns, categorical_limits),
    }
    return {kind: dict(limits) for kind, (columns, limits) in kinds.items() if columns}


def _limits(config: ProjectSettings) -> dict[str, float]:
    """The limits under `quality` in conf/gates.yml that Azure ML can monitor."""
    known = PERFORMANCE_METRICS[config.project.task]
    return {
        limit.metric: value
        for limit in config.gates.quality
        if limit.metric in known
        if (value := limit.max if limit.min is None else limit.min) is not None
    }
