"""The data contract: validation of conf/data.yml, and of data against it."""

import datetime
import decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pydantic
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.evidence import Finding

TARGET = {"kind": "category", "values": ["no", "yes"], "positive": "yes", "role": "target"}
LETTERS = {"kind": "category", "values": ["a", "b"]}


def contract_of(**columns: dict) -> Contract:
    return Contract.model_validate(
        {"min_rows": 10, "columns": {"size": {"kind": "number"}, **columns, "y": TARGET}}
    )


def frame_of(rows: int = 10, **columns: list) -> pd.DataFrame:
    given_columns = {"size": np.arange(rows, dtype=float), **columns, "y": ["no"] * rows}
    return pd.DataFrame({name: pd.Series(values) for name, values in given_columns.items()})


def findings(column: dict, odd: list, usual: object) -> list[Finding]:
    """Findings on `x`, whose first values are odd."""
    values = pd.Series([*odd, *[usual] * (12 - len(odd))], dtype=object)
    return contract_of(x=column).check(frame_of(12).assign(x=values))


def write(folder: Path, columns: dict) -> Path:
    path = folder / "data.yml"
    path.write_text(yaml.safe_dump({"min_rows": 10, "columns": columns}))
    return path


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ({"kind": "numeric"}, "columns.x.kind"),
        ({"kind": "number", "role": "label"}, "columns.x.role"),
        ({"kind": "number", "maximum": 3}, "columns.x.maximum`: unknown field"),
        ({"kind": "category"}, "`values` is required for"),
        ({"kind": "category", "values": []}, "`values` is required for"),
        ({"kind": "category", "values": ["a", "a"]}, "a duplicate value"),
        (
            {"kind": "category", "values": [1, 2]},
            "values.0`: expected a text, got `1`, which",
        ),
        (
            {"kind": "category", "values": [True]},
            "true or false in YAML; put it in quotes",
        ),
        ({"kind": "number", "values": ["1"]}, "`values` is required for"),
        (
            {"kind": "number", "max": True},
            "columns.x.max`: expected a number, got `true`",
        ),
        (
            {"kind": "number", "max": "1.5.2024"},
            "x.max`: expected a number, or a date such",
        ),
        ({"kind": "text", "min": 1}, "are only allowed for numbers and dates"),
        ({"kind": "number", "min": 2, "max": 1}, "`min` is above `max`"),
        ({"kind": "number", "min": float("nan")}, "columns.x.min"),
        ({"kind": "number", "min": datetime.date(2020, 1, 1)}, "have the column's kind"),
        ({"kind": "date", "role": "time", "min": 2020}, "have the column's kind"),
        ({"kind": "date"}, "a date cannot be a feature"),
        ({"kind": "text", "role": "id", "missing": 0.1}, "`missing` is not allowed for `role: id`"),
        ({"kind": "text", "role": "time"}, "`role: time` needs a date or an integer"),
        ({"kind": "integer", "role": "sensitive"}, "`role: sensitive` needs a category"),
        ({"kind": "number", "missing": 1}, "columns.x.missing"),
        ({**LETTERS, "positive": "c"}, "`positive` is not one of `values`"),
        ({**TARGET}, "exactly one column must have `role: target`, found 2"),
    ],
)
def test_a_wrong_column_is_refused_by_name(tmp_path, column, says):
    path = write(tmp_path, {"size": {"kind": "number"}, "x": column, "y": TARGET})
    with pytest.raises(UsageError) as caught:
        load_contract(path, "classification")
    assert str(caught.value).startswith(f"{path}, field `columns") or "whole file" in str(
        caught.value
    )
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("target", "task", "says"),
    [
        ({**TARGET, "values": ["yes"]}, "classification", "at least two `values`"),
        ({**TARGET, "positive": None}, "classification", "set it if there are two"),
        ({**TARGET, "values": ["yes", "no", "?"]}, "classification", "remove it if there are more"),
        ({"kind": "number", "role": "target"}, "classification", "needs `kind: category`"),
        (TARGET, "regression", "regression needs a number"),
    ],
)
def test_the_target_must_fit_the_task(tmp_path, target, task, says):
    path = write(tmp_path, {"size": {"kind": "number"}, "y": target})
    with pytest.raises(UsageError, match=r"data\.yml, field `columns\.y") as caught:
        load_contract(path, task)
    assert says in str(caught.value)


def test_a_model_needs_a_feature_and_at_most_one_id_and_time(tmp_path):
    ids = {name: {"kind": "text", "role": "id"} for name in ("a", "b")}
    for columns, says in (
        (ids, "at least one column must be a feature"),
        (ids, "`role: id`, found 2"),
    ):
        more = {"size": {"kind": "number"}} if "found" in says else {}
        with pytest.raises(UsageError) as caught:
            load_contract(write(tmp_path, {**columns, **more, "y": TARGET}), "classification")
        assert says in str(caught.value)


def test_the_positive_class_is_the_last_label():
    first = {**TARGET, "values": ["yes", "no"]}
    assert contract_of().labels == ["no", "yes"]
    assert Contract.model_validate(
        {"min_rows": 10, "columns": {"x": {"kind": "number"}, "y": first}}
    ).labels == ["no", "yes"]


def test_columns_missing_unknown_and_twice():
    contract = contract_of(x={"kind": "number"})
    frame = frame_of(x=[1.0] * 10)
    assert contract.check(frame) == []
    assert [f.rule for f in contract.check(frame.drop(columns="x"))] == ["present"]
    assert [f.column for f in contract.check(frame.assign(new=1))] == ["new"]
    twice = pd.concat([frame, frame[["x"]]], axis=1)
    assert [(f.column, f.rule) for f in contract.check(twice)] == [("x", "once")]
    spelled = frame.rename(columns={"x": " X"})
    assert [(f.column, f.rule) for f in contract.check(spelled)] == [(" X", "named")]
    headless = frame.set_axis([f"value {number}" for number in range(frame.shape[1])], axis=1)
    assert [f.rule for f in contract.check(headless)] == ["columns"]
    numbered = frame.rename(columns={"x": 7})
    assert {f.rule for f in contract.check(numbered)} == {"present", "known"}


def test_another_sign_between_columns_is_named():
    [found] = contract_of(x={"kind": "number"}).check(frame_of(**{"x;y": ["1;2"] * 10})[["x;y"]])
    assert (found.column, found.rule) == ("(file)", "columns")
    assert "separated by ';'" in found.message and "`sep`" in found.message


@pytest.mark.parametrize(
    ("column", "odd", "usual", "rule"),
    [
        ({"kind": "number"}, ["1,5"], "1", "is a number"),
        ({"kind": "number"}, ["NaN"], "1", "is a number"),
        ({"kind": "number"}, ["inf"], "1", "is a number"),
        ({"kind": "number"}, [float("inf")], 1, "is a number"),
        ({"kind": "number"}, [[1]], 1, "is a number"),
        ({"kind": "number"}, [" "], "1", "is a number"),
        ({"kind": "number"}, ["0x10"], "1", "is a number"),
        ({"kind": "number"}, ["1_000"], "1", "is a number"),
        ({"kind": "number"}, [pd.Timestamp("2020-01-01")], 1, "is a number"),
        ({"kind": "number"}, [None], 1, "is not missing"),
        ({"kind": "number", "min": 0}, [-1e-9], 1, "at least 0.0"),
        ({"kind": "integer"}, ["1.5"], "1", "is a whole number"),
        (LETTERS, ["A"], "a", "one of a, b"),
        (LETTERS, [" a"], "a", "one of a, b"),
        (LETTERS, ["nan"], "a", "one of a, b"),
        (LETTERS, [True], "a", "one of a, b"),
        (LETTERS, [{}], "a", "one of a, b"),
        ({"kind": "text"}, ["x" * 10_001], "a", "at most 10000 letters"),
        ({"kind": "text", "role": "id"}, [], "same", "is unique"),
        ({"kind": "date", "role": "time"}, ["2023-02-30"], "2023-01-01", "is a date"),
        ({"kind": "date", "role": "time"}, ["01/02/2023"], "2023-01-01", "is a date"),
        ({"kind": "date", "role": "time"}, [20.5], "2023-01-01", "is a date"),
        (
            {"kind": "date", "role": "time", "min": datetime.date(2020, 1, 1)},
            ["2019-12-31T23:59:59"],
            "2023-01-01",
            "at least 2020-01-01",
        ),
        (
            {"kind": "date", "role": "time", "max": datetime.date(2020, 1, 1)},
            ["9999-12-31"],
            "2019-01-01",
            "at most 2020-01-01",
        ),
    ],
)
def test_an_odd_value_is_found_with_its_rule(column, odd, usual, rule):
    [found] = findings(column, odd, usual)
    assert (found.column, found.rule) == ("x", rule)
    assert found.rows == (len(odd) or 12)
    assert len(found.message) < 200
    assert "np." not in found.message


@pytest.mark.parametrize(
    ("column", "values", "read"),
    [
        ({"kind": "number"}, ["1e3", " 5 ", 2, decimal.Decimal("1.5")], [1000, 5, 2, 1.5]),
        ({"kind": "category", "values": ["1", "2"]}, [1.0, 2, "1", "2"], ["1", "2", "1", "2"]),
        ({"kind": "category", "values": ["1.0", "1"]}, ["1.0", "1"], ["1.0", "1"]),
        ({"kind": "category", "values": ["True", "False"]}, [True, False], ["True", "False"]),
        ({"kind": "category", "values": ["NA", "nan"]}, ["NA", "nan"], ["NA", "nan"]),
        ({"kind": "category", "values": ["a, b", 'c"d']}, ["a, b", 'c"d'], ["a, b", 'c"d']),
    ],
)
def test_values_that_only_look_odd_are_read(column, values, read):
    assert findings(column, values, values[0]) == []
    typed, _ = contract_of(x=column).typed(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    assert typed["x"].tolist() == read


def test_times_with_zones_are_read_as_utc():
    column = {"kind": "date", "role": "time", "min": datetime.date(2020, 1, 1)}
    values = ["2020-01-01T02:00:00+01:00", "2020-01-01T02:00:00-05:00", "2020-01-01"]
    typed, unread = contract_of(x=column).typed(pd.DataFrame({"x": values}))
    assert not unread["x"].any()
    assert typed["x"].dt.hour.tolist() == [1, 7, 0]
    [found] = findings(column, ["2020-01-01T00:30:00+01:00"], "2021-01-01")
    assert found.rule == "at least 2020-01-01"


@pytest.mark.parametrize("name", ["a b", "a.b", "row", "index", "rule", "x`y", "größe", "1"])
def test_a_column_may_have_any_name(name):
    contract = contract_of(**{name: {"kind": "number", "max": 5}})
    assert contract.check(frame_of(**{name: [1] * 10})) == []
    [found] = contract.check(frame_of(**{name: [9] + [1] * 9}))
    assert (found.column, found.rows) == (name, 1)
    model = contract.request_row()
    model.model_validate_json(f'{{"size": 1.0, "{name}": 5}}')
    with pytest.raises(pydantic.ValidationError):
        model.model_validate_json(f'{{"size": 1.0, "{name}": 6}}')


def test_the_share_of_missing_values_has_a_limit():
    contract = contract_of(x={"kind": "number", "missing": 0.2})
    assert contract.check(frame_of(x=[None, None] + [1] * 8)) == []
    [found] = contract.check(frame_of(x=[None, None, None] + [1] * 7))
    assert found.message == "30.0% of the values are missing, at most 20.0% allowed"
    [found] = contract.check(frame_of(x=[None] * 10))
    assert found.rule == "missing"


def test_one_value_breaks_one_rule_only():
    contract = contract_of(x={"kind": "integer", "min": 0, "max": 5})
    found = contract.check(frame_of(x=["x", -1, 7, 2.5, 1, 1, 1, 1, 1, 1]))
    assert [(f.rule, f.rows) for f in found] == [
        ("is a integer", 1),
        ("at least 0.0", 1),
        ("at most 5.0", 1),
        ("is a whole number", 1),
    ]


def test_too_few_rows_are_one_finding():
    [found] = contract_of().check(frame_of(9))
    assert (found.column, found.rule) == ("(file)", "min_rows")
    assert contract_of().check(frame_of(0))[0].rule == "min_rows"


def test_numbers_survive_the_way_through_a_file(tmp_path):
    """`prepare` writes CSV that `train` reads: not one bit may change."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=3000) * 10.0 ** rng.integers(-300, 300, 3000)
    contract = contract_of()
    before, _ = contract.typed(pd.DataFrame({"size": numbers}))
    before.to_csv(tmp_path / "a.csv", index=False)
    after, _ = contract.typed(pd.read_csv(tmp_path / "a.csv", dtype=str))
    assert after["size"].tolist() == numbers.tolist()


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["NaN", "1.0", "1", "", "2020-01-01", "2020-13-01", "inf", "yes", "a"]),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(datetime.UTC)),
    st.lists(st.integers(), max_size=1),
)
KINDS = [
    {"kind": "number", "min": 0},
    {"kind": "integer", "missing": 0.5},
    {"kind": "category", "values": ["a", "1"]},
    {"kind": "text"},
    {"kind": "date", "role": "time", "max": datetime.date(2100, 1, 1)},
]


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(odd=st.lists(ODD, min_size=10, max_size=14), kind=st.sampled_from(KINDS))
@example(odd=[*[None] * 9, []], kind=KINDS[0])
def test_no_value_can_crash_the_check(odd, kind):
    contract = contract_of(x=kind)
    frame = frame_of(len(odd)).assign(x=pd.Series(odd, dtype=object))
    found = contract.check(frame)
    typed, unread = contract.typed(frame)
    assert typed["x"].shape == unread["x"].shape == (len(odd),)
    if unread["x"].any():
        assert f"is a {contract.columns['x'].kind}" in {finding.rule for finding in found}
