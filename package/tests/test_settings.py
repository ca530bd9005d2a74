"""Settings: every wrong field is reported with its file."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from mlops_platform import settings
from mlops_platform.core.errors import UsageError

from package.tests.workspaces import CREDIT

LOADERS = {
    "project.yml": settings.load_project,
    "train.yml": settings.load_train,
    "gates.yml": settings.load_gates,
    "consumers.yml": settings.load_consumers,
    "dev.yml": lambda conf: settings.load_cloud(conf, "dev"),
    "staging.yml": lambda conf: settings.load_cloud(conf, "staging"),
    "prod.yml": lambda conf: settings.load_cloud(conf, "prod"),
}


def refused(folder: Path, file: str, path: str, value: object) -> str:
    """The message after one field of a good file was replaced, added or (by None) removed."""
    content = deepcopy(yaml.safe_load((CREDIT / "conf" / file).read_text()))
    *parents, last = path.split(".")
    place = content
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    (folder / file).write_text(yaml.safe_dump(content))
    with pytest.raises(UsageError) as caught:
        LOADERS[file](folder)
    return str(caught.value)


@pytest.mark.parametrize("file", LOADERS)
def test_the_rendered_settings_are_good(file):
    LOADERS[file](CREDIT / "conf")


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        ("project.yml", "name", "Credit Risk"),
        ("project.yml", "name", "a--b"),
        ("project.yml", "name", "x' OR name LIKE '%"),
        ("project.yml", "name", "a" * 33),
        ("project.yml", "stage", "exploring"),
        ("project.yml", "task", "clustering"),
        ("project.yml", "regulated", "perhaps"),
        ("train.yml", "seed", -1),
        ("train.yml", "seed", 2**32),
        ("train.yml", "seed", 1.5),
        ("train.yml", "time_budget_seconds", 0),
        ("train.yml", "time_budget_seconds", float("inf")),
        ("train.yml", "time_budget_seconds", 1e12),
        ("train.yml", "split.by", "month"),
        ("train.yml", "split.test", 0.5),
        ("train.yml", "split.test", 0),
        ("train.yml", "split.validation", float("nan")),
        ("train.yml", "parameters", [1]),
        ("gates.yml", "confidence", 1),
        ("gates.yml", "margin", -0.1),
        ("gates.yml", "margin", float("nan")),
        ("gates.yml", "resamples", 99),
        ("gates.yml", "quality.0.min", "high"),
        ("gates.yml", "guardrails.size_mb", 0),
        ("gates.yml", "guardrails.min_group_rows", 0),
        ("gates.yml", "drift.distance", 1),
        ("gates.yml", "drift.missing", 2),
        ("consumers.yml", "consumers", ["desk"]),
        ("consumers.yml", "consumers.example-caller.reads", ["version"]),
        ("consumers.yml", "consumers.example-caller.sends", []),
        ("consumers.yml", "consumers.example-caller.sends", "a row"),
        ("dev.yml", "resource_group", "ends with a dot."),
        ("dev.yml", "workspace", "ml"),
        ("dev.yml", "registry", "a" * 34),
        ("dev.yml", "cluster.tier", "spot"),
        ("dev.yml", "cluster.size", "large"),
        ("dev.yml", "cluster.idle_seconds", 10),
        ("dev.yml", "data.version", "latest version"),
        ("dev.yml", "data.path", "data/raw"),
        ("staging.yml", "endpoints.online", "credit--risk"),
        ("staging.yml", "endpoints.batch", "1credit"),
        ("staging.yml", "endpoints.batch", "a" * 33),
        ("prod.yml", "tags.team", 1),
    ],
)
def test_a_wrong_value_names_file_and_field(tmp_path, file, field, value):
    message = refused(tmp_path, file, field, value)
    assert f"{file}, field `{field}`" in message
    assert "got " in message


@pytest.mark.parametrize("file", LOADERS)
def test_a_misspelt_field_is_refused(tmp_path, file):
    message = refused(tmp_path, file, "tpyo", 1)
    assert f"{file}, field `tpyo`: unknown field, perhaps misspelt" in message


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("project.yml", "stage"),
        ("train.yml", "split.by"),
        ("gates.yml", "guardrails.size_mb"),
        ("consumers.yml", "consumers.example-caller.reads"),
    ],
)
def test_a_missing_field_is_named(tmp_path, file, field):
    message = refused(tmp_path, file, field, None)
    assert f"{file}, field `{field}`: is missing" in message


@pytest.mark.parametrize(
    ("reads", "field"),
    [({"version": "string"}, ".version"), ({"a..b": "text"}, ".a..b.[key]"), ({}, "")],
)
def test_a_consumer_reads_fields_of_a_kind(tmp_path, reads, field):
    message = refused(tmp_path, "consumers.yml", "consumers.example-caller.reads", reads)
    assert f"consumers.yml, field `consumers.example-caller.reads{field}`: " in message


def test_at_least_as_many_machines_as_at_most(tmp_path):
    machines = {"size": "Standard_DS3_v2", "min": 3, "max": 2}
    message = refused(tmp_path, "prod.yml", "machines", machines)
    assert "prod.yml, field `machines`: `min` is above `max`" in message


def test_a_project_without_a_cloud_says_how_to_get_one(tmp_path):
    with pytest.raises(UsageError, match=r"dev.yml: does not exist.*--data cloud=azureml"):
        settings.load_cloud(tmp_path, "dev")


@pytest.mark.parametrize("limit", [{"metric": "f1"}, {"metric": "f1", "min": 0, "max": 1}])
def test_a_limit_has_one_bound(tmp_path, limit):
    message = refused(tmp_path, "gates.yml", "quality", [limit])
    assert "field `quality.0`: give exactly one of `min` and `max`" in message


def test_several_problems_are_reported_at_once(tmp_path):
    (tmp_path / "project.yml").write_text("name: a\nstage: no\nfoo: 1\n")
    with pytest.raises(UsageError) as caught:
        settings.load_project(tmp_path)
    assert len(str(caught.value).splitlines()) == 7


@pytest.mark.parametrize(("stage", "blocks"), [("explore", False), ("develop", True)])
def test_quality_gates_block_from_develop_on(tmp_path, stage, blocks):
    content = yaml.safe_load((CREDIT / "conf" / "project.yml").read_text()) | {"stage": stage}
    (tmp_path / "project.yml").write_text(yaml.safe_dump(content))
    assert settings.load_project(tmp_path).gates_block is blocks
