"""docs/own-data.md in a rendered project, command by command, on data that others have made.

palmerpenguins has three species of penguins. Other kinds of data are in test_kinds_of_data.py.
"""

import shutil
from collections.abc import Callable

import palmerpenguins
import pandas as pd

from tests.conftest import Project
from tests.project.test_docs import commands

MADE_FROM_CONF = {
    "azureml/jobs/responsible-ai.yml",
    "azureml/jobs/sweep.yml",
    "azureml/schedules/monitor.yml",
}
DRAFTED = {"conf/data.yml", "conf/gates.yml", "conf/ethics.yml"}


def test_penguins_by_the_page(trained_project: Callable[..., Project]) -> None:
    project = trained_project({"project_name": "Credit Risk"})
    project.poe("promote")  # the sample's model, as README.md's first minute has it
    page = project.read("docs/own-data.md")
    steps, rest = page.split("\n## Penguins")

    assert "Put your files into `data/raw/`, and delete the sample's" in steps
    (project.path / "data" / "raw" / "credit.csv").unlink()
    penguins = palmerpenguins.load_penguins()
    penguins.to_csv(project.path / "data" / "raw" / "penguins.csv", index=False)
    assert "Describe them in `data/README.md`" in steps
    project.write("data/README.md", "# Data card\n\nPenguins, measured at Palmer Station.\n")
    [drafting] = commands(rest.split("\n## ")[0])
    project.run(*drafting.split())
    assert "Delete `src/credit_risk/sample.py`" in steps
    (project.path / "src" / "credit_risk" / "sample.py").unlink()
    assert "also delete `.mlops/` and `outputs/`" in steps
    for trained in (".mlops", "outputs"):
        shutil.rmtree(project.path / trained)

    training = [*commands(steps.split("\n4. ")[1].split("\n5. ")[0])]
    assert [each.split()[-1] for each in training] == ["azure-render", "check", "pipeline", "test"]
    for command in training:
        project.run(*command.split())
    evaluation = project.json(f"{project.last()}/evaluate/evidence/evaluation.json")
    assert all(verdict["passed"] for verdict in evaluation["verdicts"])
    for command in commands(steps.split("\n5. ")[1].split("\n\n")[0]):
        project.run(*command.split())
    assert [version["role"] for version in project.models()] == ["champion"]
    scored = pd.read_csv(next((project.path / project.last("batch")).rglob("scores.csv")))
    assert len(scored) == len(penguins)
    drift = project.json(f"{project.last('monitor')}/drift/evidence/drift.json")
    assert drift["verdict"] == "stable"

    changed = project.run("git", "status", "--porcelain", "--untracked-files=all").stdout
    assert {line[3:] for line in changed.splitlines()} <= {
        "data/README.md",
        "data/raw/credit.csv",
        "data/raw/penguins.csv",
        "src/credit_risk/sample.py",
        *DRAFTED,
        *MADE_FROM_CONF,
    }
