"""The scripts that Azure ML runs: files in mini-batches, and the endpoint where nobody looks."""

import csv
import importlib.util
import json
import logging
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from mlops_platform import cli
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.serving import chunks, online, store
from mlops_platform.serving.scorer import Scorer
from mlops_platform.tracking import binding
from mlops_platform.truth import collected
from mlops_platform.truth.config import Truth
from mlops_platform.truth.ledger import Ledger

from package.tests import models
from package.tests.samples import EXAMPLES
from package.tests.workspaces import TEAM

SCRIPT = EXAMPLES / "credit-risk" / "src" / "score_files.py"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model where Azure ML puts it: below its name and version."""
    folder = tmp_path_factory.mktemp("azureml-models") / "credit-risk" / "3"
    folder.mkdir(parents=True)
    models.train("credit_risk", folder / "model")
    return folder


@pytest.fixture
def script(deployed: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The entry script, loaded by its path and started, as a parallel job does."""
    monkeypatch.setattr(
        sys, "argv", ["driver", "--model", str(deployed), "--version", "3", "--other", "1"]
    )
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = importlib.util.spec_from_file_location("entry_module", SCRIPT)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    loaded.init()
    return loaded


def test_mini_batches_hold_what_the_step_scores(script, serving, tmp_path):
    rows = pd.read_csv(serving.raw / "credit.csv", dtype=str, keep_default_na=False).head(40)
    rows.loc[3, "income"], rows.loc[3, "purpose"] = "-5", "boat"
    data = tmp_path / "data"
    data.mkdir()
    rows.head(20).to_csv(data / "a.csv", index=False)
    rows.tail(20).to_csv(data / "b.csv", index=False)
    with (data / "b.csv").open("a") as stream:
        stream.write("too,short\n")
    # The same model as the registry's champion, so that both score alike.
    champion = store.fetch(serving.conf, "champion")
    script.mini_batches.State.scorer = Scorer(champion.folder, champion.name, "3", TEAM)
    lines = script.run([str(data / "a.csv"), str(data / "b.csv")])

    cli.invoke(
        [*("score", "--conf", str(serving.conf), "--data", str(data)),
         *("--scores", str(tmp_path / "scores"), "--out", str(tmp_path / "out"))]
    )  # fmt: skip
    scores = pd.read_csv(tmp_path / "scores" / "scores.csv", dtype=str)
    rejects = pd.read_csv(tmp_path / "scores" / "rejects.csv", dtype=str)
    names = [*scores.columns, "rejected"]
    made = pd.DataFrame(list(csv.reader(lines)), columns=names)
    assert len(made) == 41
    scored = made[made["rejected"] == ""].drop(columns=["rejected", "version"])
    pd.testing.assert_frame_equal(
        scored.reset_index(drop=True), scores.drop(columns="version"), check_dtype=False
    )
    refused = made[made["rejected"] != ""]
    assert set(zip(refused["file"], refused["row"], strict=True)) == set(
        zip(rejects["file"], rejects["row"], strict=True)
    )
    assert refused["rejected"].iloc[0].startswith("income: violates")
    assert set(made["version"]) == {"3"}
    assert "boat" not in "".join(lines)


def test_columns_that_do_not_fit_fail_the_mini_batch(script, tmp_path):
    (tmp_path / "a.csv").write_text("income,colour\n1,red\n")
    with pytest.raises(UsageError, match="do not match the contract"):
        script.run([str(tmp_path / "a.csv")])


def test_a_batch_endpoint_says_model_and_version_in_variables(
    deployed, script, monkeypatch, tmp_path
):
    monkeypatch.setattr(sys, "argv", ["driver"])
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(deployed))
    monkeypatch.setenv("MLOPS_MODEL_VERSION", "17")
    script.init()
    assert script.mini_batches.State.scorer.version == "17"
    assert chunks.columns(script.mini_batches.State.scorer)[-1] == "version"


def test_a_deployment_holds_one_model(deployed, tmp_path):
    assert store.find_deployed(deployed, "credit_risk") == (
        deployed / "model",
        "credit-risk",
        "3",
        TEAM,
    )
    with pytest.raises(UsageError, match="has 0 models"):
        store.find_deployed(tmp_path, "credit_risk")
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_bytes((deployed / "model/model.json").read_bytes())
    with pytest.raises(UsageError, match="has 2 models"):
        store.find_deployed(tmp_path, "credit_risk")


@pytest.mark.parametrize("name", ["model.skops", "contract.yml", "more.txt"])
def test_a_deployment_refuses_another_model_than_the_registered_one(
    deployed, tmp_path, monkeypatch, name
):
    folder = shutil.copytree(deployed, tmp_path / "credit-risk" / "3")
    registered = binding.hash_model(folder / "model")
    monkeypatch.setenv(store.HASH, registered)
    assert store.find_deployed(folder, "credit_risk").version == "3"
    with (folder / "model" / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(
        GateError, match=f"version 3: its model is not .* registered was {registered}"
    ):
        store.find_deployed(folder, "credit_risk")


def test_a_deployment_trusts_what_the_settings_named(deployed, monkeypatch):
    monkeypatch.setenv(store.TRUSTED, "credit_risk.features.build,credit_risk.model.build")
    team = store.find_deployed(deployed, "credit_risk").team
    assert team.trusted == ("credit_risk.features.build", "credit_risk.model.build")
    monkeypatch.setenv(store.TRUSTED, "")
    assert store.find_deployed(deployed, "credit_risk").team.trusted == ()


class Silent:
    """A collector that is there and keeps nothing."""

    def __init__(self, name: str, on_error: object) -> None:
        pass

    def collect(self, rows: pd.DataFrame, context: object = None) -> None:
        """Keep nothing."""


def test_an_unexpected_error_is_answered_and_no_value_is_logged(deployed, monkeypatch, caplog):
    collecting = ModuleType("azureml.ai.monitoring")
    collecting.Collector = Silent
    for name in ("azureml", "azureml.ai"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "azureml.ai.monitoring", collecting)
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(deployed))
    online.init("credit_risk")
    endpoint = online.State.endpoint
    row = endpoint.scorer.requests.example() | {"income": 31337.0}
    body = json.dumps({"rows": [row]}).encode()
    assert endpoint.answer("POST", body)[1] == 200
    assert endpoint.answer("POST", body, ["application/json"], ["identity"])[1] == 200
    assert endpoint.answer("POST", body, ["text/csv"])[1] == 415
    assert endpoint.answer("POST", body, ["application/json"], ["gzip"])[1] == 415

    def explode(rows: list) -> list:
        raise ValueError(f"cannot score {rows}")

    monkeypatch.setattr(endpoint.scorer, "rows", explode)
    with caplog.at_level(logging.DEBUG):
        content, status = endpoint.answer("POST", body)
    assert (status, content["error"]) == (500, "an unexpected error, see the server's log")
    assert "ValueError" in caplog.text
    assert "in explode" in caplog.text
    assert "31337" not in caplog.text


def test_what_the_collector_keeps_of_predictions_goes_into_the_ledger(
    deployed, monkeypatch, tmp_path
):
    lines: dict[str, list[str]] = {}

    class Writing(Silent):
        """A collector that writes as Azure does."""

        def __init__(self, name: str, on_error: object) -> None:
            self.name = name

        def collect(self, rows: pd.DataFrame, context: object = None) -> None:
            data = json.loads(rows.to_json(orient="records"))
            event = {"time": "2026-11-03T08:00:00Z", "data": data}
            lines.setdefault(self.name, []).append(json.dumps(event))

    collecting = ModuleType("azureml.ai.monitoring")
    collecting.Collector = Writing
    for name in ("azureml", "azureml.ai"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "azureml.ai.monitoring", collecting)
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(deployed))
    online.init("credit_risk")
    endpoint = online.State.endpoint
    row = endpoint.scorer.requests.example()
    body = json.dumps({"rows": [{**row, "loan_id": name} for name in ("L1", None)]}).encode()
    (answer, _) = endpoint.answer("POST", body)
    (kept,) = lines["predictions"]
    assert set(json.loads(kept)["data"][0]) == {
        "loan_id",
        "version",
        "probability_repaid",
        "probability_defaulted",
    }
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions" / "a.jsonl").write_text(kept + "\n", encoding="utf-8")
    into = Ledger(tmp_path / "ledger")
    importing = collected.Import(into, endpoint.scorer.contract, Truth())
    importing.run(tmp_path / "predictions")
    (batch,) = into.batches(["id", "version", "scores"])
    assert importing.unread == 0
    assert batch.to_pylist() == [
        {
            "id": name,
            "version": "3",
            "scores": pytest.approx(list(answer["predictions"][0]["probabilities"].values())),
        }
        for name in ("L1", None)
    ]
