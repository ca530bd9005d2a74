"""The commands that only Azure ML's own files hold work here, too."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from mlops_platform import cli
from mlops_platform.core.errors import UsageError
from mlops_platform.tracking import experiments

from package.tests.samples import EXAMPLES

SOURCE = EXAMPLES / "credit-risk"


def filled(command: str, **values: object) -> str:
    """A command with its bindings replaced, as Azure ML does."""
    return re.sub(r"\$\{\{\w+\.(\w+)\}\}", lambda match: str(values[match[1]]), command)


def job(file: str, name: str) -> dict:
    """A job of a pipeline in azureml/jobs/."""
    return yaml.safe_load((SOURCE / "azureml" / "jobs" / file).read_text())["jobs"][name]


def invoke(command: str) -> None:
    """Run a command of this package in this process."""
    words = command.split()
    assert words[:3] == ["python", "-m", "mlops_platform"]
    cli.invoke(words[3:])


def test_a_trial_of_the_sweep_trains_with_what_it_is_given(trained, tmp_path):
    train = {"parameters": {"n_estimators": 15, "learning_rate": 0.08, "max_depth": 2}}
    trained.change("train.yml", **train)
    trial = job("sweep.yml", "sweep")["trial"]
    given = {"n_estimators": 7, "learning_rate": 4e-05, "max_depth": 3}
    assert set(trial["inputs"]) == {"conf", "data", *given}
    folders = {"model": tmp_path / "model", "evidence": tmp_path / "evidence"}
    values = {"conf": trained.conf, "data": trained.data, **folders, **given}
    invoke(filled(trial["command"], **values))
    training = json.loads((tmp_path / "evidence" / "training.json").read_text())
    assert training["parameters"] == given
    assert training["trigger"] == "sweep"
    metric = job("sweep.yml", "sweep")["objective"]["primary_metric"]
    run = experiments.run(trained.conf, training["run_id"])
    assert run.data.metrics[metric] == pytest.approx(training["value"])
    assert run.data.params["learning_rate"] == "4e-05"


def test_a_parameter_that_the_model_does_not_have_is_refused(trained, tmp_path):
    words = ["train", "--conf", trained.conf, "--data", trained.data]
    words += ["--model", tmp_path / "model", "--out", tmp_path / "out"]
    with pytest.raises(UsageError, match=r"--parameter depth=3: conf/train\.yml has no such"):
        cli.invoke([*map(str, words), "--parameter", "depth=3"])
    with pytest.raises(UsageError, match="--parameter depth: write NAME=VALUE"):
        cli.invoke([*map(str, words), "--parameter", "depth"])
    assert not (tmp_path / "out").exists()


def test_the_dashboard_gets_tables(trained, tmp_path):
    tables = job("responsible-ai.yml", "tables")["component"]
    folders = {"train": tmp_path / "train", "test": tmp_path / "test"}
    reference = tmp_path / "reference"
    paths = {"conf": trained.conf, "data": trained.data, "reference": reference}
    invoke(filled(tables["command"], **paths, **folders))
    inputs = job("responsible-ai.yml", "constructor")["inputs"]
    # The monitor compares with labels, the dashboard with the model's classes.
    assert (reference / "train.parquet").read_bytes() == (
        trained.data / "train.parquet"
    ).read_bytes()
    labels, codes = (
        pd.read_parquet(each / "train.parquet") for each in (reference, folders["train"])
    )
    expected = (labels["outcome"] == "defaulted").astype(int)
    pd.testing.assert_series_equal(codes["outcome"], expected)
    assert json.loads(inputs["classes"]) == sorted(codes["outcome"].unique())
    for part, folder in folders.items():
        table = yaml.safe_load((folder / "MLTable").read_text())
        rows = pd.read_parquet(folder / table["paths"][0]["file"])
        assert len(rows) == len(pd.read_parquet(trained.data / f"{part}.parquet"))
        assert inputs["target_column_name"] in rows
        dropped = json.loads(inputs["feature_metadata"])["dropped_features"]
        features = set(rows) - {*dropped, inputs["target_column_name"]}
        assert set(json.loads(inputs["categorical_column_names"])) < features
        assert features == set(trained.contract.features)


def test_the_masked_replica_makes_its_own_key_in_the_shell(workspace, tmp_path):
    spec = yaml.safe_load((SOURCE / "azureml/jobs/masked-replica.yml").read_text())
    folders = {"replica": tmp_path / "replica", "evidence": tmp_path / "evidence"}
    command = filled(spec["command"], conf=workspace.conf, raw=workspace.raw, **folders)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    texts = []
    for _ in range(2):
        subprocess.run(
            ["sh", "-c", command], cwd=SOURCE / "src", env={**os.environ, "PATH": path}, check=True
        )
        texts.append((tmp_path / "replica" / "credit.csv").read_text())
    raw = pd.read_csv(workspace.raw / "credit.csv", dtype=str)
    assert not [name for text in texts for name in raw["loan_id"] if name in text]
    assert texts[0] != texts[1]  # another key each time
