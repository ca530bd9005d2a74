"""`mlops settings` checks each file of conf/ and reports all problems at once."""

import json
import shutil

import pytest
import yaml
from mlops_platform import cli
from mlops_platform.cli import settings_check
from mlops_platform.core.errors import GateError

from package.tests import models
from package.tests.workspaces import CREDIT

WRONG = {
    "project.yml": ("stage", "explorer", "field `stage`"),
    "train.yml": ("seed", -1, "field `seed`"),
    "gates.yml": ("metric", "roc", "field `metric`: unknown metric 'roc'"),
    "data.yml": ("min_rows", "many", "field `min_rows`"),
    "ethics.yml": ("waiver", [], "field `waiver`: unknown field, perhaps misspelt"),
    "model_card.yml": ("model_detail", {}, "field `model_detail`: unknown field"),
    "cost.yml": ("hours", {}, "field `hours`: unknown field"),
    "consumers.yml": ("consumer", {}, "field `consumer`: unknown field"),
    "alerts.yml": ("alert", {}, "field `alert`: unknown field"),
    "team.yml": ("role", {}, "field `role`: unknown field"),
    "dev.yml": ("workspaces", "x", "field `workspaces`: unknown field"),
    "staging.yml": ("tags", "x", "field `tags`"),
    "prod.yml": ("machines", 3, "field `machines`"),
    "signatures.yml": ("signed", [], "field `signed`: unknown field"),
    "forks.yml": ("at_most", 0, "field `forks`: is missing"),
    "patches.yml": ("patch", [], "field `patch`: unknown field"),
    "reuse.yml": ("looked", [], "field `looked`: unknown field"),
    "stage.yml": ("decision", [], "field `decision`: unknown field"),
    "maturity.yml": ("signatures", [], "field `signatures`: unknown field"),
    "truth.yml": ("coverage", 80, "field `coverage`: Input should be less than or equal to 1"),
}


@pytest.fixture
def conf(tmp_path):
    (tmp_path / "docs").mkdir()
    shutil.copy(CREDIT / "docs" / "alerts.md", tmp_path / "docs")
    return shutil.copytree(CREDIT / "conf", tmp_path / "conf")


CLASSES = {"kind": "category", "role": "target", "values": ["a", "b", "c", "d", "e"]}


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"metric": "brier", "max": 0.25}, "a sum over 5 classes here, from 0 to 2, and a guess"),
        ({"metric": "brier", "max": 0.9}, "of a guess between 5 classes is 0.8, which passes"),
        ({"metric": "log_loss", "max": 1.7}, "of a guess between 5 classes is 1.609, which"),
        (
            {"metric": "accuracy", "min": 0.2},
            "5 classes is 0.2, which passes the limit 0.2",
        ),
        ({"metric": "roc_auc", "min": 0.5}, "between 5 classes is 0.5"),
        ({"metric": "brier", "max": 0.6}, ""),
        ({"metric": "accuracy", "min": 0.5}, ""),
        ({"metric": "f1", "min": 0.1}, ""),
    ],
)
def test_limits_for_two_classes_are_named_where_there_are_five(conf, limit, says):
    source = conf / "data.yml"
    models.change_contract(source, source, outcome=CLASSES)
    gates = yaml.safe_load((conf / "gates.yml").read_text())
    (conf / "gates.yml").write_text(yaml.safe_dump(gates | {"quality": [limit]}))
    found = [each for each in settings_check.find_problems(conf) if "gates.yml" in each]
    assert [limit["metric"] in each and says in each for each in found] == [True] * bool(says)


def test_limits_of_two_classes_are_free(conf):
    gates = yaml.safe_load((conf / "gates.yml").read_text())
    limit = {"metric": "brier", "max": 0.25}
    (conf / "gates.yml").write_text(yaml.safe_dump(gates | {"quality": [limit]}))
    assert not [each for each in settings_check.find_problems(conf) if "gates.yml" in each]


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ({"depth": [1, 2]}, "search.depth`: is not one of `parameters`; use one of them: learning"),
        ({"max_depth": []}, "search.max_depth`: needs values, all of one type, got []"),
        ({"max_depth": [1, "2"]}, "search.max_depth`: needs values, all of one type"),
    ],
)
def test_a_search_over_what_is_no_parameter_is_named(conf, space, says):
    train = yaml.safe_load((conf / "train.yml").read_text())
    (conf / "train.yml").write_text(yaml.safe_dump(train | {"search": {**space, "width": [1]}}))
    found = [each for each in settings_check.find_problems(conf) if "field `search" in each]
    assert len(found) == 2 and says in found[0] and "search.width`" in found[1]


def break_file(conf, file):
    field, value, _ = WRONG[file]
    path = conf / file
    content = yaml.safe_load(path.read_text()) if path.exists() else {}
    path.write_text(yaml.safe_dump(content | {field: value}))


def test_a_new_project_has_no_problem(conf, capsys):
    assert {file.name for file in conf.iterdir()} <= set(WRONG)
    cli.invoke(["settings", "--conf", str(conf)])
    assert "are valid" in capsys.readouterr().out


@pytest.mark.parametrize("file", WRONG)
def test_a_problem_in_each_file_is_found(conf, file):
    break_file(conf, file)
    problems = settings_check.find_problems(conf)
    assert all(str(conf / file) in problem for problem in problems)
    assert any(WRONG[file][2] in problem for problem in problems)


def test_an_unknown_measure_of_ethics_is_found(conf):
    page = conf / "ethics.yml"
    page.write_text(page.read_text().replace("measure: proxy_auc", "measure: proxy_aux"))
    assert "unknown measure 'proxy_aux'" in settings_check.find_problems(conf)[0]


@pytest.mark.parametrize("file", ["project.yml", "train.yml", "gates.yml", "data.yml"])
def test_a_missing_file_is_reported_once(conf, file):
    (conf / file).unlink()
    assert len([each for each in settings_check.find_problems(conf) if file in each]) == 1


def test_all_problems_are_reported_at_once(conf, capsys):
    for file in WRONG:
        break_file(conf, file)
    with pytest.raises(GateError, match=r"problems in .*conf:\n"):
        cli.invoke(["settings", "--conf", str(conf), "--json"])
    problems = json.loads(capsys.readouterr().out)
    for file in WRONG.keys() - {"gates.yml", "data.yml", "ethics.yml"}:  # these need the task
        assert any(str(conf / file) in problem for problem in problems), file


@pytest.mark.parametrize(
    ("name", "place"), [("test", "test/__init__"), ("yaml", "yaml/"), ("sys", "in Python itself")]
)
def test_a_package_that_another_one_hides_is_told(conf, name, place):
    """The rule is what Python finds, not a list of names."""
    path = conf / "project.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"name": name}))
    assert settings_check.find_problems(conf) == []
    (conf.parent / "src" / name).mkdir(parents=True)
    [problem] = settings_check.find_problems(conf)
    assert f"project.yml: `{name}` is a module that Python finds first, " in problem
    assert place in problem
    assert f"write `package: {name}_model`" in problem
