"""azureml/schedules/monitor.yml: what Azure ML watches behind the online endpoint.

The endpoint refuses what breaks the contract, so these signals look at requests that keep it.
Schema: https://learn.microsoft.com/azure/machine-learning/reference-yaml-monitor
"""

from __future__ import annotations

from typing import Any

from mlops_platform.azure.shapes import SCHEMAS, ProjectSettings

# Azure's own default: how alike two rankings of the features by importance must be, 1 is the same.
ATTRIBUTION = 0.9
# The metrics that both know. For regression azure-ai-ml 1.35.2 cannot load the limits that its own
# schema asks for (`mae`, `rmse`): the gates of a retraining measure them.
PERFORMANCE = {"classification": ["accuracy"], "regression": []}
COLLECTED = "prediction"


def content(said: ProjectSettings) -> dict[str, Any]:
    """A schedule with a signal for each kind of change."""
    name, drift, contract = said.project.name, said.gates.drift, said.contract
    numbers, others = contract.numeric_features, contract.categorical_features
    psi = {"population_stability_index": drift.psi}
    reference = {
        "input_data": {"type": "mltable", "path": f"azureml:{name}-reference:1"},
        "data_context": "training",
        "data_column_names": {"target_column": contract.target},
    }

    def quality(columns: list[str]) -> dict[str, float]:
        allowed = max(contract.columns[column].missing for column in columns)
        return {
            "null_value_rate": round(min(allowed + drift.missing, 1), 6),
            "out_of_bounds_rate": drift.missing,
        }

    signals: dict[str, Any] = {
        "data_drift": {
            "type": "data_drift",
            "reference_data": reference,
            "features": [*numbers, *others],
            "metric_thresholds": _by_kind(numbers, psi, others, psi),
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
            "features": [*numbers, *others],
            "metric_thresholds": _by_kind(
                numbers,
                quality(numbers) if numbers else {},
                others,
                quality(others) if others else {},
            ),
            "alert_enabled": True,
        },
        "feature_attribution_drift": {
            "type": "feature_attribution_drift",
            "reference_data": reference,
            "metric_thresholds": {"normalized_discounted_cumulative_gain": ATTRIBUTION},
            "alert_enabled": True,
        },
    }
    if (limits := _limits(said)) and (ids := contract.named("id")):
        signals["model_performance"] = {
            "type": "model_performance",
            "production_data": {
                "input_data": {
                    "type": "uri_folder",
                    "path": f"azureml:{name}-dev-blue-model_outputs:1",
                },
                "data_context": "model_outputs",
                "data_column_names": {"prediction": COLLECTED, "correlation_id": ids[0]},
            },
            "reference_data": {
                "input_data": {"type": "mltable", "path": f"azureml:{name}-truth:1"},
                "data_context": "ground_truth",
                "data_column_names": {"target": contract.target, "correlation_id": ids[0]},
            },
            "metric_thresholds": {said.project.task: limits},
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
                "ml_task": said.project.task,
                "endpoint_deployment_id": f"azureml:{name}-dev:blue",
            },
            "monitoring_signals": signals,
            "alert_notification": {"emails": [said.project.contact]},
        },
    }


def _by_kind(
    numbers: list[str], numeric: dict[str, float], others: list[str], other: dict[str, float]
) -> dict[str, Any]:
    """Limits for the kinds of features that there are."""
    kinds = {"numerical": (numbers, numeric), "categorical": (others, other)}
    return {kind: dict(limits) for kind, (columns, limits) in kinds.items() if columns}


def _limits(said: ProjectSettings) -> dict[str, float]:
    """The limits under `quality` in conf/gates.yml that Azure ML can watch."""
    known = PERFORMANCE[said.project.task]
    return {
        limit.metric: value
        for limit in said.gates.quality
        if limit.metric in known
        if (value := limit.max if limit.min is None else limit.min) is not None
    }
