"""Schedules of jobs, and model monitors."""

from __future__ import annotations

from mlops_platform.schemas.common import ANY, DESCRIBED, INPUTS, NAME, TEXT
from mlops_platform.schemas.jobs import SETTINGS
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

ONE_OR_MORE_HOURS = Either(integer(0, 23), ANY, ListOf(integer(0, 23), 1))
DAYS = OneOf("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WHEN: dict[str, Field] = {
    "type!": TEXT,
    "start_time": ANY,
    "end_time": ANY,
    "time_zone": TEXT,
}
TRIGGER = ByType(
    {
        "cron": Fields({**WHEN, "expression!": TEXT}),
        "recurrence": Fields(
            {
                **WHEN,
                "frequency!": OneOf("minute", "hour", "day", "week", "month"),
                "interval!": integer(1),
                "schedule": Fields(
                    {
                        "hours!": ONE_OR_MORE_HOURS,
                        "minutes!": Either(integer(0, 59), ANY, ListOf(integer(0, 59), 1)),
                        "week_days": Either(DAYS, ANY, ListOf(DAYS, 1)),
                        "month_days": Either(integer(1, 31), ANY, ListOf(integer(1, 31), 1)),
                    }
                ),
            }
        ),
    }
)
SCHEDULE: dict[str, Field] = {
    **DESCRIBED,
    "name!": NAME,
    "display_name": TEXT,
    "trigger!": TRIGGER,
}
# A schedule may override these fields of the job that it names.
CREATE_JOB = Either(
    TEXT,
    Fields(
        {
            "type": TEXT,
            "job!": TEXT,
            "name": NAME,
            "display_name": TEXT,
            "description": TEXT,
            "experiment_name": TEXT,
            "tags": Named(TEXT),
            "properties": Named(ANY),
            "inputs": INPUTS,
            "outputs": Named(ANY),
            "settings": SETTINGS,
            "compute": TEXT,
            "identity": ANY,
            "limits": ANY,
            "resources": ANY,
            "environment": ANY,
            "environment_variables": ANY,
            "services": ANY,
        }
    ),
)
JOB_SCHEDULE = {**SCHEDULE, "create_job!": CREATE_JOB}

LIMIT = Number(0)
SHARE = Number(0, 1)
CONTEXT = OneOf("model_inputs", "model_outputs", "training", "test", "validation", "ground_truth")
DURATION = Text(
    r"default|P(?=.)([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+S)?)?",
    "an ISO 8601 duration such as P7D",
)
WINDOW = Fields(
    {
        "lookback_window_size": DURATION,
        "lookback_window_offset": DURATION,
        "window_start": TEXT,
        "window_end": TEXT,
    }
)
STORED = Fields({"path!": TEXT, "type!": OneOf("uri_file", "uri_folder", "mltable"), "mode": TEXT})
COLUMNS = Named(TEXT)
PRODUCTION: dict[str, Field] = {
    "input_data!": STORED,
    "data_context": CONTEXT,
    "pre_processing_component": TEXT,
    "data_window": WINDOW,
    "data_column_names": COLUMNS,
}
REFERENCE = Fields({**PRODUCTION, "target_column_name": TEXT})
NUMERICAL = {
    "jensen_shannon_distance": LIMIT,
    "normalized_wasserstein_distance": LIMIT,
    "population_stability_index": LIMIT,
    "two_sample_kolmogorov_smirnov_test": LIMIT,
}
CATEGORICAL = {
    "jensen_shannon_distance": LIMIT,
    "population_stability_index": LIMIT,
    "pearsons_chi_squared_test": LIMIT,
}
QUALITY = {"null_value_rate": SHARE, "data_type_error_rate": SHARE, "out_of_bounds_rate": SHARE}
DISTANCES = Fields({"numerical": Fields(NUMERICAL), "categorical": Fields(CATEGORICAL)})
SIGNAL: dict[str, Field] = {
    "type!": TEXT,
    "alert_enabled": Flag(),
    "production_data": Fields(PRODUCTION),
    "reference_data": REFERENCE,
    "properties": Named(ANY),
}
CHOSEN: dict[str, Field] = {
    "features": Either(
        OneOf("all_features"), Fields({"top_n_feature_importance!": integer(1)}), ListOf(TEXT, 1)
    ),
    "feature_type_override": Named(OneOf("numerical", "categorical")),
}
SEGMENT = Fields({"feature_name!": TEXT, "feature_values!": ListOf(TEXT, 1)})
SIGNALS = ByType(
    {
        "data_drift": Fields(
            {**SIGNAL, **CHOSEN, "metric_thresholds": DISTANCES, "data_segment": SEGMENT}
        ),
        "prediction_drift": Fields({**SIGNAL, "metric_thresholds": DISTANCES}),
        "data_quality": Fields(
            {
                **SIGNAL,
                **CHOSEN,
                "metric_thresholds": Fields(
                    {"numerical": Fields(QUALITY), "categorical": Fields(QUALITY)}
                ),
            }
        ),
        "feature_attribution_drift": Fields(
            {
                **SIGNAL,
                "production_data": Either(ANY, Fields(PRODUCTION), ListOf(Fields(PRODUCTION), 1)),
                "metric_thresholds": Fields({"normalized_discounted_cumulative_gain": SHARE}),
            }
        ),
        "model_performance": Fields(
            {
                **SIGNAL,
                "data_segment": SEGMENT,
                "production_data": Either(ANY, Fields(PRODUCTION), ListOf(Fields(PRODUCTION), 1)),
                "metric_thresholds": Fields(
                    {
                        "classification": Fields(
                            dict.fromkeys(("accuracy", "precision", "recall"), SHARE)
                        ),
                        "regression": Fields(dict.fromkeys(("mae", "mse", "rmse"), LIMIT)),
                    }
                ),
            }
        ),
        "custom": Fields(
            {
                "type!": TEXT,
                "component_id!": TEXT,
                "connection": ANY,
                "inputs": INPUTS,
                "input_data": Named(REFERENCE),
                "metric_thresholds!": ListOf(Fields({"metric_name!": TEXT, "threshold": LIMIT}), 1),
                "alert_enabled": Flag(),
                "properties": Named(ANY),
            }
        ),
        "generation_safety_quality": ANY,
        "generation_token_statistics": ANY,
    }
)
MONITOR = {
    **SCHEDULE,
    "create_monitor!": Fields(
        {
            "compute!": Fields(
                {
                    "instance_type!": OneOf(
                        *(f"standard_e{size}s_v3" for size in (4, 8, 16, 32, 64))
                    ),
                    "runtime_version!": Text(r"[0-9]+\.[0-9]+", 'a Spark version, such as "3.4"'),
                    "compute_type": OneOf("serverless_spark", "serverlessspark"),
                }
            ),
            "monitoring_target": Fields(
                {
                    "ml_task": OneOf("classification", "regression", "question_answering"),
                    "endpoint_deployment_id": TEXT,
                    "model_id": TEXT,
                }
            ),
            "monitoring_signals": Named(SIGNALS, r"[A-Za-z]\w*"),
            "alert_notification": Either(
                OneOf("azmonitoring"),
                Fields({"emails!": ListOf(Text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an address"), 1)}),
            ),
        }
    ),
}
