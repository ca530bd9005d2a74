"""What the tests share: the contract, the data, and workspaces that a test may break."""

import gc
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml
from mlops_platform import cli, evidence, settings
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.models import artifact, dataset
from mlops_platform.models.rows import for_training, read_rows
from mlops_platform.models.team import Team
from mlops_platform.pipelines import runner
from mlops_platform.pipelines.outputs import newest
from mlops_platform.tracking import experiments
from mlops_platform.tracking.registry import Registry
from sklearn.pipeline import Pipeline

ROOT = Path(__file__).parent.parent
RAW = ROOT / "data" / "raw"
TEAM = Team("credit_risk")

os.environ.pop("MLFLOW_TRACKING_URI", None)  # tests never write to a real store
gc.set_threshold(50_000, 20, 50)  # as the command line does: a tenth of the time


@dataclass
class Workspace:
    """A copy of this project, with a registry of its own."""

    root: Path

    @property
    def conf(self) -> Path:
        return self.root / "conf"

    @property
    def contract(self) -> Contract:
        task = settings.load_project(self.conf).task
        return load_contract(self.conf / "data.yml", task)

    @property
    def registry(self) -> Registry:
        return Registry(self.conf)

    def step(self, name: str) -> Path:
        return newest(self.root / "outputs" / "train") / name

    @property
    def shuffled(self) -> Path:
        return self.root / "shuffled"

    def evidence(self, shape, step: str):
        path = next((self.step(step) / "evidence").glob("*.json"))
        return evidence.read(shape, path)

    def change(self, file: str, **fields) -> None:
        path = self.conf / file
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text("utf-8")) | fields), "utf-8")

    def pipeline(self, name: str = "train", **inputs: object) -> dict[str, Path]:
        overrides = {"raw": RAW} if name == "train" else {}
        return runner.run(
            self.root / "pipelines" / f"{name}.yml",
            root=self.root,
            invoke=cli.invoke,
            overrides={key: str(value) for key, value in (overrides | inputs).items()},
            until="register" if name == "train" else None,  # without the page
        )

    def train_shuffled(self) -> None:
        """Train on shuffled targets, into `shuffled/`: a model that knows nothing."""
        project, train = settings.load_project(self.conf), settings.load_train(self.conf)
        contract = load_contract(self.conf / "data.yml", project.task)
        rows = dataset.read_part(self.step("prepare") / "data", "train", contract)
        pipeline = Pipeline(
            [
                ("features", TEAM.build_features(contract)),
                ("model", TEAM.build_model(dict(train.parameters), train.seed)),
            ]
        )
        target = rows[contract.target].sample(frac=1, random_state=0).to_numpy()
        pipeline.fit(rows[contract.features], target)
        card = artifact.Card(
            run_id=experiments.start(self.conf, name="shuffled", tags={}),
            task=project.task,
            labels=contract.labels,
            features=contract.features,
        )
        artifact.save(pipeline, self.shuffled, TEAM, card=card, contract=self.conf / "data.yml")
        experiments.upload(self.conf, card.run_id, self.shuffled, "model")

    def register_shuffled(self) -> None:
        """Make the shuffled model the challenger, as no pipeline would."""
        card = artifact.load_card(self.shuffled)
        self.registry.register(card.run_id, "challenger", {}, "planted")


@pytest.fixture(scope="session")
def contract() -> Contract:
    task = settings.load_project(ROOT / "conf").task
    return load_contract(ROOT / "conf" / "data.yml", task)


@pytest.fixture(scope="session")
def _raw(contract: Contract) -> pd.DataFrame:
    return for_training(RAW, contract, TEAM)


@pytest.fixture
def raw(_raw: pd.DataFrame) -> pd.DataFrame:
    """This project's data, as training reads it."""
    return _raw.copy()


@pytest.fixture
def typed(contract: Contract, raw: pd.DataFrame) -> pd.DataFrame:
    """Its typed rows, with the derived columns."""
    return read_rows(raw, contract, TEAM).typed


def changed(rows: pd.DataFrame, name: str, values: object) -> pd.DataFrame:
    """The rows with other values in one column."""
    copy = rows.copy()
    copy[name] = values
    return copy


def first(contract: Contract, **wanted: object) -> str:
    """The first raw column with these attributes; skips the test where the data has none."""
    for name, column in contract.raw.items():
        if all(getattr(column, key) == value for key, value in wanted.items()):
            return name
    pytest.skip(f"no column with {wanted} in conf/data.yml")


@pytest.fixture(scope="session")
def _trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    for folder in ("conf", "pipelines", "src"):
        ignored = shutil.ignore_patterns("__pycache__")  # half of the files, copied for each test
        shutil.copytree(ROOT / folder, workspace.root / folder, ignore=ignored)
    workspace.change("gates.yml", resamples=100)  # enough to tell a good model from a random one
    workspace.change("project.yml", stage="explore")  # gates report, and stop no planted model
    workspace.pipeline()
    workspace.train_shuffled()
    return workspace


@pytest.fixture
def trained(_trained: Workspace, tmp_path: Path) -> Workspace:
    """A workspace whose pipeline has just registered its first challenger."""
    shutil.copytree(_trained.root, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


@pytest.fixture(scope="session")
def served(_trained: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a champion, shared by tests that leave its versions as they are."""
    folder = tmp_path_factory.mktemp("served") / "workspace"
    shutil.copytree(_trained.root, folder)
    workspace = Workspace(folder)
    workspace.registry.promote(None, "first model", "tests")
    return workspace


@pytest.fixture
def serving(served: Workspace, tmp_path: Path) -> Workspace:
    """A workspace with a champion, of the test's own."""
    shutil.copytree(served.root, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")
