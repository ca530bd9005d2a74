"""Random contracts and rows: training, batch and endpoint see equal features and give equal labels.

The team's code is a stand-in whose model depends on each feature, and whose derived columns come
from dates, numbers and texts.
"""

import datetime
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from mlops_platform.data import reader
from mlops_platform.data.contract import Contract
from mlops_platform.models import rows
from mlops_platform.serving import chunks
from mlops_platform.serving.requests import Requests
from mlops_platform.serving.scorer import Scorer

# What pandas, pydantic, pandera, SQL or a template could take for a name of theirs.
NAMES = [
    *(
        "self",
        "index",
        "row",
        "column",
        "rule",
        "value",
        "cls",
        "class",
        "level_0",
        "frame",
        "copy",
    ),
    *("copy", "id", "line", "file", "reason", "rows", "model_config", "Unnamed: 0", "a.1", "a.b"),
    *("a b", "é", "Größe (m²)", "{x}", "%s", "$x_{$", "<b>", "a,b", "a;b", 'a"b', "0", "true"),
]
WORDS = ["rot", "grün, hell", "a;b", "1", "1.0", "NA", 'say "x"', " left", "é"]
CHOICES = ["low", "high; or", "1", "2.5", "no"]
SOURCES = [
    {},
    {"separator": ";", "decimal": ",", "encoding": "latin-1", "date_format": "%d.%m.%Y"},
    {"separator": "\t", "date_format": "%m/%d/%Y", "missing": ["?", "-"]},
    {"encoding": "utf-16", "decimal": ".", "separator": "|"},
    {"format": "parquet"},
]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": st.floats(-1e6, 1e6).map(lambda value: round(value, 3)),
    "integer": st.integers(-1000, 1000),
    "category": st.sampled_from(CHOICES),
    "text": st.sampled_from(WORDS),
    "date": st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1)),
}


class Case(NamedTuple):
    """A contract, and rows of typed values; None is missing."""

    contract: Contract
    rows: list[dict[str, Any]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=3, max_size=7, unique=True))
    target, *others = names
    columns: dict[str, Any] = {}
    for number, name in enumerate(others):
        kind = "date" if number == 1 else draw(st.sampled_from(list(VALUES)))
        role = "input" if kind == "date" else draw(st.sampled_from(["feature", "input"]))
        missing = draw(st.sampled_from([0, 0.99]))
        columns[name] = {"kind": kind, "role": role, "missing": missing}
        if kind == "category":
            columns[name]["values"] = CHOICES
    columns[others[0]].update(kind="number", role="feature")
    columns[others[0]].pop("values", None)
    columns[target] = {"kind": "number", "role": "target"}
    derived = {f"of {name}": {"kind": "number", "missing": 0.99} for name in others}
    row = st.fixed_dictionaries(
        {
            name: st.none() | VALUES[column["kind"]]
            if column.get("missing")
            else VALUES[column["kind"]]
            for name, column in columns.items()
        }
    )
    contract = Contract.model_validate(
        {
            "min_rows": 10,
            "source": draw(st.sampled_from(SOURCES)),
            "columns": columns,
            "derived": derived,
        }
    )
    return Case(contract, draw(st.lists(row, min_size=1, max_size=12)))


class Code:
    """A team whose `derive` makes a number of each requested column."""

    @staticmethod
    def derive(typed: pd.DataFrame, contract: Contract) -> pd.DataFrame:
        """A number of each."""
        made = pd.DataFrame(index=typed.index)
        for name in contract.derived:
            column = typed[name.removeprefix("of ")]
            if column.dtype.kind == "M":
                made[name] = column.dt.day_of_year
            elif column.dtype.kind == "f":
                made[name] = column * 2 + 1
            else:
                made[name] = column.str.len()
        return made


def as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value


def model(features: pd.DataFrame) -> np.ndarray:
    """A number that each value of the features changes, row by row."""
    return np.array([hash(tuple(map(str, row))) % 1000 for row in features.to_numpy(dtype=object)])


def scorer_of(contract: Contract) -> Scorer:
    """A scorer without a model's folder."""
    scorer = object.__new__(Scorer)
    scorer.contract, scorer.requests = contract, Requests(contract)
    scorer.labels, scorer.name, scorer.version = [], "m", "1"
    scorer._team = Code()
    scorer.predict = model
    return scorer


def write(folder: Path, case: Case) -> Path:
    contract = case.contract
    frame = pd.DataFrame(case.rows, dtype=object)
    for name, column in contract.raw.items():
        if column.kind == "date":
            frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
        elif column.kind == "number":
            frame[name] = frame[name].astype(float)
        elif column.kind == "integer":
            frame[name] = frame[name].astype("Int64")
    suffix = "parquet" if contract.source.format == "parquet" else "csv"
    return reader.write(frame, folder / f"rows.{suffix}", contract.source)


@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_three_ways_to_the_same_features_and_labels(case: Case) -> None:
    contract = case.contract
    scorer = scorer_of(contract)
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), case)
        code = SimpleNamespace(derive=Code.derive, has=lambda *_: False, select=lambda raw: raw)
        raw = rows.for_training(path, contract, code)
        trained = rows.read_rows(raw, contract, code).typed[contract.features]
        [file] = reader.files(path, contract.source)
        chunks.check_header(file, scorer)
        scored = [
            chunks.score(scorer, file, chunk) for chunk in reader.chunks(file, contract.source, 3)
        ]
        batch = [scorer.read(chunk.frame)[0] for chunk in reader.chunks(file, contract.source, 3)]
    assert not any(part.rejected for part in scored)
    values = [value for part in scored for value in part.scores["value"]]

    asked = [{name: as_json(row[name]) for name in contract.requested} for row in case.rows]
    body = json.dumps({"rows": asked}).encode()
    given_rows = scorer.requests.read(body)
    requested = rows.request_rows(given_rows, contract, code).typed[contract.features]
    pd.testing.assert_frame_equal(requested, trained)
    pd.testing.assert_frame_equal(pd.concat(batch).reset_index(drop=True), trained)
    answers = [each["value"] for each in scorer.answer(body)["predictions"]]
    assert answers == values == model(trained).tolist()
    for number, row in enumerate(asked):
        [alone] = scorer.answer(json.dumps({"rows": [row]}).encode())["predictions"]
        assert alone["value"] == answers[number]
