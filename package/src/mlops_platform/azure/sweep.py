"""Builds azureml/jobs/sweep.yml: a sweep over the values of `search` in conf/train.yml.

Schema: https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-sweep
"""

from __future__ import annotations

import math
from pathlib import Path
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
from mlops_platform.core.errors import UsageError
from mlops_platform.evaluation import metrics
from mlops_platform.settings import Train

MAX_TRIALS = 20
PORT_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def require_known(train: Train, conf: Path) -> None:
    """Check the search space of conf/train.yml.

    Raises:
        UsageError: values for an unknown parameter, or values of several types; a line for each.
    """
    problems = []
    for port, values in train.search.items():
        field = f"{conf / 'train.yml'}, field `search.{port}`"
        if port not in train.parameters:
            known = ", ".join(train.parameters) or "none"
            problems.append(f"{field}: is not one of `parameters`; use one of them: {known}.")
        elif not values or (len(kinds := {type(v) for v in values}) > 1 and kinds != {int, float}):
            problems.append(f"{field}: needs values, all of one type, got {values!r}.")
    if problems:
        raise UsageError("\n".join(problems))


def build(config: ProjectSettings) -> dict[str, Any]:
    """Build a pipeline that prepares the data once and trains many times.

    Raises:
        UsageError: values for an unknown parameter, or values of several types.
    """
    name, space = config.project.name, config.train.search
    metric = metrics.primary_metric(config.gates, config.project.task, Path("conf"))
    require_known(config.train, Path("conf"))
    search_ports = {port: _port_type(values) for port, values in space.items()}
    arguments = ["--conf ${{inputs.conf}}", "--data ${{inputs.data}}"]
    arguments += ["--model ${{outputs.model}}", "--out ${{outputs.evidence}}", "--trigger sweep"]
    arguments += [f"--parameter {port}=${{{{inputs.{port}}}}}" for port in space]
    folders = {"conf": "uri_folder", "data": "uri_folder"}
    trial = build_component(
        {**folders, **search_ports},
        {"model": "uri_folder", "evidence": "uri_folder"},
        "train",
        *arguments,
    )
    sweep = {
        "type": "sweep",
        "inputs": {
            "conf": "${{parent.inputs.conf}}",
            "data": "${{parent.jobs.prepare.outputs.data}}",
        },
        "sampling_algorithm": "random",
        "search_space": {
            port: {"type": "choice", "values": list(values)} for port, values in space.items()
        },
        "objective": {
            "goal": "maximize" if metric.higher_is_better else "minimize",
            "primary_metric": f"validation_{metric.name}",
        },
        "early_termination": {
            "type": "bandit",
            "slack_factor": 0.1,
            "evaluation_interval": 1,
            "delay_evaluation": 5,
        },
        "limits": {
            "max_total_trials": min(MAX_TRIALS, math.prod(len(v) for v in space.values())),
            "max_concurrent_trials": 4,
            "timeout": 6 * HOUR,
            "trial_timeout": HOUR,
        },
        "trial": trial,
    }
    return build_pipeline(
        name,
        "Sweep",
        "Tries parameters; the best stands in the metrics of its trials.",
        inputs={"conf": CONF, "raw": raw_data(name)},
        jobs={**prepare_jobs(), "sweep": sweep},
    )


def _port_type(values: list[Any]) -> str:
    """The port type of the values; an integer is also a number."""
    kinds = {type(value) for value in values}
    return "number" if kinds == {int, float} else PORT_TYPES[type(values[0])]
