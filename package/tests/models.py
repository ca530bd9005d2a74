"""Small models of the samples, trained in a second, for the tests that need one."""

import importlib
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pandas as pd
import yaml
from mlops_platform import evidence
from mlops_platform.data.contract import load_contract
from mlops_platform.models import artifact
from mlops_platform.models.team import Team
from mlops_platform.settings import load_project, load_train
from mlops_platform.tracking import experiments
from mlops_platform.tracking.binding import hash_model
from mlops_platform.tracking.registry import Registry
from mlops_platform.tracking.roles import MODEL_HASH
from sklearn.pipeline import Pipeline

from package.tests.samples import EXAMPLES


def module(package: str, name: str) -> ModuleType:
    """A module of a sample project."""
    return importlib.import_module(f"{package}.{name}")


def conf_of(package: str) -> Path:
    """The settings of a sample project."""
    return EXAMPLES / package.replace("_", "-") / "conf"


def train(package: str, folder: Path, contract: Path | None = None, run_id: str = "run") -> Path:
    """Train a model of the sample and save it in `folder`, as the step `train` does.

    Where the contract has three classes, a third of the rows get the third.
    """
    team, task = Team(package), load_project(conf_of(package)).task
    parameters = dict(load_train(conf_of(package)).parameters)
    contract = contract or conf_of(package) / "data.yml"
    rules = load_contract(contract, task)
    rows = rules.typed(module(package, "sample").make(600, seed=1))[0]
    if len(rules.labels) == 3:
        rows.loc[rows.index % 3 == 0, rules.target] = rules.labels[2]
    pipeline = Pipeline(
        [("features", team.build_features(rules)), ("model", team.build_model(parameters, 0))]
    )
    pipeline.fit(rows[rules.features], rows[rules.target])
    card = artifact.Card(
        run_id=run_id,
        task=task,
        labels=rules.labels,
        features=rules.features,
        trained=datetime(2026, 5, 1, tzinfo=UTC),
    )
    artifact.save(pipeline, folder, team, card=card, contract=contract)
    return folder


def project(root: Path, model: Path) -> Path:
    """A project's folder whose registry has `model` as its champion; returns its `conf/`."""
    conf = root / "conf"
    shutil.copytree(conf_of("credit_risk"), conf)
    add_version(conf, model)
    return conf


def add_version(conf: Path, model: Path) -> str:
    """Register a copy of `model` under a run of its own and promote it; returns the run's id."""
    registry = Registry(conf)
    run_id = experiments.start(conf, name="test", tags={})
    copy = conf.parent / run_id
    shutil.copytree(model, copy)
    card = artifact.load_card(copy)
    evidence.write(card.model_copy(update={"run_id": run_id}), copy / "model.json")
    experiments.upload(conf, run_id, copy, "model")
    tags = {MODEL_HASH: hash_model(copy)}
    shutil.rmtree(copy)
    registry.register(run_id, "challenger", tags, "planted")
    registry.promote(None, "a test", "tests")
    return run_id


def change_contract(source: Path, target: Path, **columns: dict | None) -> Path:
    """Write a contract with some columns replaced, added, or (None) left out."""
    content = yaml.safe_load(source.read_text(encoding="utf-8"))
    content["columns"] |= columns
    content["columns"] = {name: column for name, column in content["columns"].items() if column}
    target.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return target


def good_rows(package: str, contract: Path, count: int, seed: int = 7) -> list[dict]:
    """Rows of the sample as a client would send them, with missing values as None."""
    rules = load_contract(contract, load_project(conf_of(package)).task)
    rows = module(package, "sample").make(count, seed=seed)[rules.named("id") + rules.features]
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in rows.astype(object).to_dict("records")
    ]
