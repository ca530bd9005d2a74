"""Predictions that Azure's data collector kept are taken into the ledger, once."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mlops_platform import settings
from mlops_platform.data.contract import load_contract
from mlops_platform.truth import collected
from mlops_platform.truth.config import Truth
from mlops_platform.truth.ledger import Ledger

from package.tests import models

CREDIT = load_contract(models.conf_of("credit_risk") / "data.yml", "classification")
ENERGY = load_contract(
    models.conf_of("energy_demand") / "data.yml",
    settings.load_project(models.conf_of("energy_demand")).task,
)
# Of Microsoft's page on the format, without the names in it.
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "725aa8af-0834-415c-aaf5-c76d0c08f694",
    "source": "/subscriptions/s/onlineEndpoints/e/deployments/blue",
    "type": "azureml.inference.predictions",
    "datacontenttype": "application/json",
    "time": "2022-12-01T08:51:30Z",
    "data": [],
    "correlationid": "3711655d-b04c-4aa2-a6c4-6a90cbfcb73f",
    "xrequestid": "3711655d-b04c-4aa2-a6c4-6a90cbfcb73f",
    "modelversion": "default",
    "collectdatatype": "pandas.core.frame.DataFrame",
    "agent": "azureml-ai-monitoring/1.0.0",
    "contentrange": "bytes 0-116/117",
}


def row(name: str | None, version: str = "3", risk: float = 0.25) -> dict[str, Any]:
    shares = {"probability_repaid": 1 - risk, "probability_defaulted": risk}
    return {"loan_id": name, "version": version, **shares}


class Collected:
    """A folder of the collector."""

    def __init__(self, root: Path) -> None:
        self.folder, self.ledger = root / "predictions", Ledger(root / "ledger")

    def write(self, *events: Any, hour: str = "2022/12/01/08") -> Path:
        """Add lines to a file."""
        path = self.folder / hour / "instance.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            for event in events:
                file.write((event if isinstance(event, str) else json.dumps(event)) + "\n")
        return path

    def load(self, contract: Any = CREDIT) -> int:
        """Import the folder; how many lines cannot be read."""
        importing = collected.Import(self.ledger, contract, Truth())
        importing.run(self.folder)
        return importing.unread

    def kept(self) -> list[tuple[Any, ...]]:
        """What the ledger has, in order."""
        columns = ["id", "version", "period", "time", "scores"]
        found = (each for batch in self.ledger.batches(columns) for each in batch.to_pylist())
        return sorted((tuple(each[name] for name in columns) for each in found), key=str)


@pytest.fixture
def folder(tmp_path: Path) -> Collected:
    return Collected(tmp_path)


def test_lines_of_the_collector_become_predictions(folder: Collected) -> None:
    folder.write({**EVENT, "data": [row("L1"), row(None, "4", 0.5)]}, "")
    assert folder.load() == 0
    when = datetime(2022, 12, 1, 8, 51, 30, tzinfo=UTC)
    assert folder.kept() == [
        ("L1", "3", "2022-12", when, [0.75, 0.25]),
        (None, "4", "2022-12", when, [0.5, 0.5]),
    ]


def test_other_collections_of_an_endpoint_are_passed_over(
    folder: Collected, tmp_path: Path
) -> None:
    folder.folder = tmp_path / "credit-risk-dev"
    for colour in ("blue", "green"):
        data = [row(colour)]
        folder.write({**EVENT, "data": data}, hour=f"{colour}/predictions/2022/12/01/08")
        folder.write({**EVENT, "data": data}, hour=f"{colour}/model_inputs/2022/12/01/08")
    assert folder.load() == 0
    assert [name for name, *_ in folder.kept()] == ["blue", "green"]


def test_numbers_have_one_score(folder: Collected) -> None:
    folder.write({**EVENT, "data": [{"reading_id": "R1", "version": "2", "value": 310.5}]})
    folder.load(ENERGY)
    assert [(name, scores) for name, *_, scores in folder.kept()] == [("R1", [310.5])]


def test_the_same_files_change_nothing_and_one_that_grew_is_read_again(folder: Collected) -> None:
    folder.write({**EVENT, "data": [row("L1")]})
    folder.load()
    folder.load()
    folder.write({**EVENT, "data": [row("L2")]})
    folder.write({**EVENT, "data": [row("L3")]}, hour="2022/12/01/09")
    folder.load()
    assert [name for name, *_ in folder.kept()] == ["L1", "L2", "L3"]


@pytest.mark.parametrize(
    "line",
    [
        '{"time": "2022-12-01T08:51:30Z", "da',
        json.dumps({**EVENT, "data": "https://store/blob", "datainblob": "true"}),
        json.dumps({**EVENT, "data": [{"loan_id": "L1", "prediction": "repaid"}]}),
        json.dumps({**EVENT, "time": "yesterday", "data": [row("L1")]}),
        json.dumps({**EVENT, "data": [{**row("L1"), "probability_repaid": None}]}),
        "[]",
    ],
    ids=["cut off", "in a blob", "another collection", "time", "no number", "no object"],
)
def test_what_cannot_be_read_is_counted(folder: Collected, line: str) -> None:
    folder.write(line, {**EVENT, "data": [row("L2")]})
    assert folder.load() == 1
    assert [name for name, *_ in folder.kept()] == ["L2"]


@pytest.mark.parametrize("text", [1669884690, "1669884690", "2022-12-01T08:51:30.1234567Z"])
def test_times_of_the_collector_are_read(folder: Collected, text: Any) -> None:
    folder.write({**EVENT, "time": text, "data": [row("L1")]})
    folder.load()
    ((_, _, period, when, _),) = folder.kept()
    assert (period, f"{when:%H:%M:%S}") == ("2022-12", "08:51:30")
