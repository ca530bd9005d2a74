"""Loads every file of Azure ML in some projects with azure-ai-ml; run in a project's environment.

Prints JSON: for each file its kind, and what is wrong with it. `--set FILE KEY=VALUE` overrides
fields as `az ml --set` does.
"""

import argparse
import io
import json
import logging
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import yaml
from azure.ai.ml import (
    load_batch_endpoint,
    load_component,
    load_compute,
    load_data,
    load_environment,
    load_job,
    load_online_deployment,
    load_online_endpoint,
)
from azure.ai.ml.entities._load_functions import load_model_batch_deployment, load_schedule

LOADERS: dict[str, Any] = {
    "amlCompute": load_compute,
    "batchEndpoint": load_batch_endpoint,
    "commandComponent": load_component,
    "commandJob": load_job,
    "data": load_data,
    "environment": load_environment,
    "managedOnlineDeployment": load_online_deployment,
    "managedOnlineEndpoint": load_online_endpoint,
    "modelBatchDeployment": load_model_batch_deployment,
    "monitorSchedule": load_schedule,
    "pipelineJob": load_job,
    "schedule": load_schedule,
}


def look_at(path: Path, overrides: list[dict[str, str]]) -> dict[str, Any]:
    """The kind of a file, and what azure-ai-ml says against it."""
    schema = yaml.safe_load(path.read_text()).get("$schema", "")
    kind = re.sub(r".*/(\w+)\.schema\.json", r"\1", schema)
    if kind not in LOADERS:
        return {"kind": None, "faults": []}
    try:
        loaded = LOADERS[kind](path, params_override=overrides)
        if kind == "monitorSchedule":  # its _validate() raises, whatever it is given
            loaded._to_rest_object()
            faults = []
        else:
            # Of deployments and data it gives nothing: loading them is all that there is.
            result = loaded._validate() if hasattr(loaded, "_validate") else None
            faults = (
                [str(fault) for fault in [*result._errors, *result._warnings]] if result else []
            )
    except Exception as error:
        faults = [f"{type(error).__name__}: {error}"]
    return {"kind": kind, "faults": faults}


def main() -> None:
    """Look at all files of all projects."""
    parser = argparse.ArgumentParser()
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--set", nargs=2, action="append", default=[], dest="overrides")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = {}
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for project in given.projects:
            for folder in ("azureml", "pipelines"):
                for path in sorted((project / folder).rglob("*.yml")):
                    name = path.relative_to(project).as_posix()
                    pairs = [pair.split("=", 1) for file, pair in given.overrides if file == name]
                    overrides = [dict([pair]) for pair in pairs]
                    found[f"{project.name}/{name}"] = look_at(path, overrides)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
