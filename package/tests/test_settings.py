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
    "team.yml": settings.load_team,
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
        ("train.yml", "retrain.cool_down_hours", 1e8),
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
        ("prod.yml", "infra.location", "West Europe"),
        ("prod.yml", "infra.state", "st-credit"),
        ("prod.yml", "infra.budget", 0),
        ("prod.yml", "infra.subnet", "subnet-1"),
        ("team.yml", "roles.ml_engineer.group", "engineers"),
        ("team.yml", "roles.ml_engineer.address", "nobody"),
        ("team.yml", "roles.ml_engineer.on_call", "at night"),
        ("team.yml", "ci.issuer", "http://example.com"),
        ("team.yml", "just_in_time", "perhaps"),
    ],
)
def test_a_wrong_value_names_file_and_field(tmp_path, file, field, value):
    message = refused(tmp_path, file, field, value)
    assert f"{file}, field `{field}`" in message
    assert "got " in message


@pytest.mark.parametrize(
    ("file", "was", "written", "says"),
    [
        (
            "project.yml",
            "team:",
            "team: no #",
            "`team`: expected a text, got `no`, which is",
        ),
        (
            "project.yml",
            "team:",
            "team: 12 #",
            "got `12`, which is a number in YAML; put it",
        ),
        (
            "project.yml",
            "team:",
            "team: null #",
            "got `null`, which is nothing in YAML; put i",
        ),
        ("project.yml", "team:", "team: 2024-01-01 #", "got `2024-01-01`, which is a date in YAML"),
        ("project.yml", "team:", "team: #", "`team`: is empty; write a text"),
        (
            "project.yml",
            "team:",
            "team: 007 #",
            "line 4: not valid YAML: `007` is the number 7",
        ),
        (
            "dev.yml",
            'version: "1"',
            "version: 1.10",
            "`data.version`: expected a text, got `1.10`",
        ),
        (
            "dev.yml",
            "environment: dev",
            "environment: off",
            "`tags.environment`: expected a text",
        ),
        (
            "dev.yml",
            "environment: dev",
            "on: dev",
            "a key must be text, got `on`, which is",
        ),
        (
            "train.yml",
            "seed:",
            "seed: yes #",
            "`seed`: expected a number, got `yes`, which",
        ),
        (
            "train.yml",
            "seed:",
            "seed: 0777 #",
            "`0777` is the number 511 in YAML; write 511",
        ),
        ("train.yml", "seed:", "seed: 12:30 #", "`12:30` is the number 750 in YAML; write"),
        (
            "train.yml",
            "seed:",
            "seed: 1e3 #",
            "`seed`: expected a number; write its digits",
        ),
        (
            "gates.yml",
            "psi:",
            "psi: on #",
            "`drift.psi`: expected a number, got `on`",
        ),
    ],
)
def test_what_yaml_reads_as_something_else_is_told_as_it_is_written(
    tmp_path, file, was, written, says
):
    text = (CREDIT / "conf" / file).read_text()
    assert was in text
    (tmp_path / file).write_text(text.replace(was, written, 1).replace("#\n  -", "#\n  # -"))
    with pytest.raises(UsageError) as caught:
        LOADERS[file](tmp_path)
    assert says in str(caught.value)
    assert file in str(caught.value)


def test_numbers_that_yaml_1_1_reads_as_text_are_numbers(tmp_path):
    text = (CREDIT / "conf" / "gates.yml").read_text()
    (tmp_path / "gates.yml").write_text(text.replace("psi:", "psi: 1e-3 #", 1))
    assert settings.load_gates(tmp_path).drift.psi == 0.001


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


@pytest.mark.parametrize(
    ("file", "field", "value", "says"),
    [
        ("team.yml", "roles.ml_engineer.on_call", False, "nobody is on call"),
        ("team.yml", "roles.owner", {"address": "a@b.de"}, "field `roles.owner"),
        ("team.yml", "ci.subjects", {"dev": "a", "prod": "a"}, "two of `subjects` are the same"),
        ("team.yml", "ci.subjects", {"test": "a"}, "field `ci.subjects.test"),
        ("prod.yml", "network", None, "`infra` needs `network`"),
    ],
)
def test_what_does_not_fit_together_is_named(tmp_path, file, field, value, says):
    assert says in refused(tmp_path, file, field, value)


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
