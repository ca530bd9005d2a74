"""One way from raw rows to the model: training, batch and endpoint see the same features."""

import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from mlops_platform import evidence
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.data import reader
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.models import artifact, dataset, rows
from mlops_platform.models.team import Team
from mlops_platform.serving import store
from mlops_platform.serving.requests import RequestError
from mlops_platform.serving.scorer import Scorer
from mlops_platform.steps import prepare, score, validate
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

TEAM = Team("taxi_rides")
CONTRACT: dict[str, Any] = {
    "min_rows": 10,
    "source": {
        "separator": ";",
        "decimal": ",",
        "encoding": "latin-1",
        "date_format": "%d.%m.%Y %H:%M",
    },
    "rows_without_target": "drop",
    "columns": {
        "ride": {"kind": "text", "role": "id"},
        "pickup": {"kind": "date", "role": "input", "min": "2024-01-01"},
        "km": {"kind": "number", "min": 0},
        "rider's name": {"kind": "text", "role": "ignored"},
        "minutes": {"kind": "number", "role": "target"},
    },
    "derived": {
        "hour": {"kind": "integer", "min": 6, "max": 23},
        "day": {"kind": "date", "role": "time"},
        "band": {"kind": "category", "values": ["near", "far"], "role": "sensitive"},
    },
}
FILE = "ride;pickup;km;rider's name;minutes\n" + "".join(
    f"R{i};{1 + i % 28:02}.03.2024 {6 + i % 18:02}:30;{i},5;Zoé, {i};{i * 2},25\n"
    for i in range(60)
)


def derive(given: pd.DataFrame) -> pd.DataFrame:
    """What a team would write."""
    return pd.DataFrame(
        {
            "hour": given["pickup"].dt.hour,
            "day": given["pickup"].dt.normalize(),
            "band": np.where(given["km"] < 10, "near", "far"),
        },
        index=given.index,
    )


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The team's package with a module `data` that has `derive`."""
    package, data = ModuleType("taxi_rides"), ModuleType("taxi_rides.data")
    package.__spec__ = ModuleSpec("taxi_rides", None, is_package=True)
    package.__path__ = package.__spec__.submodule_search_locations = [str(tmp_path / "src")]
    data.__spec__ = ModuleSpec("taxi_rides.data", None)
    data.derive = derive
    package.data = data
    monkeypatch.setitem(sys.modules, "taxi_rides", package)
    monkeypatch.setitem(sys.modules, "taxi_rides.data", data)
    return data


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    folder = tmp_path / "conf"
    folder.mkdir()
    project = {"name": "taxi-rides", "description": "d", "team": "t", "contact": "c@example.com"}
    project |= {"task": "regression", "stage": "explore", "regulated": False}
    train = {"seed": 0, "time_budget_seconds": 60, "parameters": {}}
    train["split"] = {"by": "time", "validation": 0.2, "test": 0.2}
    for name, content in (("project", project), ("train", train), ("data", CONTRACT)):
        (folder / f"{name}.yml").write_text(yaml.safe_dump(content, sort_keys=False))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "rides.csv").write_bytes(FILE.encode("latin-1"))
    return folder


@pytest.fixture
def scorer(code, conf, tmp_path) -> Scorer:
    contract = load_contract(conf / "data.yml", "regression")
    typed = rows.read_rows(
        rows.for_training(tmp_path / "raw", contract, TEAM), contract, TEAM
    ).typed
    steps = [("features", ColumnTransformer([("all", "passthrough", contract.features)]))]
    pipeline = Pipeline([*steps, ("model", LinearRegression())])
    pipeline.fit(typed[contract.features], typed["minutes"])
    card = artifact.Card(run_id="r", task="regression", labels=[], features=contract.features)
    artifact.save(pipeline, tmp_path / "model", TEAM, card=card, contract=conf / "data.yml")
    return Scorer(tmp_path / "model", "taxi-rides", "1", TEAM)


def body(*given: dict) -> bytes:
    return json.dumps({"rows": given}).encode()


def test_training_batch_and_endpoint_see_the_same(code, conf, scorer, tmp_path, monkeypatch):
    validate.run(conf, tmp_path / "raw", tmp_path / "validated")
    prepare.run(conf, tmp_path / "raw", tmp_path / "prepared")
    contract = scorer.contract
    trained = pd.concat(
        dataset.read_part(tmp_path / "prepared", part, contract) for part in prepare.PARTS
    ).set_index("ride")
    assert contract.features == ["km", "hour"] and set(trained["band"]) == {"near", "far"}

    stored = store.StoredModel(tmp_path / "model", "taxi-rides", "1", TEAM)
    monkeypatch.setattr(score.store, "fetch", lambda conf, version: stored)
    score.run(conf, tmp_path / "raw", "1", tmp_path / "scores", tmp_path / "scores")
    scored = pd.read_csv(tmp_path / "scores" / "scores.csv").set_index("id")
    assert len(scored) == 60

    for number in range(60):
        day, hour = f"2024-03-{1 + number % 28:02}", 6 + number % 18
        asked = {"ride": f"R{number}", "pickup": f"{day}T{hour:02}:30", "km": number + 0.5}
        [answer] = scorer.answer(body(asked))["predictions"]
        seen = trained.loc[[f"R{number}"], contract.features]
        assert seen["hour"].tolist() == [hour]
        [expected] = scorer.predict(seen).tolist()
        assert answer["value"] == expected
        assert scored.loc[f"R{number}", "value"] == pytest.approx(expected, rel=1e-12)


def test_requests_hold_raw_columns_only(scorer):
    properties = scorer.requests.schema()["properties"]["rows"]["items"]["properties"]
    assert list(properties) == ["ride", "pickup", "km"]
    with pytest.raises(RequestError) as refused:
        scorer.answer(body({"pickup": "2024-03-01T07:00", "km": 1, "hour": 7}))
    assert [fault.field for fault in refused.value.faults] == ["hour"]


@pytest.mark.parametrize(
    ("pickup", "field", "says"),
    [
        ("01.03.2024 07:00", "pickup", "Input should be a date such as 2024-12-31"),
        ("2023-12-31", "pickup", "Input should be 2024-01-01 or later"),
        ("2024-03-01T05:00", "hour", "the derived value violates `at least 6.0`"),
    ],
)
def test_a_request_with_a_bad_date_or_derived_value_is_refused(scorer, pickup, field, says):
    good = {"pickup": "2024-03-01T07:00", "km": 1}
    with pytest.raises(RequestError) as refused:
        scorer.answer(body(good, {"pickup": pickup, "km": 1}))
    assert refused.value.faults == [(2, field, says)]


def test_requests_that_are_answered_together_get_what_each_gets_alone(scorer, monkeypatch):
    good = [body({"pickup": f"2024-03-01T{hour:02}:00", "km": hour}) for hour in (7, 9, 21)]
    two = body({"pickup": "2024-03-02T08:00", "km": 2}, {"pickup": "2024-03-02T09:00", "km": 3})
    derived = body({"pickup": "2024-03-01T05:00", "km": 1})
    for bodies in ([good[0]], [*good, two], [good[0], b"{", two], [derived], [two, derived, *good]):
        found = scorer.answers(bodies)
        for sent, answer in zip(bodies, found, strict=True):
            try:
                alone = scorer.answer(sent)
            except RequestError as error:
                assert (type(answer), answer.faults) == (RequestError, error.faults)
            else:
                # The last bit of a sum of products may depend on the rows beside it.
                values = [row.pop("value") for row in alone["predictions"]]
                assert [row.pop("value") for row in answer["predictions"]] == pytest.approx(values)
                assert answer == alone
    calls = []
    predict = scorer.predict
    monkeypatch.setattr(scorer, "predict", lambda rows: calls.append(len(rows)) or predict(rows))
    scorer.answers([*good, b"{", two])
    assert calls == [5]


def test_a_file_with_a_bad_derived_value_loses_that_row_alone(scorer, tmp_path, monkeypatch):
    stored = store.StoredModel(tmp_path / "model", "taxi-rides", "1", TEAM)
    monkeypatch.setattr(score.store, "fetch", lambda conf, version: stored)
    lines = ["pickup;km", "01.03.2024 05:00;1", "02.03.2024 07:00;1,5", "2024-03-02;1.5"]
    (tmp_path / "new.csv").write_text("\n".join(lines))
    score.run(tmp_path / "conf", tmp_path / "new.csv", "1", tmp_path / "out", tmp_path / "out")
    assert pd.read_csv(tmp_path / "out" / "scores.csv")["row"].tolist() == [2]
    rejects = pd.read_csv(tmp_path / "out" / "rejects.csv")
    assert list(zip(rejects["row"], rejects["column"], strict=True)) == [
        (1, "hour"),
        (3, "pickup"),
        (3, "km"),
    ]
    assert rejects["reason"].tolist() == [
        "the derived value violates `at least 6.0`",
        'violates `is a date`; write dates as `date_format: "%d.%m.%Y %H:%M"` in `source:` of '
        "conf/data.yml says",
        "violates `is a number`; write numbers with a comma, as `decimal` in `source:` of "
        "conf/data.yml says, and no point",
    ]


def test_training_finds_a_derived_value_that_breaks_its_rule(code, conf, tmp_path):
    file = tmp_path / "raw" / "rides.csv"
    file.write_bytes(FILE.replace("01.03.2024 06:30", "01.03.2024 05:30").encode("latin-1"))
    with pytest.raises(GateError, match=r"column `hour`: 1 row violates `at least 6.0`"):
        validate.run(conf, tmp_path / "raw", tmp_path / "validated")


def test_columns_of_the_file_cannot_be_derived_ones(code, conf, tmp_path):
    file = tmp_path / "raw" / "rides.csv"
    file.write_bytes(FILE.replace("rider's name", "hour").encode("latin-1"))
    with pytest.raises(GateError, match="column `hour`: is derived, by derive"):
        validate.run(conf, tmp_path / "raw", tmp_path / "validated")


# ---------------------------------------------------------------- the team's code


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda given: given["km"], "must return a DataFrame, got Series"),
        (lambda given: derive(given).head(3), "returns 3 rows for 60"),
        (lambda given: derive(given).reset_index(drop=True)[::-1], "or with another index"),
        (lambda given: derive(given).drop(columns="hour"), "the column `hour` 0 times"),
        (lambda given: given["minutes"], "KeyError: 'minutes'"),
        (lambda given: 1 / 0, "ZeroDivisionError: division by zero"),
    ],
)
def test_what_derive_must_not_do(code, conf, tmp_path, made, says):
    code.derive = made
    with pytest.raises(UsageError, match=r"^src/taxi_rides/data\.py, derive\(\): .*" + says):
        validate.run(conf, tmp_path / "raw", tmp_path / "validated")
    assert not (tmp_path / "validated").exists()


def test_derive_is_needed_where_the_contract_names_its_columns(code, conf, tmp_path):
    del code.derive
    with pytest.raises(UsageError, match=r"data\.py has no function `derive`"):
        validate.run(conf, tmp_path / "raw", tmp_path / "validated")


def test_derive_cannot_change_the_rows_it_gets(code, conf, tmp_path):
    def greedy(given: pd.DataFrame) -> pd.DataFrame:
        made = derive(given)
        given["km"] = 0
        return made

    code.derive = greedy
    contract = load_contract(conf / "data.yml", "regression")
    read = rows.read_rows(rows.for_training(tmp_path / "raw", contract, TEAM), contract, TEAM)
    assert read.typed["km"].iloc[1] == 1.5


def test_select_is_for_training_alone(code, conf, scorer, tmp_path):
    code.select = lambda raw: raw[raw["km"] != "0,5"]
    contract = scorer.contract
    assert len(rows.for_training(tmp_path / "raw", contract, TEAM)) == 59
    assert sum(map(len, rows.raw_chunks(tmp_path / "raw", contract, TEAM))) == 60
    code.select = lambda raw: None
    with pytest.raises(UsageError, match=r"select\(\): must return a DataFrame, got NoneType"):
        rows.for_training(tmp_path / "raw", contract, TEAM)


def test_rows_without_a_target_are_dropped_or_the_line_is_named(code, conf, tmp_path):
    file = tmp_path / "raw" / "rides.csv"
    file.write_bytes(FILE.replace(";2,25\n", ";\n").encode("latin-1"))
    validate.run(conf, tmp_path / "raw", tmp_path / "validated")
    kept = evidence.read(evidence.Validation, tmp_path / "validated" / "validation.json")
    assert kept.rows == 59
    strict = {**CONTRACT, "rows_without_target": "refuse"}
    (conf / "data.yml").write_text(yaml.safe_dump(strict, sort_keys=False))
    with pytest.raises(GateError, match=r"write `rows_without_target: drop` in conf/data.yml"):
        validate.run(conf, tmp_path / "raw", tmp_path / "validated")


def test_load_reads_for_training_as_before_and_not_beside_source(code, conf, tmp_path):
    code.load = lambda path: pd.DataFrame({"km": [7]})
    contract = load_contract(conf / "data.yml", "regression")
    with pytest.raises(UsageError, match=r"data\.py has load\(\).*Remove load\(\), or `source`"):
        next(rows.raw_chunks(tmp_path / "raw", contract, TEAM))
    former = Contract.model_validate(
        {key: value for key, value in CONTRACT.items() if key != "source"}
    )
    assert next(rows.raw_chunks(tmp_path / "raw", former, TEAM))["km"].tolist() == [7]


def test_a_column_that_an_older_contract_does_not_have_is_left_out(code, scorer):
    code.derive = lambda given: derive(given).assign(new=1)
    assert scorer.answer(body({"pickup": "2024-03-01T07:00", "km": 1}))["predictions"]


# ---------------------------------------------------------------- the contract


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"derived": {"km": {"kind": "number"}}}, "`km` is in `columns` and in `derived`"),
        ({"derived": {"x": {"kind": "text", "role": "id"}}}, "`x`: `role: id` is for columns that"),
        ({"derived": {"x": {"kind": "number", "role": "target"}}}, "`role: target` is for"),
        ({"derived": {}}, "`pickup` has `role: input`, and nothing is derived from it"),
    ],
)
def test_a_contract_that_cannot_be(changes, says):
    with pytest.raises(ValueError, match=says):
        Contract.model_validate(CONTRACT | changes)


def test_write_writes_what_the_reader_reads(scorer, tmp_path):
    contract = scorer.contract
    raw = reader.read(tmp_path / "raw", contract.source)
    typed = contract.typed(raw)[0]
    for name in ("a.csv", "a.parquet"):
        written = reader.write(typed, tmp_path / name, contract.source)
        pd.testing.assert_frame_equal(
            contract.typed(reader.read(written, contract.source))[0], typed
        )
