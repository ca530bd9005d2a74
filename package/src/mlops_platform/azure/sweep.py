"""azureml/jobs/sweep.yml: tries the values under `search` in conf/train.yml.

Schema: https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-sweep
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from mlops_platform.azure.shapes import (
    CONF,
    HOUR,
    ProjectSettings,
    component,
    pipeline,
    prepared,
    raw,
)
from mlops_platform.core.errors import UsageError
from mlops_platform.evaluation import metrics

MOST_TRIALS = 20
KINDS = {bool: "boolean", int: "integer", float: "number", str: "string"}


def content(said: ProjectSettings) -> dict[str, Any]:
    """A pipeline that prepares the data once and trains many times.

    Raises:
        UsageError: values for what is no parameter, or values that are not of one kind.
    """
    name, space = said.project.name, said.train.search
    metric = metrics.deciding(said.gates, said.project.task, Path("conf"))
    for port, values in space.items():
        where = f"conf/train.yml, field `search.{port}`"
        if port not in said.train.parameters:
            raise UsageError(f"{where}: is none of `parameters`; name one of them.")
        if not values or (len(kinds := {type(v) for v in values}) > 1 and kinds != {int, float}):
            raise UsageError(f"{where}: needs values, all of one kind, got {values!r}.")
    tried = {port: _kind(values) for port, values in space.items()}
    arguments = ["--conf ${{inputs.conf}}", "--data ${{inputs.data}}"]
    arguments += ["--model ${{outputs.model}}", "--out ${{outputs.evidence}}", "--trigger sweep"]
    arguments += [f"--parameter {port}=${{{{inputs.{port}}}}}" for port in space]
    folders = {"conf": "uri_folder", "data": "uri_folder"}
    trial = component(
        {**folders, **tried},
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
            "max_total_trials": min(MOST_TRIALS, math.prod(len(v) for v in space.values())),
            "max_concurrent_trials": 4,
            "timeout": 6 * HOUR,
            "trial_timeout": HOUR,
        },
        "trial": trial,
    }
    return pipeline(
        name,
        "Sweep",
        "Tries parameters; the best stands in the metrics of its trials.",
        inputs={"conf": CONF, "raw": raw(name)},
        jobs={**prepared(), "sweep": sweep},
    )


def _kind(values: list[Any]) -> str:
    """The type of the port that takes them; a whole number is a number, too."""
    kinds = {type(value) for value in values}
    return "number" if kinds == {int, float} else KINDS[type(values[0])]
