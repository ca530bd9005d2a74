"""Writes azureml/spark/: pipelines/train.yml with its first two steps on serverless Spark.

Schema: https://learn.microsoft.com/azure/machine-learning/reference-yaml-component-spark
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_platform import settings
from mlops_platform.azure.environments import GROUPS
from mlops_platform.azure.job_builder import raw_data
from mlops_platform.azure.render import to_yaml
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml, write_text
from mlops_platform.delivery import lock

FOLDER = Path("azureml/spark")
PIPELINE = Path("pipelines/train.yml")
HEADER = "# Written by mlops azure spark. Run it again after a change of uv.lock.\n"
RUNTIME = "3.5"  # with Python 3.11 and Java 17
ENTRY = '''\
"""Starts a step on Spark; the workers get the code from here."""

import sys
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path[:0] = [str(here / "src"), *map(str, here.glob("vendor/*.whl"))]

from mlops_platform.cli import main

if __name__ == "__main__":
    main()
'''
STEPS = {
    "validate": (["conf", "raw"], "evidence"),
    "prepare": (["conf", "raw", "validated"], "data"),
}


def write(root: Path, size: str, executors: int) -> list[Path]:
    """Write the job, the packages and the entry of the components; return their paths.

    Args:
        root: the project.
        size: the machines, such as standard_e4s_v3.
        executors: how many of them work; one more drives.

    Raises:
        UsageError: uv.lock does not match pyproject.toml.
    """
    name = settings.load_project(root / "conf").name
    vendored = (root / "vendor").is_dir()
    texts = {
        FOLDER / "train.yml": HEADER + to_yaml(_job(root, name, size, executors, vendored)),
        FOLDER / "conda.yml": HEADER + to_yaml(_packages(root)),
        FOLDER / "step.py": ENTRY,
    }
    for path, text in texts.items():
        write_text(root / path, text)
    return list(texts)


def _packages(root: Path) -> dict[str, Any]:
    """The packages of uv.lock as conda reads them; a wheel in vendor/ goes with the code."""
    options = ("--no-emit-project", "--no-header", "--no-hashes", "--no-annotate")
    lines = lock.export(root, GROUPS, *options).splitlines()
    pins = [line for line in lines if line.strip() and not line.startswith((".", "#"))]
    return {"dependencies": ["python=3.11", "pip", {"pip": pins}]}


def _job(root: Path, name: str, size: str, executors: int, vendored: bool) -> dict[str, Any]:
    content = read_yaml(root / PIPELINE)
    jobs = content["jobs"]
    for step in STEPS:
        if step not in jobs:
            raise UsageError(f"{PIPELINE}: has no job `{step}`, which would run on Spark.")
    for step, job in jobs.items():
        if step in STEPS:
            jobs[step] = _node(step, job["inputs"], size, executors, vendored)
        else:
            job["component"] = f"../../pipelines/{job['component']}"
    content["display_name"] = "Train on Spark"
    content["inputs"]["conf"]["path"] = "../../conf"
    content["inputs"]["raw"] = raw_data(name)
    return content


def _node(
    step: str, given: dict[str, str], size: str, executors: int, vendored: bool
) -> dict[str, Any]:
    inputs, output = STEPS[step]
    folder = {"type": "uri_folder", "mode": "direct"}  # the only mode that Spark has
    options = [f"--{port} ${{{{inputs.{port}}}}}" for port in inputs]
    component = {
        "type": "spark",
        "inputs": dict.fromkeys(inputs, folder),
        "outputs": {output: folder},
        "code": ".",
        "additional_includes": ["../../src", *(["../../vendor"] if vendored else [])],
        "entry": {"file": "step.py"},
        "args": " ".join(["spark", step, *options, f"--out ${{{{outputs.{output}}}}}"]),
        "environment": {"conda_file": "conda.yml"},
        "conf": {
            "spark.driver.cores": 4,
            "spark.driver.memory": "28g",
            "spark.driver.maxResultSize": "0",  # ids and times of all rows come to the driver
            "spark.executor.cores": 4,
            "spark.executor.memory": "14g",
            "spark.executor.memoryOverhead": "14g",  # where Python works
            "spark.executor.instances": executors,
        },
    }
    return {
        "type": "spark",
        "component": component,
        "inputs": given,
        "resources": {"instance_type": size, "runtime_version": RUNTIME},
    }
