"""What a command receives here is the text that azure-ai-ml sends to Azure ML, for each type."""

import json
from pathlib import Path

import pytest
from mlops_platform import pipelines
from mlops_platform.core.errors import UsageError
from mlops_platform.pipelines import runner

GIVEN = {
    "string": [
        *("champion", "224", "'224'", "1.0", "1e-3", "0x10", "1_000"),
        *(
            "True",
            "true",
            "yes",
            "'true'",
            '"a b"',
            "'  x '",
            "''",
            '"it is"',
            "2024-01-01",
            "null",
        ),
    ],
    "integer": ["7", "-7", "+5", "0", "'7'", "1.0", "1_000", "0x10", "12345678901234567890"],
    "number": [
        *("0.5", ".5", "5.", "1", "1.0", "-0.0", "1e-3", "1.5e3", "-2.5e-7", "0.0000001"),
        *("1e21", "1e+21", "100000000000000000000.0", "12345678.9", "'0.5'"),
    ],
    "boolean": ["true", "false", "True", "yes", "off", "'true'", "'False'"],
}
DEFAULTS = {  # azure-ai-ml refuses 224 as the default of a string, though not as its value
    "string": ["champion", "True", "1.0", "''"],
    "integer": ["7", "-7", "'7'"],
    "number": ["0.5", "1", "1.0", "1e-3", "-2.5e-7", "1e21", "100000000000000000000.0"],
    "boolean": ["true", "false", "'true'"],
}
REFUSED = "refused"


pytestmark = pytest.mark.filterwarnings("ignore::Warning:marshmallow.*", "ignore::Warning:azure.*")


def write(folder: Path, declared: str, given: str, bound: str) -> Path:
    """A pipeline with one step and one input: its declaration, the pipeline's and the job's."""
    word = "${{inputs.value}}"
    command = f"$[[{word}]]" if "optional" in declared else word
    (folder / "step.yml").write_text(
        "type: command\nname: step\nversion: '1'\nenvironment: azureml:x:1\n"
        f"inputs:\n  value: {declared}\ncommand: echo {command}\n"
    )
    job = folder / "job.yml"
    step = f"  step:\n    type: command\n    component: step.yml\n{bound}"
    job.write_text(f"type: pipeline\n{given}jobs:\n{step}")
    return job


def here(path: Path) -> str | None:
    """The word that the step receives in a local run."""
    try:
        pipeline = pipelines.load(path)
        [step] = pipeline.steps
        command = runner.build_command(step, runner._values(step, pipeline, {}), Path())
    except UsageError:
        return REFUSED
    assert len(command) <= 2
    return command[1] if len(command) == 2 else None


def in_azure(path: Path) -> str | None:
    """The text that azure-ai-ml sends for the step's input."""
    from azure.ai.ml import load_job  # noqa: PLC0415  slow
    from azure.ai.ml.exceptions import ValidationException  # noqa: PLC0415
    from marshmallow import ValidationError  # noqa: PLC0415

    try:
        loaded = load_job(path)
        sent = loaded._to_rest_object().properties
    except (ValidationError, ValidationException):
        return REFUSED
    except TypeError as error:
        assert "not JSON serializable" in str(error)  # a date: it ends in a traceback
        return REFUSED
    given = sent.jobs["step"].get("inputs", {}).get("value")
    if given is None:
        spec = loaded.jobs["step"].component._to_rest_object().properties.component_spec
        return spec["inputs"]["value"].get("default")
    text = given["value"]
    if text == "${{parent.inputs.given}}":
        return sent.inputs["given"].value if "given" in sent.inputs else REFUSED
    return text


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in GIVEN for text in GIVEN[kind]])
@pytest.mark.parametrize("where", ["job", "pipeline"])
def test_a_value(tmp_path, kind, text, where):
    bound = text if where == "job" else "${{parent.inputs.given}}"
    given = "" if where == "job" else f"inputs:\n  given: {text}\n"
    path = write(tmp_path, f"{{type: {kind}}}", given, f"    inputs:\n      value: {bound}\n")
    assert here(path) == in_azure(path)


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind in DEFAULTS for text in DEFAULTS[kind]]
)
def test_a_default(tmp_path, kind, text):
    path = write(tmp_path, f"{{type: {kind}, default: {text}}}", "", "")
    assert here(path) == in_azure(path)


@pytest.mark.parametrize(
    "declared",
    [
        "{type: string, enum: [one, '2'], default: '2'}",
        "{type: number, min: 0, max: 1, default: 0.5}",
        "{type: string, optional: true}",
        "{type: boolean, optional: true, default: false}",
    ],
)
def test_a_limit_changes_no_value(tmp_path, declared):
    path = write(tmp_path, declared, "", "")
    assert here(path) == in_azure(path)


def test_services_of_a_job_stop_no_local_run(tmp_path):
    services = "    services: {notebook: {type: jupyter_lab}}\n"
    path = write(tmp_path, "{type: string, default: x}", "", services)
    assert here(path) == in_azure(path) == "x"


def test_the_texts_are_those_of_python(tmp_path):
    """So the comparison compares something: azure-ai-ml sends other texts for other values."""
    sent = {}
    for kind, text in {"boolean": "true", "number": "1", "string": "true"}.items():
        path = write(tmp_path, f"{{type: {kind}, default: {text}}}", "", "")
        sent[kind] = in_azure(path)
    assert json.dumps(sent) == '{"boolean": "True", "number": "1.0", "string": "True"}'
