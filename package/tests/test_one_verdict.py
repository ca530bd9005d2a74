"""One contract, one verdict: a value passes in a file exactly if it passes in a request.

And the verdict on a value does not depend on the other rows.
"""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlops_platform.data import csv_rows
from mlops_platform.data.contract import Contract
from mlops_platform.serving.requests import RequestError, Requests

TARGET = {"kind": "category", "values": ["no", "yes"], "positive": "yes", "role": "target"}
NUMBER, INTEGER, TEXT = {"kind": "number"}, {"kind": "integer"}, {"kind": "text"}
CODES = {"kind": "category", "values": ["0", "1", "2.5"]}
EXACT_CODES = {"kind": "category", "values": ["1.0", "2"]}
FLAGS = {"kind": "category", "values": ["True", "False"]}
FAR = 2**53

# The contract's column, the field in a CSV file, the same in JSON, whether it passes.
TABLE: list[tuple[dict[str, Any], str, str, bool]] = [
    (INTEGER, "0", "0", True),
    (INTEGER, "0.0", "0.0", True),
    (INTEGER, "1.0", "1.0", True),
    (INTEGER, "-0.0", "-0.0", True),
    (INTEGER, "-3.0", "-3.0", True),
    (INTEGER, "1e3", "1e3", True),
    (INTEGER, "1E+2", "1E+2", True),
    (INTEGER, "2.5e1", "2.5e1", True),
    (INTEGER, "1.5", "1.5", False),
    (INTEGER, "1e-1", "1e-1", False),
    (INTEGER, "1e400", "1e400", False),
    (INTEGER, str(FAR - 1), str(FAR - 1), True),
    (INTEGER, f"{FAR - 1}.0", f"{FAR - 1}.0", True),
    (INTEGER, str(FAR), str(FAR), False),
    (INTEGER, str(FAR + 1), str(FAR + 1), False),
    (INTEGER, f"{FAR}.0", f"{FAR}.0", False),
    (INTEGER, str(-FAR), str(-FAR), False),
    (INTEGER, "9" * 400, "9" * 400, False),
    (INTEGER, "true", "true", False),
    (INTEGER, "True", "true", False),
    (INTEGER, "NaN", "NaN", False),
    (INTEGER, "Infinity", "Infinity", False),
    (INTEGER, "", "null", False),
    (INTEGER, "", '""', False),
    (INTEGER, "one", '"one"', False),
    ({**INTEGER, "min": 1, "max": 3}, "1.0", "1.0", True),
    ({**INTEGER, "min": 1, "max": 3}, "3", "3", True),
    ({**INTEGER, "min": 1, "max": 3}, "4.0", "4.0", False),
    ({**INTEGER, "min": 1, "max": 3}, "0.0", "0.0", False),
    ({**INTEGER, "min": 0.5, "max": 2.5}, "1", "1", True),
    ({**INTEGER, "min": 0.5, "max": 2.5}, "0", "0", False),
    ({**INTEGER, "min": 0.5, "max": 2.5}, "3", "3", False),
    ({**INTEGER, "max": 1e300}, str(FAR), str(FAR), False),
    ({**INTEGER, "missing": 0.5}, "", "null", True),
    ({**INTEGER, "missing": 0.5}, "", '""', True),
    ({**INTEGER, "missing": 0.5}, "1.5", "1.5", False),
    ({**INTEGER, "role": "id"}, "7.0", "7.0", True),
    ({**INTEGER, "role": "id"}, "7.5", "7.5", False),
    (NUMBER, "1", "1", True),
    (NUMBER, "1.0", "1.0", True),
    (NUMBER, "-1e-3", "-1e-3", True),
    (NUMBER, "1e-400", "1e-400", True),
    (NUMBER, str(FAR + 1), str(FAR + 1), True),
    (NUMBER, "1e400", "1e400", False),
    (NUMBER, "9" * 400, "9" * 400, False),
    (NUMBER, "NaN", "NaN", False),
    (NUMBER, "-Infinity", "-Infinity", False),
    (NUMBER, "true", "true", False),
    (NUMBER, "", "null", False),
    (NUMBER, "", '""', False),
    ({**NUMBER, "missing": 0.5}, "", "null", True),
    ({**NUMBER, "missing": 0.5}, "", '""', True),
    ({**NUMBER, "min": 0, "max": 0.3}, "0.3", "0.3", True),
    ({**NUMBER, "min": 0, "max": 0.3}, "0.30000000000000004", "0.30000000000000004", False),
    ({**NUMBER, "min": 0}, "-0.0", "-0.0", True),
    (CODES, "1", '"1"', True),
    (CODES, "1", "1", True),
    (CODES, "1.0", "1.0", True),
    (CODES, "1.0", '"1.0"', True),
    (CODES, "0.0", "0.0", True),
    (CODES, "2.5", "2.5", True),
    (CODES, "2", "2", False),
    (CODES, "2.0", "2.0", False),
    (CODES, "true", "true", False),
    (CODES, "NaN", "NaN", False),
    (CODES, "nan", '"nan"', False),
    (CODES, " 1", '" 1"', False),
    (CODES, "", "null", False),
    (CODES, "", '""', False),
    ({**CODES, "missing": 0.5}, "", '""', True),
    (EXACT_CODES, "1.0", "1.0", True),
    (EXACT_CODES, "1", "1", False),
    (EXACT_CODES, "1", '"1"', False),
    (EXACT_CODES, "2.0", "2.0", True),
    (FLAGS, "True", "true", True),
    (FLAGS, "False", "false", True),
    (FLAGS, "1", "1", False),
    (TEXT, "a", '"a"', True),
    (TEXT, "1.0", '"1.0"', True),
    (TEXT, "12", '"12"', True),
    (TEXT, "NaN", '"NaN"', True),
    (TEXT, " ", '" "', True),
    (TEXT, "", "null", False),
    (TEXT, "", '""', False),
    ({**TEXT, "missing": 0.5}, "", '""', True),
    (TEXT, "x" * 10_000, f'"{"x" * 10_000}"', True),
    (TEXT, "x" * 10_001, f'"{"x" * 10_001}"', False),
]


def contract_of(column: dict[str, Any]) -> Contract:
    return Contract.model_validate(
        {"min_rows": 10, "columns": {"other": NUMBER, "x": column, "y": TARGET}}
    )


def in_a_file(contract: Contract, field: str, folder: Path) -> tuple[bool, Any]:
    """The verdict on a field of a CSV file, and the value that the model gets."""
    path = folder / "rows.csv"
    path.write_text(f'other,x\n1,"{field}"\n', encoding="utf-8")
    [chunk] = csv_rows.chunks(path, 10)
    typed, unread = contract.typed(chunk.frame(["other", "x"]))
    return contract.failure_cases(typed, unread).empty, typed["x"].iloc[0]


def in_a_request(contract: Contract, value: str) -> tuple[bool, Any]:
    """The verdict on a value of a request, and the value that the model gets."""
    try:
        [row] = Requests(contract).read(f'{{"rows": [{{"other": 1, "x": {value}}}]}}'.encode())
    except RequestError as error:
        assert all(fault.field in ("x", None) for fault in error.faults)
        return False, None
    return True, row["x"]


@pytest.mark.parametrize(
    ("column", "field", "value", "passes"),
    TABLE,
    ids=[f"{column['kind']} {field[:20]} {value[:20]}" for column, field, value, _ in TABLE],
)
def test_a_file_and_a_request_have_one_verdict(tmp_path, column, field, value, passes):
    contract = contract_of(column)
    filed, from_file = in_a_file(contract, field, tmp_path)
    requested, from_request = in_a_request(contract, value)
    assert (filed, requested) == (passes, passes)
    if passes:
        missing = from_request is None
        assert pd.isna(from_file) if missing else from_file == from_request


def read(kind: str, values: list[Any]) -> tuple[list[Any], list[bool]]:
    """The values of a column, and which of them cannot be read."""
    column = {"kind": kind, "role": "ignored", "missing": 0.9}
    typed, unread = contract_of(column).typed(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    return typed["x"].tolist(), unread["x"].tolist()


DATES = [
    "2024-01-01T00:00:00.123456789",
    "9999-12-31",
    "9999-12-31T23:59:59.999999999",
    "9999-12-31T23:59:59-05:00",  # in UTC, a year that ISO 8601 does not have
    "0001-01-01",
    "2024-01-01T10:00:00+02:00",
    "2024-01-01T10:00:00Z",
    "2024-01",
    "20240131",
    "2024",
    2024,
    "2024-02-30",
    "now",
    "today",
    "",
    20.5,
    pd.Timestamp("2024-01-01T00:00:00.000000001"),
    datetime.date(1500, 1, 1),
    datetime.datetime(9999, 12, 31),
    None,
    True,
    [2024],
]
NUMBERS = [
    *("1", "1.5", " 2 ", "18446744073709551615", "-1", "9" * 400, "1e400", "nan", "True", "1_0"),
    *("", True, np.bool_(False), 2**64, -1, 1.5, None, [1], "0x10"),
]
TEXTS = ["1.0", 1.0, 1, "1", "", None, True, "a", 1.5, "nan", [1]]


@pytest.mark.parametrize(
    ("kind", "values"), [("date", DATES), ("number", NUMBERS), ("text", TEXTS)]
)
def test_the_kind_of_a_value_does_not_depend_on_other_rows(kind, values):
    alone = [read(kind, [value]) for value in values]
    expected = [found for [found], _ in alone], [unread for _, [unread] in alone]
    for order in (values, values[::-1]):
        found, unread = read(kind, order)
        turned = [each[::-1] if order != values else each for each in (found, unread)]
        pd.testing.assert_series_equal(pd.Series(turned[0]), pd.Series(expected[0]))
        assert turned[1] == expected[1]


def test_which_dates_can_be_read():
    unread = {str(value) for value, bad in zip(DATES, read("date", DATES)[1], strict=True) if bad}
    assert unread == {
        *("9999-12-31T23:59:59-05:00", "2024-02-30", "now", "today", "20.5", "True", "[2024]")
    }


@pytest.mark.parametrize("values", [[True, False], pd.array([True, False], dtype="boolean")])
def test_true_and_false_are_no_numbers(values):
    frame = pd.DataFrame({"x": values})
    assert contract_of(NUMBER).typed(frame)[1]["x"].all()


def test_a_column_of_dates_is_read_whatever_unit_it_has():
    for unit in ("s", "ms", "us", "ns"):
        frame = pd.DataFrame({"x": pd.to_datetime(["2024-01-01", None]).as_unit(unit)})
        typed, unread = contract_of({"kind": "date", "role": "ignored"}).typed(frame)
        assert typed["x"].dtype == "datetime64[us]"
        assert unread["x"].tolist() == [False, False]
