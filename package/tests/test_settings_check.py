"""`mlops settings`: each file of conf/ is looked at, and all faults are told at once."""

import json
import shutil

import pytest
import yaml
from mlops_platform import cli
from mlops_platform.cli import settings_check
from mlops_platform.core.errors import GateError

from package.tests.workspaces import CREDIT

PLANTED = {
    "project.yml": ("stage", "explorer", "field `stage`"),
    "train.yml": ("seed", -1, "field `seed`"),
    "gates.yml": ("metric", "roc", "field `metric`: no metric 'roc'"),
    "data.yml": ("min_rows", "many", "field `min_rows`"),
    "ethics.yml": ("waiver", [], "field `waiver`: no such field, perhaps misspelt"),
    "model_card.yml": ("model_detail", {}, "field `model_detail`: no such field"),
    "consumers.yml": ("consumer", {}, "field `consumer`: no such field"),
    "dev.yml": ("workspaces", "x", "field `workspaces`: no such field"),
    "staging.yml": ("tags", "x", "field `tags`"),
    "prod.yml": ("machines", 3, "field `machines`"),
    "signatures.yml": ("signed", [], "field `signed`: no such field"),
    "forks.yml": ("at_most", 0, "field `forks`: is missing"),
}


@pytest.fixture
def conf(tmp_path):
    return shutil.copytree(CREDIT / "conf", tmp_path / "conf")


def plant(conf, file):
    field, value, _ = PLANTED[file]
    path = conf / file
    content = yaml.safe_load(path.read_text()) if path.exists() else {}
    path.write_text(yaml.safe_dump(content | {field: value}))


def test_a_new_project_has_no_fault(conf, capsys):
    assert {file.name for file in conf.iterdir()} <= set(PLANTED)
    cli.invoke(["settings", "--conf", str(conf)])
    assert "are right" in capsys.readouterr().out


@pytest.mark.parametrize("file", PLANTED)
def test_a_fault_in_each_file_is_found(conf, file):
    plant(conf, file)
    found = settings_check.faults(conf)
    assert all(str(conf / file) in fault for fault in found)
    assert any(PLANTED[file][2] in fault for fault in found)


def test_an_unknown_measure_of_ethics_is_found(conf):
    page = conf / "ethics.yml"
    page.write_text(page.read_text().replace("measure: proxy_auc", "measure: proxy_aux"))
    assert "there is no measure 'proxy_aux'" in settings_check.faults(conf)[0]


@pytest.mark.parametrize("file", ["project.yml", "train.yml", "gates.yml", "data.yml"])
def test_a_file_that_is_missing_is_told_once(conf, file):
    (conf / file).unlink()
    assert len([each for each in settings_check.faults(conf) if file in each]) == 1


def test_all_are_told_at_once(conf, capsys):
    for file in PLANTED:
        plant(conf, file)
    with pytest.raises(GateError, match=r"faults in .*conf:\n"):
        cli.invoke(["settings", "--conf", str(conf), "--json"])
    told = json.loads(capsys.readouterr().out)
    for file in PLANTED.keys() - {"gates.yml", "data.yml", "ethics.yml"}:  # these need the task
        assert any(str(conf / file) in fault for fault in told), file
