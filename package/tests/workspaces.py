"""Workspaces: settings, data, pipelines and a store of runs that a test may break."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from credit_risk import sample
from mlops_platform import cli, evidence, settings
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.models import artifact, dataset
from mlops_platform.models.team import Team
from mlops_platform.pipelines import runner
from mlops_platform.pipelines.outputs import newest
from mlops_platform.steps import compare, evaluate
from mlops_platform.tracking import experiments
from mlops_platform.tracking.registry import Registry
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from package.tests.samples import EXAMPLES

CREDIT = EXAMPLES / "credit-risk"
TEAM = Team("credit_risk")
SMALL = {
    "train.yml": {
        "parameters": {
            "n_estimators": 15,
            "max_depth": 2,
            "min_samples_leaf": 20,
            "learning_rate": 0.1,
        }
    },
    "gates.yml": {"resamples": 100},
}


@dataclass(frozen=True)
class Workspace:
    """A small project of its own: few rows, few trees, few resamples."""

    root: Path

    @property
    def conf(self) -> Path:
        """Its settings."""
        return self.root / "conf"

    @property
    def raw(self) -> Path:
        """Its data."""
        return self.root / "data" / "raw"

    @property
    def data(self) -> Path:
        """Its divided data; `trained` has it."""
        return self.step("prepare") / "data"

    @property
    def registry(self) -> Registry:
        """A new client of its registry."""
        return Registry(self.conf)

    @property
    def contract(self) -> Contract:
        """Its data contract."""
        return load_contract(self.conf / "data.yml", "classification")

    def roles(self) -> dict[str, str]:
        """The role of each version."""
        return {version.number: version.role for version in self.registry.versions()}

    def step(self, name: str) -> Path:
        """Where a step of the last training left its outputs."""
        home = self.root / "outputs" / "train"
        return (newest(home) or home / "run-1") / name

    def change(self, file: str, **fields: Any) -> None:
        """Replace fields of a settings file."""
        path = self.conf / file
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | fields))

    def pipeline(self, until: str = "register", **inputs: object) -> dict[str, Path]:
        """Run the training pipeline, without its report."""
        return runner.run(
            self.root / "pipelines" / "train.yml",
            root=self.root,
            invoke=cli.invoke,
            overrides={key: str(value) for key, value in inputs.items()},
            until=until,
        )

    def fit(self, name: str, rows: pd.DataFrame | None = None, estimator: Any = None) -> Path:
        """Train a small model on other rows, with a run of its own, into a folder."""
        contract = self.contract
        typed = (
            dataset.read_part(self.data, "train", contract)
            if rows is None
            else contract.typed(rows)[0]
        )
        model = LogisticRegression(C=0.1, solver="liblinear") if estimator is None else estimator
        pipeline = Pipeline([("features", TEAM.build_features(contract)), ("model", model)])
        pipeline.fit(typed[contract.features], typed[contract.target])
        folder = self.root / name
        card = artifact.Card(
            run_id=experiments.start(self.conf, name=name, tags={"seed": "0"}),
            task="classification",
            labels=contract.labels,
            features=contract.features,
        )
        artifact.save(pipeline, folder, TEAM, card=card, contract=self.conf / "data.yml")
        experiments.upload(self.conf, card.run_id, folder, "model")
        return folder

    def crown(self, folder: Path) -> str:
        """Register a model and make it champion; returns its number."""
        registry = self.registry
        run_id = artifact.load_card(folder).run_id
        version = registry.register(run_id, "challenger", {}, "planted")
        return registry.promote(version.number, "planted", "tests").number

    def compare(self, folder: Path) -> evidence.Comparison:
        """Evaluate a model and compare it with the champion."""
        out = folder.parent / f"{folder.name}-evidence"
        evaluate.run(self.conf, self.data, folder, out)
        compare.run(self.conf, self.data, folder, out, out)
        return evidence.read(evidence.Comparison, out / "comparison.json")


def make(root: Path, rows: int = 600) -> Workspace:
    """A workspace with an empty store."""
    for folder in ("conf", "pipelines", "src"):
        shutil.copytree(
            CREDIT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    (root / "docs").mkdir()
    shutil.copy(CREDIT / "docs" / "alerts.md", root / "docs")
    workspace = Workspace(root)
    for file, fields in SMALL.items():
        workspace.change(file, **fields)
    data = yaml.safe_load((workspace.conf / "data.yml").read_text())
    workspace.change("data.yml", min_rows=100, columns=data["columns"])
    workspace.raw.mkdir(parents=True)
    sample.make(rows, seed=0).to_csv(workspace.raw / "credit.csv", index=False)
    settings.load_project(workspace.conf)
    workspace.registry.versions()
    return workspace
