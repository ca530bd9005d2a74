"""docs/contract.md in a rendered project names the files to touch; two real data sets prove it.

The sets were made by others and come in packages: palmerpenguins (species of a penguin, three
classes) and scikit-learn's diabetes (a number). Only what the page names is changed.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import palmerpenguins
import pandas as pd
import pytest
import yaml
from sklearn.datasets import load_diabetes

from tests.conftest import Project

MADE_FROM_CONF = {
    "azureml/jobs/responsible-ai.yml",
    "azureml/jobs/sweep.yml",
    "azureml/schedules/monitor.yml",
}


def penguins() -> pd.DataFrame:
    return palmerpenguins.load_penguins()


PENGUINS = {
    "data": {
        "min_rows": 300,
        "columns": {
            "species": {
                "kind": "category",
                "values": ["Adelie", "Chinstrap", "Gentoo"],
                "role": "target",
            },
            "island": {"kind": "category", "values": ["Biscoe", "Dream", "Torgersen"]},
            "bill_length_mm": {"kind": "number", "min": 20, "max": 80, "missing": 0.05},
            "bill_depth_mm": {"kind": "number", "min": 5, "max": 40, "missing": 0.05},
            "flipper_length_mm": {"kind": "number", "min": 100, "max": 300, "missing": 0.05},
            "body_mass_g": {"kind": "number", "min": 1000, "max": 10000, "missing": 0.05},
            "sex": {
                "kind": "category",
                "values": ["female", "male"],
                "role": "sensitive",
                "missing": 0.1,
            },
            "year": {"kind": "integer", "min": 2000, "max": 2030, "role": "time"},
        },
    },
    "train": {
        "split": {"by": "time", "validation": 0.33, "test": 0.33},
        "parameters": {  # three classes of penguins are told apart by fewer trees
            "n_estimators": 25,
            "learning_rate": 0.2,
            "max_depth": 2,
            "min_samples_leaf": 10,
            "subsample": 0.8,
        },
    },
    "gates": {"metric": "accuracy", "quality": [{"metric": "accuracy", "min": 0.9}]},
}


def diabetes() -> pd.DataFrame:
    return load_diabetes(as_frame=True, scaled=False).frame


MEASURED = ["age", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
DIABETES = {
    "data": {
        "min_rows": 400,
        "columns": {
            **{name: {"kind": "number", "min": 0, "max": 1000} for name in MEASURED},
            "sex": {"kind": "category", "values": ["1", "2"], "role": "sensitive"},
            "target": {"kind": "number", "min": 0, "max": 500, "role": "target"},
        },
    },
    "train": {"split": {"by": "random", "validation": 0.2, "test": 0.25}},
    "gates": {"metric": "mae", "quality": [{"metric": "mae", "max": 65}]},
}


def bring(project: Project, frame: pd.DataFrame, settings: Mapping[str, Any]) -> set[str]:
    """Do what the page says; returns the files that were touched."""
    for trained in (".mlops", "outputs"):
        shutil.rmtree(project.path / trained)
    touched = {"data/raw/own.csv", "data/README.md"}
    touched |= {f"conf/{name}.yml" for name in ("data", "train", "gates")}
    project.write("data/README.md", "# Data card\n\nMade by others, and measured.\n")
    for old in (project.path / "data" / "raw").glob("*.csv"):
        touched.add(old.relative_to(project.path).as_posix())
        old.unlink()
    frame.to_csv(project.path / "data" / "raw" / "own.csv", index=False)
    [sample] = project.path.glob("src/*/sample.py")
    touched.add(sample.relative_to(project.path).as_posix())
    sample.unlink()
    project.write("conf/data.yml", yaml.safe_dump(settings["data"], sort_keys=False))
    train = project.yaml("conf/train.yml") | settings["train"]
    project.write("conf/train.yml", yaml.safe_dump(train, sort_keys=False))
    gates = project.yaml("conf/gates.yml") | settings["gates"]
    project.write("conf/gates.yml", yaml.safe_dump(gates, sort_keys=False))
    return touched


@pytest.mark.parametrize(
    ("answers", "frame", "settings"),
    [
        pytest.param({"project_name": "Credit Risk"}, penguins, PENGUINS, id="penguins"),
        pytest.param(
            {"project_name": "Energy Demand", "task": "regression"},
            diabetes,
            DIABETES,
            id="diabetes",
        ),
    ],
)
def test_the_whole_lifecycle_passes_on_real_data(
    answers: dict[str, Any],
    frame: Callable[[], pd.DataFrame],
    settings: dict[str, Any],
    trained_project: Callable[..., Project],
) -> None:
    project = trained_project(answers)
    project.poe("promote")  # the sample's model, as README.md's first minute has it
    named = project.read("docs/contract.md").split("## The data contract")[0]
    assert "delete `.mlops/` and `outputs/`" in named
    touched = bring(project, frame(), settings)
    for file in touched:
        spoken_of = re.escape(Path(file).name), re.escape(Path(file).parent.name + "/")
        assert any(re.search(name, named) for name in spoken_of), f"the page is silent on {file}"

    assert "uv run poe azure-render" in named
    project.poe("azure-render")
    project.poe("check")
    project.poe("pipeline")
    [version] = project.models()
    assert version["role"] == "challenger"
    evaluation = project.json(f"{project.last()}/evaluate/evidence/evaluation.json")
    assert all(verdict["passed"] for verdict in evaluation["verdicts"])
    project.poe("promote")
    project.poe("batch")
    scored = pd.read_csv(next((project.path / project.last("batch")).rglob("scores.csv")))
    assert len(scored) == len(frame())
    project.poe("monitor", expect=0)
    drift = project.json(f"{project.last('monitor')}/drift/evidence/drift.json")
    assert drift["verdict"] == "stable"
    project.poe("test")

    changed = project.run("git", "status", "--porcelain", "--untracked-files=all").stdout
    changed_files = {line[3:] for line in changed.splitlines()}
    assert touched <= changed_files
    assert changed_files - touched <= MADE_FROM_CONF
