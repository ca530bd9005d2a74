"""The job of Azure ML's serverless Spark is what azure-ai-ml reads, and starts what is there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from azure.ai.ml import load_job
from mlops_platform import cli
from mlops_platform.azure import spark_job
from mlops_platform.core.errors import UsageError

from package.tests.samples import EXAMPLES

EXPORTED = "./vendor/mlops_platform-2.1.0-py3-none-any.whl\npandas==3.0.1\n# via\nnumpy==2.4.0\n"


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project with the job's files."""
    root = tmp_path / "project"
    left_out = shutil.ignore_patterns("outputs", ".mlops")
    shutil.copytree(EXAMPLES / "credit-risk", root, ignore=left_out)
    monkeypatch.chdir(root)
    monkeypatch.setattr(spark_job.lock, "export", lambda root, groups, *options: EXPORTED)
    cli.application(root)
    cli.invoke(["azure", "spark", "--size", "standard_e8s_v3", "--executors", "3"])
    return root


def test_microsofts_sdk_and_our_rules_accept_the_job(project):
    job = load_job(project / "azureml/spark/train.yml")
    result = job._validate()
    assert result.passed, result.error_messages
    assert [name for name, node in job.jobs.items() if node.type == "spark"] == [
        "validate",
        "prepare",
    ]
    assert job.jobs["prepare"].resources.instance_type == "standard_e8s_v3"
    cli.invoke(["specs", "azureml/spark/train.yml"])
    assert yaml.safe_load((project / "azureml/spark/conda.yml").read_text()) == {
        "dependencies": ["python=3.11", "pip", {"pip": ["pandas==3.0.1", "numpy==2.4.0"]}]
    }


def test_all_other_steps_are_those_of_training(project):
    ours = yaml.safe_load((project / "azureml/spark/train.yml").read_text())["jobs"]
    theirs = yaml.safe_load((project / "pipelines/train.yml").read_text())["jobs"]
    assert list(ours) == list(theirs)
    for name, job in theirs.items():
        assert ours[name]["inputs"] == job["inputs"]
        if name not in spark_job.STEPS:
            assert ours[name] == job | {"component": f"../../pipelines/{job['component']}"}
            continue
        component = yaml.safe_load((project / "pipelines" / job["component"]).read_text())
        for ports in ("inputs", "outputs"):
            assert list(ours[name]["component"][ports]) == list(component[ports])
        command = component["command"].removeprefix("python -m mlops_platform ")
        assert ours[name]["component"]["args"] == f"spark {command}"


def test_the_entry_runs_the_wheel_that_is_sent(project, tmp_path):
    sent = tmp_path / "sent"
    shutil.copytree(project / "azureml/spark", sent)
    component = yaml.safe_load((sent / "train.yml").read_text())["jobs"]["validate"]["component"]
    for include in component["additional_includes"]:
        source = project / "azureml/spark" / include
        shutil.copytree(source, sent / source.name)
    script = """
import runpy, sys
sys.argv = ["step.py", "spark", "validate", "--help"]
try:
    runpy.run_path("step.py", run_name="__main__")
except SystemExit as end:
    import credit_risk, mlops_platform
    print(end.code, mlops_platform.__file__, credit_risk.__file__)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=sent, capture_output=True, text=True, check=False
    )
    code, platform, team = ran.stdout.split()[-3:]
    assert code == "0", ran.stderr
    assert Path(platform).parents[1].suffix == ".whl"
    assert Path(team).is_relative_to(sent / "src")


def test_a_pipeline_without_these_steps_is_named(project):
    path = project / "pipelines/train.yml"
    content = yaml.safe_load(path.read_text())
    del content["jobs"]["prepare"]
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UsageError, match="has no job `prepare`"):
        spark_job.write(project, "standard_e4s_v3", 2)
