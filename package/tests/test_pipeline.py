"""What the reader of pipelines refuses, and that it names the file and the field."""

from pathlib import Path

import pytest
import yaml
from mlops_platform import pipelines
from mlops_platform.core.errors import UsageError
from mlops_platform.pipelines import fields
from mlops_platform.schemas.validators import Fields, Text, ignored, used

from package.tests.workspaces import CREDIT

COMPONENT = {
    "type": "command",
    "inputs": {
        "data": {"type": "uri_folder"},
        "rate": {"type": "number", "default": 0.5},
        "count": {"type": "integer", "optional": True},
        "fast": {"type": "boolean", "default": False},
    },
    "outputs": {"model": {"type": "uri_folder"}},
    "command": "fit --data ${{inputs.data}} --rate ${{inputs.rate}} --fast ${{inputs.fast}} "
    "--out ${{outputs.model}} $[[--count ${{inputs.count}}]]",
}
FIT = {"type": "command", "component": "fit.yml", "inputs": {"data": "${{parent.inputs.raw}}"}}
PIPELINE = {
    "type": "pipeline",
    "inputs": {"raw": {"type": "uri_folder", "path": "."}},
    "jobs": {"fit": FIT},
}


def changed(content: dict, path: str, value: object) -> dict:
    """A copy with one field replaced."""
    head, _, rest = path.partition("/")
    return {**content, head: changed(content.get(head, {}), rest, value) if rest else value}


def load(folder: Path, content: dict = PIPELINE, component: dict = COMPONENT, **overrides: str):
    (folder / "train.yml").write_text(yaml.safe_dump(content))
    (folder / "fit.yml").write_text(yaml.safe_dump(component))
    return pipelines.load(folder / "train.yml", overrides)


def refusal(folder: Path, **what: dict) -> str:
    with pytest.raises(UsageError) as caught:
        load(folder, **what)
    return str(caught.value)


def test_the_plain_pipeline_is_read(tmp_path):
    [step] = load(tmp_path).steps
    assert step.bindings == {"data": pipelines.FromPipeline("raw")}
    assert step.inputs["count"] == pipelines.Port("integer", optional=True)


@pytest.mark.parametrize("path", sorted((CREDIT / "pipelines").glob("*.yml")), ids=lambda p: p.name)
def test_the_rendered_pipelines_are_read(path):
    assert pipelines.load(path).steps


@pytest.mark.parametrize(
    ("path", "value", "field", "says"),
    [
        ("type", "command", "type", "expected 'pipeline'"),
        ("inptus", {}, "inptus", "local runs do not support it"),
        ("inputs", ["raw"], "inputs", "expected `name: value` lines"),
        ("inputs", "raw", "inputs", "expected `name: value` lines"),
        ("jobs", {}, "jobs", "at least one job"),
        ("jobs", [FIT], "jobs", "expected `name: value` lines"),
        ("jobs/fit", None, "jobs.fit", "expected `key: value` lines"),
        ("jobs/fit/type", "sweep", "jobs.fit.type", "'sweep' runs in Azure ML only"),
        ("jobs/fit/type", "parallel", "jobs.fit.type", "'parallel' runs in Azure ML only"),
        ("jobs/fit/type", "pipeline", "jobs.fit.type", "'pipeline' runs in Azure ML only"),
        ("jobs/fit/search_space", {}, "jobs.fit.search_space", "do not support it"),
        ("jobs/fit/serivces", {}, "jobs.fit.serivces", "does not know it; write `services`"),
        ("jobs/fit/outputs", {"model": {"typ": "x"}}, "jobs.fit.outputs.model.typ", "`type`"),
        ("jobs/fit/component", "azureml:fit:1", "jobs.fit.component", "in a registry"),
        (
            "jobs/fit/component",
            "azureml://registries/r/components/fit",
            "jobs.fit.component",
            "in a registry",
        ),
        ("jobs/fit/component", {"type": "command"}, "jobs.fit.component", "inline component"),
        ("jobs/..", FIT, "jobs...", "letters, digits and _"),
        ("jobs/a-b", FIT, "jobs.a-b", "letters, digits and _"),
        ("jobs/7", FIT, "jobs.7", "letters, digits and _"),
        ("jobs/fit/inputs", {}, "jobs.fit.inputs.data", "is missing; fit.yml needs it"),
        ("jobs/fit/inputs", ["data"], "jobs.fit.inputs", "expected `name: value` lines"),
        (
            "jobs/fit/inputs/dta",
            1,
            "jobs.fit.inputs.dta",
            "fit.yml has no such input; it has count",
        ),
        (
            "jobs/fit/inputs/data",
            "${{parent.inputs.row}}",
            "jobs.fit.inputs.data",
            "the pipeline has no input 'row'; it has raw",
        ),
        (
            "jobs/fit/inputs/data",
            "${{parent.jobs.fti.outputs.model}}",
            "jobs.fit.inputs.data",
            "there is no job 'fti'; there are fit",
        ),
        (
            "jobs/fit/inputs/data",
            "${{parent.jobs.fit.outputs.modle}}",
            "jobs.fit.inputs.data",
            "job 'fit' has no output 'modle'; it has model",
        ),
        ("jobs/fit/inputs/data", "${{inputs.raw}}", "jobs.fit.inputs.data", "is no binding"),
        ("jobs/fit/inputs/data", "${{parent.inputs.raw}}/a", "jobs.fit.inputs.data", "no binding"),
        ("jobs/fit/inputs/data", "${{parent.jobs.fit.outputs}}", "jobs.fit.inputs.data", "no bind"),
        ("jobs/fit/inputs/rate", "fast", "jobs.fit.inputs.rate", "expected a number, got 'fast'"),
        ("jobs/fit/inputs/rate", True, "jobs.fit.inputs.rate", "expected a number, got True"),
        ("jobs/fit/inputs/count", 1.5, "jobs.fit.inputs.count", "expected a integer, got 1.5"),
        ("jobs/fit/inputs/fast", "on", "jobs.fit.inputs.fast", "expected a boolean, got 'on'"),
        ("jobs/fit/inputs/rate", "1e", "jobs.fit.inputs.rate", "expected a number, got '1e'"),
        ("jobs/fit/inputs/rate", "1e999", "jobs.fit.inputs.rate", "got '1e999'"),
        ("jobs/fit/inputs/count", "9" * 5000, "jobs.fit.inputs.count", "got '999"),
        ("jobs/fit/inputs/rate", "nan", "jobs.fit.inputs.rate", "expected a number, got 'nan'"),
        ("jobs/fit/inputs/count", [1], "jobs.fit.inputs.count", "give a value"),
        ("jobs/fit/outputs", {"modle": None}, "jobs.fit.outputs.modle", "no such output"),
        (
            "jobs/fit/outputs",
            {"model": "${{parent.outputs.best}}"},
            "jobs.fit.outputs.model",
            "the pipeline has no output 'best'",
        ),
        ("outputs", {"best": {"type": "uri_folder"}}, "outputs.best", "no job writes it"),
        ("inputs/raw/type", "mltable", "inputs.raw", "'mltable' cannot run here"),
        ("inputs/raw/pth", "x", "inputs.raw.pth", "do not support it"),
        ("inputs/raw/path", "azureml:raw:1", "inputs.raw", "is in the cloud"),
        ("inputs/raw/path", "azureml://datastores/d/paths/x", "inputs.raw", "--input raw=PATH"),
        ("inputs/raw/path", "https://example.com/a.csv", "inputs.raw", "is in the cloud"),
        ("inputs/raw", None, "inputs.raw", "give a value"),
        # Azure ML refuses the type of a literal here, and so does the check of specs.
        ("inputs/raw", {"type": "integer", "default": 1}, "inputs.raw", "write `raw: VALUE`"),
    ],
)
def test_a_fault_in_the_pipeline(tmp_path, path, value, field, says):
    message = refusal(tmp_path, content=changed(PIPELINE, path, value))
    assert message.startswith(f"{tmp_path / 'train.yml'}")
    assert field in message
    assert says in message


@pytest.mark.parametrize(
    ("path", "value", "field", "says"),
    [
        ("type", "parallel", "type", "'parallel' components run in Azure ML only"),
        ("comand", "x", "comand", "do not support it"),
        ("additional_includes", ["x"], "additional_includes", "do not support it"),
        ("command", None, "command", "is missing"),
        ("command", " ", "command", "is empty"),
        ("command", "fit 'a", "command", "cannot be split into arguments"),
        ("command", "fit && score", "command", "a step is one command, found '&&'"),
        ("command", "fit>log.txt", "command", "found '>'"),
        ("command", "fit;score", "command", "found ';'"),
        ("command", "fit | tee log", "command", "found '|'"),
        ("command", "fit ${{inputs.dta}}", "command", "'inputs.dta' is not declared"),
        ("command", "fit ${{outputs.data}}", "command", "'outputs.data' is not declared"),
        ("command", "fit ${{name}}", "command", "'name' is not declared"),
        ("command", "fit ${{inputs.my-data}}", "command", "without other characters"),
        ("command", "fit ${{inputs.data | x}}", "command", "without other characters"),
        ("command", "fit --count ${{inputs.count}}", "command", "'inputs.count' is optional"),
        ("inputs/data/type", "mltable", "inputs.data.type", "'mltable' cannot run here"),
        ("inputs/data/type", None, "inputs.data.type", "None cannot run here"),
        ("inputs/data", "uri_folder", "inputs.data", "expected `key: value` lines"),
        ("inputs/rate/min", 0.6, "inputs.rate.default", "expected at least 0.6, got 0.5"),
        ("inputs/rate/max", 0.4, "inputs.rate.default", "expected at most 0.4, got 0.5"),
        ("inputs/rate/enum", [1, 2], "inputs.rate.default", "expected one of 1, 2, got 0.5"),
        ("outputs/model/optional", True, "outputs.model.optional", "Azure ML does not know it"),
        ("inputs/rate/defualt", 0, "inputs.rate.defualt", "do not support it"),
        ("inputs/rate/default", "half", "inputs.rate.default", "expected a number, got 'half'"),
        ("inputs/../..", {"type": "string"}, "inputs...", "letters, digits and _"),
        ("outputs/model/type", "mlflow_model", "outputs.model.type", "cannot run here"),
        ("outputs", ["model"], "outputs", "expected `name: value` lines"),
        ("environment_variables", ["A=1"], "environment_variables", "expected `name: value`"),
        ("code", "azureml:code:1", "code", "there is no"),
        ("code", "./nowhere", "code", "there is no"),
    ],
)
def test_a_fault_in_the_component(tmp_path, path, value, field, says):
    message = refusal(tmp_path, component=changed(COMPONENT, path, value))
    assert message.startswith(f"{tmp_path / 'fit.yml'}, field `")
    assert field in message
    assert says in message


@pytest.mark.parametrize(
    ("kind", "accepted"),
    [
        ("string", ["x", "", 224, 1.5, True]),
        ("integer", [7, "7", "-7", 2.0, "2.0", "2e3"]),
        ("number", [7, 1.5, "7", "1e-3", "1E3", ".5", "+1."]),
        ("boolean", [True, "true", "False", "FALSE"]),
    ],
)
def test_literals_are_those_of_azure_ml_which_reads_each_by_its_type(tmp_path, kind, accepted):
    component = changed(COMPONENT, "inputs/rate", {"type": kind, "optional": True})
    component = changed(component, "command", "fit $[[--rate ${{inputs.rate}}]]")
    for value in accepted:
        content = changed(PIPELINE, "jobs/fit/inputs/rate", value)
        assert load(tmp_path, content, component).steps[0].bindings["rate"] == value


# Of the fields of Azure ML, those that would change a result and that a local run cannot honour.
REFUSED = {"component", "additional_includes", "path_on_compute", "datastore"}
TABLES = {
    "": (fields.PIPELINE, PIPELINE, {}),
    "inputs/raw/": (fields.INPUT, PIPELINE, {}),
    "jobs/fit/": (fields.JOB, PIPELINE, {}),
    "jobs/fit/outputs/model/": (fields.OUTPUT, PIPELINE, {}),
    "component:": (fields.COMPONENT, {}, COMPONENT),
    "component:inputs/data/": (fields.DECLARED_INPUTS["uri_folder"], {}, COMPONENT),
    "component:inputs/rate/": (fields.DECLARED_INPUTS["number"], {}, COMPONENT),
    "component:outputs/model/": (fields.DECLARED_OUTPUTS["uri_folder"], {}, COMPONENT),
}


@pytest.mark.parametrize("place", TABLES)
def test_each_field_of_azure_ml_is_used_ignored_or_refused_as_its_schema_says(tmp_path, place):
    table, content, component = TABLES[place]
    assert table.ignored
    assert (set(table.validators) - table.used - table.ignored) <= REFUSED
    for name in set(table.validators) - table.used:
        path = f"{place.rpartition(':')[2]}{name}"
        what = {
            "content": changed(content, path, "x") if content else PIPELINE,
            "component": changed(component, path, "x") if component else COMPONENT,
        }
        if name in table.ignored:
            assert load(tmp_path, **what).steps == load(tmp_path).steps, name
        else:
            message = refusal(tmp_path, **what)
            assert f"{path.replace('/', '.')}`: local runs do not support it; they use " in message


def test_a_new_field_of_azure_ml_is_refused_until_somebody_decides():
    table = Fields({"compute": ignored(Text()), "command!": used(Text()), "new": Text()})
    reasons = {name: table.refuse_locally(name) for name in ("compute", "command", "new", "comand")}
    assert reasons == {
        "compute": None,
        "command": None,
        "new": "local runs do not support it; they use command",
        "comand": "local runs do not support it, and Azure ML does not know it; write `command`",
    }


def test_a_literal_of_the_pipeline_has_the_components_type(tmp_path):
    content = changed(PIPELINE, "inputs/rate", "fast")
    content = changed(content, "jobs/fit/inputs/rate", "${{parent.inputs.rate}}")
    assert "jobs.fit.inputs.rate`: expected a number, got 'fast'" in refusal(
        tmp_path, content=content
    )


def test_a_cycle_is_named(tmp_path):
    jobs = {
        name: changed(FIT, "inputs/data", f"${{{{parent.jobs.{other}.outputs.model}}}}")
        for name, other in {"a": "b", "b": "c", "c": "a"}.items()
    }
    message = refusal(tmp_path, content=changed(PIPELINE, "jobs", jobs))
    assert "field `jobs`: these jobs depend on each other: " in message
    assert all(name in message.rpartition(":")[2] for name in "abc")


def test_a_component_that_is_not_there(tmp_path):
    message = refusal(tmp_path, content=changed(PIPELINE, "jobs/fit/component", "gone.yml"))
    assert "gone.yml: does not exist" in message


@pytest.mark.parametrize("text", ["type: pipeline\ntype: pipeline\n", "jobs: [\n", "- a\n"])
def test_yaml_that_cannot_be_read(tmp_path, text):
    (tmp_path / "train.yml").write_text(text)
    with pytest.raises(UsageError, match=r"train\.yml"):
        pipelines.load(tmp_path / "train.yml")


def test_overrides_take_the_type_of_what_they_replace(tmp_path):
    literals = {
        "whole": 1,
        "part": 0.5,
        "yes": True,
        "word": "7",
        "raw": {"type": "uri_folder"},
    }
    content = changed(PIPELINE, "inputs", literals)
    given = {"whole": "2", "part": "1e-3", "yes": "false", "word": "8", "raw": "."}
    assert load(tmp_path, content, **given).inputs == {
        "whole": 2,
        "part": 0.001,
        "yes": False,
        "word": "8",
        "raw": Path.cwd(),
    }
    for name, text in {"whole": "1.5", "part": "x", "yes": "1"}.items():
        with pytest.raises(UsageError, match=f"field `inputs.{name}`: expected"):
            load(tmp_path, content, **{name: text})
    with pytest.raises(UsageError, match="has no input 'rwa'; it has part"):
        load(tmp_path, content, rwa="x")


def test_what_a_step_needs_comes_with_it(tmp_path):
    jobs = {
        "report": changed(FIT, "inputs/data", "${{parent.jobs.second.outputs.model}}"),
        "second": changed(FIT, "inputs/data", "${{parent.jobs.first.outputs.model}}"),
        "first": FIT,
        "other": FIT,
    }
    loaded = load(tmp_path, changed(PIPELINE, "jobs", jobs))
    order = [step.name for step in loaded.steps]
    assert order.index("first") < order.index("second") < order.index("report")
    assert [step.name for step in loaded.ancestors("second")] == ["first", "second"]
    with pytest.raises(UsageError, match="has no job 'third'; it has"):
        loaded.ancestors("third")
