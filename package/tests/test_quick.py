"""`mlops quick`: one fit on a sample of rows, and nothing remains of it."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from mlops_platform.models.team import Team
from sklearn.linear_model import LogisticRegression

from package.tests.samples import EXAMPLES


def files(root: Path) -> dict[str, bytes]:
    """All files of a folder, but for what Python and SQLite keep beside theirs."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_says_the_metric_beside_the_baseline_and_leaves_nothing(workspace, mlops):
    before = files(workspace.root)
    code, out, _ = mlops(workspace, "quick", "--rows", "100")
    assert code == 0
    assert re.search(
        r"^roc_auc 0\.\d{4} on \d+ rows of the validation set, a constant baseline has 0\.5000\n"
        r"fitted once to 100 rows in \d+\.\d s; nothing was written, recorded or registered",
        out,
    )
    assert files(workspace.root) == before
    assert workspace.registry.versions() == []


def test_it_gives_what_training_gives_on_all_rows(trained, mlops):
    expected = json.loads((trained.step("train") / "evidence" / "training.json").read_text())
    code, out, _ = mlops(trained, "quick", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["value"], found["baseline"]) == (expected["value"], expected["baseline"])


def test_it_fits_once_with_other_parameters(workspace, mlops, monkeypatch):
    seen = []

    def build(team: Team, parameters: dict, seed: int) -> LogisticRegression:
        seen.append(parameters["max_depth"])
        return LogisticRegression(max_iter=1000)

    monkeypatch.setattr(Team, "build_model", build)
    assert mlops(workspace, "quick", "--parameter", "max_depth=4")[0] == 0
    assert seen == [4]


def test_wrong_data_and_wrong_settings_are_named_as_in_training(workspace, mlops):
    code, _, said = mlops(workspace, "quick", "--parameter", "depth=4")
    assert code == 2 and "--parameter depth=4: conf/train.yml has no such parameter" in said
    path = workspace.raw / "credit.csv"
    pd.read_csv(path, dtype=str).assign(debt_ratio="much").to_csv(path, index=False)
    code, _, said = mlops(workspace, "quick")
    assert code == 1 and "debt_ratio" in said


@pytest.mark.parametrize("name", ["credit-risk", "energy-demand"])
def test_it_is_a_task_of_each_project(name):
    assert 'cmd = "mlops quick"' in (EXAMPLES / name / "poe_tasks.toml").read_text()
