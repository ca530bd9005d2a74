"""Files that are not the project's: Azure ML's rules decide, and house rules are told apart."""

from pathlib import Path

import pytest
from mlops_platform.schemas.nodes import Problem
from mlops_platform.specs import check, sdk

URL = "https://azuremlschemas.azureedge.net/latest/{}.schema.json"
COMPONENT = """\
type: command
name: shrink
version: 1
environment: azureml:images:1
command: shrink --size ${{inputs.size}} --keep ${{inputs.keep}}
inputs:
  size: {type: SIZE, default: VALUE}
  keep: {type: string, default: "True", enum: ["True", "False"]}
"""
PIPELINE = """\
type: pipeline
tags: {project: pictures}
settings: {default_compute: azureml:cpu}
jobs:
  shrink:
    type: command
    component: COMPONENT
    limits: {timeout: 60}
    inputs: {INPUT}
"""
STORED = """\
type: command
tags: {project: pictures}
limits: {timeout: 60}
command: shrink ${{outputs.small}}
environment: azureml:images:1
compute: azureml:cpu
outputs:
  small: {type: uri_folder, path: "PATH"}
"""
DEPLOYMENT = """\
name: blue
endpoint_name: pictures
tags: {project: pictures}
model: azureml:shrink:1
instance_type: Standard_DS3_v2
instance_count: 1
egress_public_network_access: disabled
"""
ENVIRONMENT = "name: images\nimage: python:3.11.9\n"
DATA = "name: pictures\ntype: uri_folder\npath: .\n"


def component(kind: str, value: str) -> str:
    return COMPONENT.replace("SIZE", kind).replace("VALUE", value)


def pipeline(given: str, of: str = "./component.yml") -> str:
    return PIPELINE.replace("INPUT", given).replace("COMPONENT", of)


def look(folder: Path, kind: str, text: str) -> tuple[list[Problem], list[Problem]]:
    """What the lint and azure-ai-ml say of a file beside a component."""
    (folder / "component.yml").write_text(component("string", "small"))
    path = folder / "case.yml"
    path.write_text(f"$schema: {URL.format(kind)}\n{text}")
    specs, problems = check.lint([path], folder)
    return problems, list(sdk.validate(specs))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("commandComponent", component("string", "True")),
        ("commandComponent", component("string", "224")),
        ("commandComponent", component("number", "1e-3")),
        ("commandComponent", component("integer", "'7'")),
        ("commandComponent", component("integer", "7.0")),
        ("commandComponent", component("boolean", "'False'")),
        ("pipelineJob", pipeline("size: 224")),
        ("pipelineJob", pipeline("size: true")),
        ("commandJob", STORED.replace("PATH", "azureml://datastores/store/paths/a b/${{name}}")),
        (
            "commandJob",
            STORED.replace(
                "PATH",
                "azureml://datastores/${{default_datastore}}/paths/${{name}}/${{output_name}}",
            ),
        ),
        ("environment", ENVIRONMENT + "tags: {python: 3.11, gpu: false, since: 2024-01-01}\n"),
        ("environment", ENVIRONMENT + f"version: {'1.' * 100}1\n"),
        ("data", DATA + "tags: {rows: 1000}\n"),
        ("managedOnlineDeployment", DEPLOYMENT + "liveness_probe: {period: '10'}\n"),
        (
            "managedOnlineDeployment",
            DEPLOYMENT
            + "data_collector: {sampling_rate: 1e-1, collections: {a: {enabled: 'true'}}}",
        ),
    ],
)
def test_what_azure_ml_accepts_passes(tmp_path: Path, kind: str, text: str) -> None:
    assert look(tmp_path, kind, text) == ([], [])


REGISTRY = "azureml://registries/shared/components/shrink"


@pytest.mark.parametrize(
    ("kind", "text", "field", "says"),
    [
        (
            "managedOnlineDeployment",
            DEPLOYMENT + "liveness_probe: {period: 1, timeout: 2}\n",
            "liveness_probe.timeout",
            "2 s is longer than `period` 1 s",
        ),
        (
            "pipelineJob",
            pipeline("size: 1", REGISTRY),
            "jobs.shrink.component",
            f"write {REGISTRY}/versions/VERSION",
        ),
        (
            "pipelineJob",
            pipeline("size: 1", f"{REGISTRY}/labels/latest"),
            "jobs.shrink.component",
            "can change at any time",
        ),
        ("pipelineJob", pipeline("keep: 224"), "jobs.shrink.inputs.keep", "expected one of True"),
        (
            "pipelineJob",
            pipeline("size: 1").replace(
                "{default_compute", "{default_datestore: a, default_compute"
            ),
            "settings.default_datestore",
            "write `default_datastore`",
        ),
        (
            "environment",
            ENVIRONMENT + "version: 1.10\n",
            "version",
            "reads 1.10 as 1.1; put it in q",
        ),
        ("environment", "name: images\nimage: python\n", "image", "can change at any time"),
        (
            "commandJob",
            STORED.replace("PATH", "azureml:small:1").replace("images:1", "AzureML-images"),
            "environment",
            "has no version",
        ),
        ("commandJob", STORED.replace("tags: {project: pictures}\n", ""), "tags", "is missing"),
        (
            "vmCompute",
            "type: virtualmachine\nname: box\nresource_id: x\n",
            "$schema",
            "not used here",
        ),
    ],
)
def test_what_only_the_house_refuses_is_no_fault(
    tmp_path: Path, kind: str, text: str, field: str, says: str
) -> None:
    [problem], told = look(tmp_path, kind, text.replace("PATH", "azureml:small:1"))
    assert (problem.house, problem.field) == (True, field)
    assert says in problem.message
    assert told == []


@pytest.mark.parametrize(
    ("kind", "text", "field", "says"),
    [
        (
            "commandComponent",
            component("integer", "7.5"),
            "inputs.size.default",
            "a integer, got 7.5",
        ),
        (
            "commandComponent",
            component("number", "1e"),
            "inputs.size.default",
            "a number, got '1e'",
        ),
        ("pipelineJob", pipeline("size: 2024-01-01"), "jobs.shrink.inputs.size", "a string, got"),
        (
            "commandJob",
            STORED.replace("PATH", "azureml://datastores/${{default_datstore}}/paths/a"),
            "outputs.small.path",
            "'${{default_datstore}}' is not known here; write `default_datastore`",
        ),
        ("commandJob", STORED.replace("images:1", "images"), "environment", "has no version"),
        ("data", DATA + f"version: {'v' * 31}\n", "version", "at most 30 letters"),
        ("data", DATA + "tags: {rows: [1]}\n", "tags.rows", "expected a text, got a list"),
        (
            "commandJob",
            STORED.replace("pictures}", "7}"),
            "tags.project",
            "got 7; put it in quotes",
        ),
        (
            "amlComputes",
            "name: cpu\n",
            "$schema",
            "write https://azuremlschemas.azureedge.net/latest/aml",
        ),
        (
            "managedOnlineDeployment",
            DEPLOYMENT.replace("instance_count: 1", "instance_count: 1.5"),
            "instance_count",
            "expected a whole number, got 1.5",
        ),
    ],
)
def test_what_azure_ml_refuses_is_a_fault(
    tmp_path: Path, kind: str, text: str, field: str, says: str
) -> None:
    text = text.replace("PATH", "azureml:small:1")
    faults = [problem for problem in look(tmp_path, kind, text)[0] if not problem.house]
    assert [problem.field for problem in faults] == [field]
    assert says in faults[0].message


@pytest.mark.parametrize(
    "schema", ["promptflow/latest/Flow", "promptflow/latest/Run", "latest/flow"]
)
def test_prompt_flow_is_not_used_here(tmp_path: Path, schema: str) -> None:
    path = tmp_path / "flow.yml"
    path.write_text(
        f"$schema: https://azuremlschemas.azureedge.net/{schema}.schema.json\nnodes: []\n"
    )
    _, [problem] = check.lint([path], tmp_path)
    assert problem.house
    assert "they are not used here" in problem.message
    assert check.run([path], tmp_path, only_azure=True) == (1, [])
