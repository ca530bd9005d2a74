"""The scorer: one way to predict, whichever door the rows come through."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from credit_risk import sample
from mlops_platform.core.errors import UsageError
from mlops_platform.data.columns import Column
from mlops_platform.data.contract import Contract
from mlops_platform.models import artifact
from mlops_platform.models.rows import request_rows
from mlops_platform.models.team import Team
from mlops_platform.serving import store
from mlops_platform.serving.requests import RequestError, Requests
from mlops_platform.serving.scorer import Scorer
from mlops_platform.tracking.registry import Registry

from package.tests import models
from package.tests.workspaces import TEAM

CREDIT = models.conf_of("credit_risk") / "data.yml"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.train("credit_risk", tmp_path_factory.mktemp("credit") / "model")


@pytest.fixture
def scorer(model: Path) -> Scorer:
    return Scorer(model, "credit-risk", "3", TEAM)


def body(*rows: dict) -> bytes:
    return json.dumps({"rows": rows}).encode()


# ---------------------------------------------------------------- two doors, one answer


def test_rows_of_a_request_and_of_a_file_become_the_same_frame(scorer, model):
    rows = models.good_rows("credit_risk", CREDIT, 50)
    raw = sample.make(50, seed=7)
    assert raw["income"].isna().any() and raw["housing"].isna().any()
    typed, faults = scorer.read(raw)
    assert faults.empty
    requested = request_rows(scorer.requests.read(body(*rows)), scorer.contract, TEAM).typed
    pd.testing.assert_frame_equal(requested, typed)
    given = np.array([list(one["probabilities"].values()) for one in scorer.rows(rows)])
    np.testing.assert_array_equal(given, scorer.predict(typed))


def test_probabilities_are_the_models_own_under_their_labels(scorer, model):
    answer = scorer.answer(body(*models.good_rows("credit_risk", CREDIT, 20)))
    fitted = artifact.load(model, TEAM)
    expected = fitted.predict_proba(scorer.read(sample.make(20, seed=7))[0])
    assert (answer["model"], answer["version"]) == ("credit-risk", "3")
    for made, shares in zip(answer["predictions"], expected, strict=True):
        assert made["probabilities"] == dict(zip(fitted.classes_, shares, strict=True))
        assert made["label"] == max(made["probabilities"], key=made["probabilities"].get)


def test_regression_gives_values(tmp_path):
    folder = models.train("energy_demand", tmp_path / "model")
    scorer = Scorer(folder, "energy-demand", "1", Team("energy_demand"))
    rows = models.good_rows("energy_demand", folder / "contract.yml", 5)
    made = scorer.answer(body(*rows))["predictions"]
    assert [one["id"] for one in made] == [row["reading_id"] for row in rows]
    raw = models.module("energy_demand", "sample").make(5, seed=7)
    assert [one["value"] for one in made] == scorer.predict(scorer.read(raw)[0]).tolist()


def test_three_classes(tmp_path):
    outcome = {"kind": "category", "role": "target", "values": ["repaid", "defaulted", "sold"]}
    contract = models.change_contract(CREDIT, tmp_path / "data.yml", outcome=outcome)
    folder = models.train("credit_risk", tmp_path / "model", contract)
    scorer = Scorer(folder, "credit-risk", "1", TEAM)
    made = scorer.answer(body(*models.good_rows("credit_risk", contract, 60)))["predictions"]
    assert {one["label"] for one in made} == {"repaid", "defaulted", "sold"}
    for one in made:
        assert list(one["probabilities"]) == ["repaid", "defaulted", "sold"]
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert one["label"] == max(one["probabilities"], key=one["probabilities"].get)


def test_the_id_comes_back_only_when_it_was_given(scorer):
    named, nameless = models.good_rows("credit_risk", CREDIT, 2)
    del nameless["loan_id"]
    first, second = scorer.answer(body(named, nameless))["predictions"]
    assert first["id"] == named["loan_id"]
    assert "id" not in second


def test_the_contract_is_the_one_beside_the_model(model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    income = {"kind": "number", "min": 0, "max": 10}
    models.change_contract(CREDIT, folder / "contract.yml", income=income)
    row = models.good_rows("credit_risk", CREDIT, 1)[0] | {"income": 11.0}
    with pytest.raises(RequestError) as refused:
        Scorer(folder, "credit-risk", "1", TEAM).answer(body(row))
    assert [fault.field for fault in refused.value.faults] == ["income"]


def test_a_model_that_cannot_predict_is_found_when_it_is_loaded(model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    models.change_contract(CREDIT, folder / "contract.yml", income=None)
    with pytest.raises(UsageError, match="the model of version 9 cannot predict"):
        Scorer(folder, "credit-risk", "9", TEAM)


# ---------------------------------------------------------------- requests under odd contracts


def contract_of(**features: dict) -> Contract:
    target = {"kind": "number", "role": "target"}
    columns = {name: Column(**column) for name, column in (features | {"y": target}).items()}
    return Contract(min_rows=10, columns=columns)


@pytest.mark.parametrize("name", ["_x", "model_config", "copy", "class", "a b", "é", "column_0"])
def test_a_column_may_have_any_name(name):
    requests = Requests(contract_of(**{name: {"kind": "number"}, "z": {"kind": "number"}}))
    assert requests.read(body({name: 1.5, "z": 2})) == [{name: 1.5, "z": 2}]
    assert requests.schema()["properties"]["rows"]["items"]["required"] == [name, "z"]
    with pytest.raises(RequestError):
        requests.read(body({"column_1": 1.5, name: 2}))


@pytest.mark.parametrize(
    "column",
    [
        {"kind": "number", "min": 5},
        {"kind": "number", "max": -5},
        {"kind": "integer", "min": 0.5, "max": 1.5},
        {"kind": "integer", "min": 2, "max": 3},
        {"kind": "integer"},
        {"kind": "category", "values": ["a", "b"]},
        {"kind": "text"},
    ],
)
def test_the_example_keeps_its_contract(column):
    requests = Requests(contract_of(x=column))
    assert requests.read(body(requests.example())) == [requests.example()]


def test_an_integer_too_large_for_a_float_is_refused():
    requests = Requests(contract_of(x={"kind": "integer"}))
    for value in (10**400, -(10**400), 2**53 + 1):
        with pytest.raises(RequestError):
            requests.read(body({"x": value}))


# ---------------------------------------------------------------- from the registry


@pytest.fixture
def conf(model: Path, tmp_path: Path) -> Path:
    return models.project(tmp_path / "project", model)


def test_the_champion_is_downloaded_once(conf, monkeypatch):
    stored = store.fetch(conf, "champion")
    assert stored == (conf.parent / ".mlops" / "models" / "1" / "model", "credit-risk", "1", TEAM)
    monkeypatch.delattr(Registry, "download")
    assert store.fetch(conf, "champion") == stored
    assert store.fetch(conf, "1") == stored
    Scorer(*stored)


def test_a_newer_champion_is_fetched_and_an_older_one_can_be(conf, model):
    store.fetch(conf, "champion")
    models.add_version(conf, model)
    assert store.fetch(conf, "champion").version == "2"
    assert store.fetch(conf, "1").version == "1"


def test_a_folder_of_another_registrys_version_is_replaced(conf):
    stored = store.fetch(conf, "champion")
    card = artifact.load_card(stored.folder)
    (stored.folder / "model.json").write_text(
        card.model_copy(update={"run_id": "of another registry"}).model_dump_json()
    )
    (stored.folder / "model.skops").write_bytes(b"stale")
    assert artifact.load_card(store.fetch(conf, "champion").folder) == card
    Scorer(*stored)


def test_half_a_folder_is_replaced(conf):
    stored = store.fetch(conf, "champion")
    (stored.folder / "model.json").unlink()
    Scorer(*store.fetch(conf, "champion"))


def test_two_processes_may_fetch_at_once(conf, model, monkeypatch):
    download = Registry.download
    rivals = []

    def overtaken(self, version, folder):
        made = download(self, version, folder)
        kept = conf.parent / ".mlops" / "models" / "1"
        if not rivals:
            rivals.append(kept)
            monkeypatch.setattr(Path, "exists", lambda path: False)  # it came after the look
            shutil.copytree(folder, kept)
        return made

    monkeypatch.setattr(Registry, "download", overtaken)
    stored = store.fetch(conf, "1")
    assert rivals
    monkeypatch.undo()
    Scorer(*stored)


def test_a_run_that_holds_another_runs_model_is_refused(conf, monkeypatch):
    monkeypatch.setattr(store, "_is_of", lambda run_id, folder: False)
    with pytest.raises(UsageError, match="has the model of another run"):
        store.fetch(conf, "champion")


def test_what_is_not_there_is_said(conf, tmp_path):
    with pytest.raises(UsageError, match="version '7' of credit-risk does not exist"):
        store.fetch(conf, "7")
    fresh = tmp_path / "fresh" / "conf"
    shutil.copytree(conf, fresh)
    with pytest.raises(UsageError, match=r"has no champion yet.*poe promote"):
        store.fetch(fresh, "champion")


def test_an_interrupted_download_leaves_nothing(conf, monkeypatch):
    def break_off(self, version, folder):
        (folder / "model").mkdir()
        raise UsageError("the registry went away")

    monkeypatch.setattr(Registry, "download", break_off)
    with pytest.raises(UsageError, match="went away"):
        store.fetch(conf, "1")
    assert list((conf.parent / ".mlops" / "models").iterdir()) == []
