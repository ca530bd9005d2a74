"""Builds azureml/jobs/responsible-ai.yml: the Responsible AI dashboard of a version.

Microsoft's components make the dashboard, in an environment of their own: their library needs
older packages than this project.
Inputs: https://learn.microsoft.com/azure/machine-learning/how-to-responsible-ai-insights-sdk-cli
"""

from __future__ import annotations

import json
from typing import Any

from mlops_platform.azure.job_builder import (
    CONF,
    HOUR,
    ProjectSettings,
    build_component,
    build_pipeline,
    prepare_jobs,
    raw_data,
)

VERSION = "0.22.0"


def build(config: ProjectSettings) -> dict[str, Any]:
    """Build a pipeline: tables of the training and test rows, then the dashboard's parts."""
    name, contract = config.project.name, config.contract
    dropped = [column for column in contract.columns if column not in contract.features]
    dropped.remove(contract.target)
    tables_component = build_component(
        {"conf": "uri_folder", "data": "uri_folder"},
        {"train": "mltable", "test": "mltable", "reference": "mltable"},
        "tables",
        "--conf ${{inputs.conf}}",
        "--data ${{inputs.data}}",
        "--train ${{outputs.train}}",
        "--test ${{outputs.test}}",
        "--reference ${{outputs.reference}}",
    )
    dashboard = "${{parent.jobs.constructor.outputs.rai_insights_dashboard}}"
    jobs = {
        **prepare_jobs(),
        "tables": {
            "type": "command",
            "component": tables_component,
            "limits": {"timeout": HOUR},
            "inputs": {
                "conf": "${{parent.inputs.conf}}",
                "data": "${{parent.jobs.prepare.outputs.data}}",
            },
            # The monitor compares with these rows.
            "outputs": {"reference": "${{parent.outputs.reference}}"},
        },
        "constructor": _job(
            "insight_constructor",
            title=f"Responsible AI of {name}",
            task_type=config.project.task,
            model_info="${{parent.inputs.model_info}}",
            model_input="${{parent.inputs.model}}",
            train_dataset="${{parent.jobs.tables.outputs.train}}",
            test_dataset="${{parent.jobs.tables.outputs.test}}",
            target_column_name=contract.target,
            categorical_column_names=json.dumps(contract.categorical_features),
            classes=json.dumps(list(range(len(contract.labels)))),  # as `tables` writes them
            feature_metadata=json.dumps({"dropped_features": dropped}),
            use_model_dependency=True,
        ),
        "explanation": _job(
            "explanation", comment="Which features decide", rai_insights_dashboard=dashboard
        ),
        "errors": _job("erroranalysis", rai_insights_dashboard=dashboard),
        "gather": _job(
            "insight_gather",
            constructor=dashboard,
            insight_1="${{parent.jobs.explanation.outputs.explanation}}",
            insight_2="${{parent.jobs.errors.outputs.error_analysis}}",
        ),
    }
    return build_pipeline(
        name,
        "Responsible AI",
        "Explanations and an error analysis of a version, as a dashboard.",
        inputs={
            "conf": CONF,
            "raw": raw_data(name),
            "model": {"type": "mlflow_model", "path": f"azureml:{name}:1"},
            "model_info": f"{name}:1",
        },
        outputs={"reference": {"type": "mltable", "name": f"{name}-reference", "version": "1"}},
        jobs=jobs,
    )


def _job(component_name: str, **inputs: Any) -> dict[str, Any]:
    registry = f"azureml://registries/azureml/components/rai_tabular_{component_name}"
    return {
        "type": "command",
        "component": f"{registry}/versions/{VERSION}",
        "limits": {"timeout": HOUR},
        "inputs": inputs,
    }
