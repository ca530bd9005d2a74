"""What the data contract says, word for word, and where each of its limits lies."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
import yaml
from mlops_platform.core.errors import UsageError
from mlops_platform.data import check, rows, values
from mlops_platform.data.columns import EXACT, Column
from mlops_platform.data.contract import Contract, load_contract, require_split
from mlops_platform.data.source import Source
from mlops_platform.evidence import Finding
from mlops_platform.settings import Split

NUMBER, INTEGER, TEXT = {"kind": "number"}, {"kind": "integer"}, {"kind": "text"}
DAY = datetime.date(2024, 1, 1)
DATE = {"kind": "date", "role": "time"}
TARGET = {"kind": "category", "values": ["no", "yes"], "positive": "yes", "role": "target"}
LETTERS = {"kind": "category", "values": ["a", "b"]}


def contract_of(derived: dict | None = None, **columns: dict) -> Contract:
    return Contract.model_validate(
        {"min_rows": 10, "columns": {**columns, "y": TARGET}, "derived": derived or {}}
    )


def column_of(x: dict) -> Contract:
    return contract_of(size=NUMBER, x=x)


def frame_of(rows: int = 12, **columns: list) -> pd.DataFrame:
    return pd.DataFrame({**columns, "y": ["no"] * rows}, dtype=object)


def found(contract: Contract, frame: pd.DataFrame) -> list[tuple[str, str, int, str]]:
    return [(f.column, f.rule, f.rows, f.message) for f in contract.check(frame)]


# ---------------------------------------------------------------- what conf/data.yml may say

BOUNDED = "`min` and `max` are only allowed for numbers and dates"
OF_KIND = "`min` and `max` must have the column's kind: a number, or a date as 2024-12-31"
CATEGORY = "`values` is required for `kind: category`, and only allowed there"


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ({"kind": "category"}, CATEGORY),
        ({"kind": "category", "values": []}, CATEGORY),
        ({"kind": "text", "values": ["a"]}, CATEGORY),
        ({**LETTERS, "values": ["a", "b", "a"]}, "`values` has a duplicate value"),
        ({**LETTERS, "max": 1}, BOUNDED),
        ({**TEXT, "min": 1}, BOUNDED),
        ({**NUMBER, "min": 1, "max": DAY}, OF_KIND),
        ({**DATE, "min": 2024}, OF_KIND),
        ({**INTEGER, "min": 2, "max": 1}, "`min` is above `max`"),
        ({**DATE, "min": DAY, "max": datetime.date(2023, 1, 1)}, "`min` is above `max`"),
        (
            {"kind": "date"},
            "a date cannot be a feature; give it `role: input`, and derive numbers from it in "
            "derive() of data.py",
        ),
        ({**TEXT, "role": "id", "missing": 0.1}, "`missing` is not allowed for `role: id`"),
        ({**DATE, "missing": 0.1}, "`missing` is not allowed for `role: time`"),
        ({**TARGET, "missing": 0.1}, "`missing` is not allowed for `role: target`"),
        (
            {**TEXT, "role": "time"},
            "`role: time` needs a date or an integer (for example, a year)",
        ),
        (
            {**NUMBER, "role": "time"},
            "`role: time` needs a date or an integer (for example, a year)",
        ),
        ({**TEXT, "role": "group", "missing": 0.1}, "`missing` is not allowed for `role: group`"),
        ({**NUMBER, "role": "group"}, "`role: group` needs a text, an integer or a category"),
        (
            {**INTEGER, "role": "sensitive"},
            "`role: sensitive` needs a category; bin numbers in derive() of data.py",
        ),
        ({**LETTERS, "positive": "c"}, "`positive` is not one of `values`"),
        ({**NUMBER, "positive": "c"}, "`positive` is not one of `values`"),
    ],
)
def test_what_a_column_cannot_be(column, says):
    with pytest.raises(pydantic.ValidationError) as refused:
        Column.model_validate(column)
    assert [fault["msg"] for fault in refused.value.errors()] == [f"Value error, {says}"]


@pytest.mark.parametrize(
    "column",
    [
        {**NUMBER, "min": 1, "max": 1},
        {**INTEGER, "role": "time"},
        {**INTEGER, "role": "group"},
        {**LETTERS, "role": "group"},
        {**TEXT, "role": "group"},
        {**INTEGER, "min": 0},
        {"kind": "date", "role": "time", "max": DAY},
        {"kind": "date", "role": "input", "min": DAY, "max": DAY, "missing": 0.5},
        {**LETTERS, "role": "sensitive", "missing": 0.1},
        {**NUMBER, "missing": 0.99},
    ],
)
def test_what_a_column_can_be(column):
    read = Column.model_validate(column)
    assert {name: getattr(read, name) for name in column} == column


ONE_TARGET = "exactly one column must have `role: target`, found "


@pytest.mark.parametrize(
    ("columns", "derived", "says"),
    [
        ({"x": NUMBER, "z": TARGET}, {}, f"{ONE_TARGET}2"),
        ({"x": {**TEXT, "role": "ignored"}}, {}, "at least one column must be a feature"),
        (
            {"x": NUMBER, "i": {**TEXT, "role": "id"}, "j": {**TEXT, "role": "id"}},
            {},
            "at most one column can have `role: id`, found 2",
        ),
        (
            {"x": NUMBER, "s": DATE, "t": DATE, "u": DATE},
            {},
            "at most one column can have `role: time`, found 3",
        ),
        (
            {"x": NUMBER, "f": {**TEXT, "role": "group"}, "g": {**TEXT, "role": "group"}},
            {},
            "at most one column can have `role: group`, found 2",
        ),
        (
            {"x": NUMBER},
            {"x": NUMBER},
            "`x` is in `columns` and in `derived`; give it two names",
        ),
        *(
            (
                {"x": NUMBER},
                {"d": {**column, "role": role}},
                f"`derived`, column `d`: `role: {role}` is for columns that a file has; a derived "
                "one is a feature, time, group, sensitive or ignored",
            )
            for role, column in (("input", NUMBER), ("target", LETTERS), ("id", TEXT))
        ),
        (
            {"x": NUMBER, "d": {"kind": "date", "role": "input"}},
            {},
            "`d` has `role: input`, and nothing is derived from it; add the columns that derive() "
            "of data.py returns under `derived`",
        ),
    ],
)
def test_what_columns_cannot_be_together(columns, derived, says):
    with pytest.raises(pydantic.ValidationError) as refused:
        contract_of(derived, **columns)
    assert [fault["msg"] for fault in refused.value.errors()] == [f"Value error, {says}"]


def test_a_contract_without_a_target_or_with_few_rows_is_refused():
    with pytest.raises(pydantic.ValidationError, match=f"{ONE_TARGET}0"):
        Contract.model_validate({"min_rows": 10, "columns": {"x": NUMBER}})
    with pytest.raises(pydantic.ValidationError, match="min_rows"):
        Contract.model_validate({"min_rows": 9, "columns": {"x": NUMBER, "y": TARGET}})


def test_the_roles_and_kinds_of_columns():
    inputs = {"kind": "date", "role": "input"}
    contract = contract_of(
        {"hour": INTEGER, "band": {**LETTERS, "role": "sensitive"}},
        i={**TEXT, "role": "id"},
        n=NUMBER,
        k=LETTERS,
        note=TEXT,
        at=inputs,
        spare={**NUMBER, "role": "ignored"},
        t=DATE,
    )
    assert list(contract.columns) == [
        "i",
        "n",
        "k",
        "note",
        "at",
        "spare",
        "t",
        "y",
        "hour",
        "band",
    ]
    assert contract.target == "y"
    assert contract.features == ["n", "k", "note", "hour"]
    assert contract.numeric_features == ["n", "hour"]
    assert contract.categorical_features == ["k"]
    assert contract.text_features == ["note"]
    assert contract.requested == ["n", "k", "note", "at"]
    assert contract.required_columns(scoring=True) == contract.requested
    assert contract.required_columns(scoring=False) == list(contract.raw)
    assert contract.labels == ["no", "yes"]
    first = Contract.model_validate(
        {"min_rows": 10, "columns": {"x": NUMBER, "y": {**TARGET, "positive": "no"}}}
    )
    assert first.labels == ["yes", "no"]
    number = Contract.model_validate(
        {"min_rows": 10, "columns": {"x": NUMBER, "y": {**NUMBER, "role": "target"}}}
    )
    assert number.labels == []


@pytest.mark.parametrize(
    ("target", "task", "says"),
    [
        (
            {**TARGET, "values": ["yes"]},
            "classification",
            "`: classification needs `kind: category` with at least two `values`.",
        ),
        (
            {**TARGET, "positive": None},
            "classification",
            ".positive`: set it if there are two classes; remove it if there are more.",
        ),
        (
            {**TARGET, "values": ["yes", "no", "?"]},
            "classification",
            ".positive`: set it if there are two classes; remove it if there are more.",
        ),
        (TARGET, "regression", ".kind`: regression needs a number, got 'category'."),
    ],
)
def test_what_the_target_of_a_task_cannot_be(tmp_path, target, task, says):
    path = write(tmp_path, target)
    with pytest.raises(UsageError) as refused:
        load_contract(path, task)
    assert str(refused.value) == f"{path}, field `columns.y{says}"


@pytest.mark.parametrize(
    ("target", "task"),
    [
        (TARGET, "classification"),
        ({**TARGET, "values": ["a", "b", "c"], "positive": None}, "classification"),
        ({**NUMBER, "role": "target"}, "regression"),
        ({**INTEGER, "role": "target"}, "regression"),
    ],
)
def test_what_the_target_of_a_task_can_be(tmp_path, target, task):
    assert load_contract(write(tmp_path, target), task).target == "y"


def test_a_fault_in_the_file_names_the_file_and_the_field(tmp_path):
    path = write(tmp_path, {**TARGET, "kind": "words"})
    with pytest.raises(UsageError) as refused:
        load_contract(path, "classification")
    assert str(refused.value).startswith(f"{path}, field `columns.y.kind`: ")


def test_the_codes_of_groups():
    house = contract_of(x=NUMBER, house={**TEXT, "role": "group"})
    frame = pd.DataFrame({"x": [1, 1, 1], "house": ["b", "a", "b"]})
    assert house.group_codes(frame).tolist() == [0, 1, 0]
    assert contract_of(x=NUMBER).group_codes(frame) is None


def split(by: str) -> Split:
    return Split.model_validate({"by": by, "validation": 0.2, "test": 0.2})


@pytest.mark.parametrize("by", ["time", "id", "group"])
def test_a_split_needs_its_column(by):
    with pytest.raises(UsageError) as refused:
        require_split(split(by), contract_of(x=NUMBER), Path("conf/train.yml"))
    assert str(refused.value) == (
        f"{Path('conf/train.yml')}, field `split.by`: '{by}' needs a column with `role: {by}` in "
        "conf/data.yml."
    )
    kind = DATE if by == "time" else {**TEXT, "role": by}
    require_split(split(by), contract_of(x=NUMBER, z=kind), Path("conf/train.yml"))
    require_split(split("random"), contract_of(x=NUMBER, t=DATE), Path("conf/train.yml"))


@pytest.mark.parametrize("by", ["id", "random"])
def test_a_split_must_not_part_a_group(by):
    columns = {"house": {**TEXT, "role": "group"}, "i": {**TEXT, "role": "id"}, "t": DATE}
    contract = contract_of(x=NUMBER, **columns)
    with pytest.raises(UsageError) as refused:
        require_split(split(by), contract, Path("conf/train.yml"))
    assert str(refused.value) == (
        f"{Path('conf/train.yml')}, field `split.by`: '{by}' puts rows of one `house`, which has "
        "`role: group` in conf/data.yml, into several parts. Write `by: group`, or give the "
        "column `role: ignored`."
    )
    for allowed in ("group", "time"):
        require_split(split(allowed), contract, Path("conf/train.yml"))


def write(folder: Path, target: dict) -> Path:
    path = folder / "data.yml"
    path.write_text(yaml.safe_dump({"min_rows": 10, "columns": {"x": NUMBER, "y": target}}))
    return path


# ---------------------------------------------------------------- what a file may hold


@pytest.mark.parametrize(("name", "sign"), [("a;y", "';'"), ("a|y", "'|'"), ("a\ty", r"'\t'")])
def test_the_sign_between_the_columns_is_named(name, sign):
    message = (
        f"the columns are separated by {sign}: write it as `separator` in `source:` of "
        "conf/data.yml, or set `sep` where data.py reads the file"
    )
    frame = pd.DataFrame({name: ["1"] * 12})
    assert found(column_of(NUMBER), frame) == [("(file)", "columns", 12, message)]
    with_other = frame.assign(size=1)
    assert {each[1] for each in found(column_of(NUMBER), with_other)} == {"present", "known"}


def test_a_file_of_one_column_whose_name_has_a_sign_is_read():
    contract = Contract.model_validate(
        {
            "min_rows": 10,
            "columns": {"a;b": {**NUMBER, "role": "ignored"}, "x": NUMBER, "y": TARGET},
        }
    )
    frame = pd.DataFrame({"a;b": ["1"] * 12})
    assert [each[:2] for each in found(contract, frame)] == [("x", "present"), ("y", "present")]


def test_what_is_said_of_the_columns_of_a_file():
    contract = contract_of({"d": NUMBER}, size=NUMBER, x=NUMBER)
    good = frame_of(size=[1] * 12, x=[1] * 12)
    assert found(contract, good) == []
    headless = good.set_axis(["1", "2", "no"], axis=1).assign(more=1)
    assert found(contract, headless) == [
        (
            *("(file)", "columns", 12),
            "no column of conf/data.yml is there, but `1`, `2`, `no`: write the column names in "
            "the first line",
        )
    ]
    assert found(contract, good[["y"]]) == [
        ("size", "present", 12, "the column is missing"),
        ("x", "present", 12, "the column is missing"),
    ]
    assert contract.check_columns(good[["size", "x"]], scoring=True) == []
    assert [each.column for each in contract.check_columns(good[["size", "x"]])] == ["y"]
    assert [each[1] for each in found(contract, good[["y"]].set_axis(["z"], axis=1))] == [
        *["present"] * 3,
        "known",
    ]
    assert [each[1] for each in found(contract, headless[["1", "2"]])] == ["columns"]
    thrice = pd.concat([good, good[["x"]], good[["x"]]], axis=1)
    assert found(contract, thrice) == [("x", "once", 12, "appears 3 times")]
    assert found(contract, good.rename(columns={"x": " X "})) == [
        (" X ", "named", 12, "is `x` but for spaces or capital letters: rename it")
    ]
    for name, column, rule, message in (
        (
            *("x.1", "x", "once"),
            "is twice in the header (pandas calls the second `x.1`): rename or drop one",
        ),
        (
            *("Unnamed: 3", "Unnamed: 3", "named"),
            "has no name in the header: write one, or remove the comma too many",
        ),
        ("d", "d", "known", "is derived, by derive() of data.py: remove it from the file"),
        *(
            (
                *(name, name, "known"),
                "is not in conf/data.yml: add it there (`role: ignored`), or drop it",
            )
            for name in ("new", "z.1")
        ),
    ):
        assert found(contract, good.assign(**{name: 1})) == [(column, rule, 12, message)]


def test_a_column_is_known_by_its_name_in_small_letters_and_large_ones():
    contract = contract_of(Size=NUMBER)
    assert found(contract, frame_of(SIZE=[1] * 12))[0][3].startswith("is `Size` but for")


def test_too_few_rows_are_counted():
    contract = contract_of(x=NUMBER)
    assert found(contract, frame_of(10, x=[1] * 10)) == []
    for number, counted in ((9, "9 rows"), (1, "1 row"), (0, "0 rows")):
        message = f"{counted}, at least 10 are needed"
        assert found(contract, frame_of(number, x=[1] * number)) == [
            ("(file)", "min_rows", number, message)
        ]


@pytest.mark.parametrize(
    ("column", "odd", "usual", "rule", "message"),
    [
        (
            NUMBER,
            ["many"],
            "1",
            "is a number",
            "1 row violates `is a number`; the first is row 1 with 'many'",
        ),
        (
            *(NUMBER, [[1, 2]], "1", "is a number"),
            "1 row violates `is a number`; the first is row 1 with '[1, 2]'",
        ),
        (
            *(NUMBER, [None, None], "1", "is not missing"),
            "2 rows violate `is not missing`; the first is row 1",
        ),
        (
            *(LETTERS, ["a", " b", "B"], "b", "one of a, b"),
            "2 rows violate `one of a, b`; the first is row 2 with ' b'; remove the spaces around "
            "it",
        ),
        (
            *({**TEXT, "role": "id"}, list("abcdefghij"), "k", "is unique"),
            "2 rows violate `is unique`; the first is row 11 with 'k'",
        ),
        (
            *(TEXT, ["x" * 10_001], "a", "at most 10000 letters"),
            f"1 row violates `at most 10000 letters`; the first is row 1 with '{'x' * 60}'",
        ),
        (
            *(INTEGER, [str(EXACT + 1)], "1", f"is between -{EXACT} and {EXACT}"),
            f"1 row violates `is between -{EXACT} and {EXACT}`; the first is row 1 with "
            f"'{EXACT + 1}'",
        ),
        (
            *({**NUMBER, "min": 2, "max": 3}, ["1.5", "2", "3"], "2.5", "at least 2.0"),
            "1 row violates `at least 2.0`; the first is row 1 with '1.5'",
        ),
        (
            *({**NUMBER, "min": 2, "max": 3}, ["2", "3", "3.5"], "2.5", "at most 3.0"),
            "1 row violates `at most 3.0`; the first is row 3 with '3.5'",
        ),
        (
            *({**DATE, "min": DAY}, ["2023-12-31"], "2024-01-01", "at least 2024-01-01"),
            "1 row violates `at least 2024-01-01`; the first is row 1 with '2023-12-31'",
        ),
        (
            *({**DATE, "max": DAY}, ["2024-01-01T01:00"], "2024-01-01", "at most 2024-01-01"),
            "1 row violates `at most 2024-01-01`; the first is row 1 with '2024-01-01T01:00'",
        ),
    ],
)
def test_what_is_said_of_values(column, odd, usual, rule, message):
    given = [*odd, *[usual] * (12 - len(odd))]
    [each] = found(contract_of(size=NUMBER, x=column), frame_of(size=[1] * 12, x=given))
    assert (each[0], each[1], each[3]) == ("x", rule, message)
    assert f"{each[2]} row" in message


def test_rows_are_counted_by_position_whatever_their_labels_are():
    frame = frame_of(x=["1"] * 11 + ["many"]).set_axis(list("abcdefghijkl"), axis=0)
    for labels in (frame, frame.rename_axis("x")):
        [each] = found(contract_of(x=NUMBER), labels)
        assert each[3].endswith("the first is row 12 with 'many'")
    assert all(len(part) == 12 for part in contract_of(x=NUMBER).typed(frame[[]]))


def test_a_file_that_a_source_describes_is_read_so():
    source = {"separator": ";", "decimal": ",", "date_format": "%d.%m.%Y"}
    contract = contract_of(x=NUMBER, t=DATE)
    contract = contract.model_copy(update={"source": Source.model_validate(source)})
    frame = frame_of(x=["1,5"] * 12, t=["31.12.2024"] * 12)
    assert found(contract, frame) == []
    assert contract.typed(frame)[0]["x"].tolist() == [1.5] * 12
    assert contract.typed(frame, Source())[1][["x", "t"]].all(axis=None)
    [one, other] = found(contract, frame.assign(x=["1.5"] * 12, t=["2024-12-31"] * 12))
    assert one[3].endswith("and no point")
    assert other[3].endswith("of conf/data.yml says")


def test_a_missing_target_says_how_to_drop_its_rows():
    frame = frame_of(x=[1] * 12)
    frame.loc[2, "y"] = None
    message = (
        "1 row violates `is not missing`; the first is row 3; to drop rows without a target, "
        "write `rows_without_target: drop` in conf/data.yml"
    )
    assert found(contract_of(x=NUMBER), frame) == [("y", "is not missing", 1, message)]


def test_too_many_missing_values_are_a_share_and_a_count():
    given = [None] * 4 + ["many"] + ["1"] * 7
    column = {**NUMBER, "missing": 0.25}
    contract, frame = contract_of(size=NUMBER, x=column), frame_of(size=[1] * 12, x=given)
    assert found(contract, frame) == [
        ("x", "is a number", 1, "1 row violates `is a number`; the first is row 5 with 'many'"),
        ("x", "missing", 5, "33.3% of the values are missing, at most 25.0% allowed"),
    ]
    given[3] = "1"  # as many as allowed, and the one that cannot be read is not missing
    [only] = found(contract, frame.assign(x=given))
    assert only[1] == "is a number"
    ignored = {**column, "role": "ignored"}
    assert found(contract_of(size=NUMBER, x=ignored), frame_of(size=[1] * 12, x=[None] * 12)) == []


def test_the_cases_of_failure():
    contract = contract_of(x={**INTEGER, "max": 5}, k=LETTERS)
    frame = pd.DataFrame(
        {"x": ["1", "q", "2.5", "9", None, "r"], "k": ["a", "a", "c", "b", "b", "b"]},
        index=[10, 11, 12, 13, 14, 15],
        dtype=object,
    )
    cases = contract.failure_cases(*contract.typed(frame))
    assert list(cases.columns) == ["row", "column", "rule", "value"]
    assert cases.loc[0].tolist() == [11, "x", "is a integer", "(unreadable)"]
    assert cases.index.tolist() == list(range(6))
    assert {tuple(each) for each in cases[["row", "column", "rule"]].to_numpy()} == {
        (11, "x", "is a integer"),
        (15, "x", "is a integer"),
        (14, "x", "is not missing"),
        (12, "x", "is a whole number"),
        (13, "x", "at most 5.0"),
        (12, "k", "one of a, b"),
    }
    assert cases.set_index("rule").loc["one of a, b", "value"] == "c"
    good = contract.typed(frame.iloc[:1])
    assert contract.failure_cases(*good).empty
    assert list(contract.failure_cases(*good).columns) == ["row", "column", "rule", "value"]


def test_a_target_that_does_not_vary():
    contract = contract_of(x=NUMBER)
    frame = frame_of(x=[1] * 12)
    [same] = check_target(contract, frame)
    message = "is 'no' in every row: there is nothing to learn; add rows of another one"
    assert (same.column, same.rule, same.rows, same.message) == ("y", "varies", 12, message)
    frame.loc[3, "y"] = "yes"
    assert check_target(contract, frame) == []


def check_target(contract: Contract, frame: pd.DataFrame) -> list[Finding]:
    checked = check.Check(contract)
    checked.add(frame)
    return checked.target_findings()


def test_the_rules_of_a_column():
    needed = rows.checks_of(Column.model_validate(NUMBER))
    assert (needed.nullable, needed.unique, needed.required, needed.checks) == (False,) * 2 + (
        *(True, []),
    )
    spare = rows.checks_of(Column.model_validate({**NUMBER, "missing": 0.1}))
    assert spare.nullable


# ---------------------------------------------------------------- how values are read


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("2024-01-01", ""),
        ("2024-12-31", ""),
        ("2023-12-31T23:59:59", "Input should be 2024-01-01 or later"),
        ("2024-12-31T00:00:01", "Input should be 2024-12-31 or earlier"),
        ("31.12.2024", "Input should be a date such as 2024-12-31"),
    ],
)
def test_what_a_request_says_of_a_date(value, says):
    assert values.date_fault(value, DAY, datetime.date(2024, 12, 31)) == says
    if says.endswith(("later", "earlier")):
        assert values.date_fault(value, None, None) == ""


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (pd.Series(["", "a", None]), [True, False, True]),
        (pd.Series(["", 1, None], dtype=object), [True, False, True]),
        (pd.Series([0.0, 1.0]), [False, False]),
        (pd.Series([[], ()], dtype=object), [False, False]),
    ],
)
def test_an_empty_text_is_missing(raw, read):
    assert values.without_empty(raw).isna().tolist() == read


def test_numbers_are_read_from_columns_of_all_types():
    whole = pd.Series([1.5, np.nan])
    assert values.numbers(whole) is whole
    assert values.numbers(pd.Series([np.inf, -np.inf, 1.0])).isna().tolist() == [True, True, False]
    for flags in (pd.Series([True, False], index=[3, 4]), pd.Series([True], dtype="boolean")):
        read = values.numbers(flags)
        assert read.isna().all() and read.index.equals(flags.index) and read.dtype == np.float64
    assert values.numbers(pd.Series([1, 2], dtype="int64")).dtype == np.float64
    for given in ("object", "str"):
        read = values.numbers(pd.Series(["1,5", "1.5", "1.000,5", None], dtype=given), ",")
        assert read.isna().tolist() == [False, True, True, True] and read[0] == 1.5
    mixed = pd.Series(["1,5", 2.5, True, np.bool_(True), None], dtype=object)
    assert values.numbers(mixed, ",").tolist()[:2] == [1.5, 2.5]
    assert values.numbers(mixed, ",").isna().tolist() == [False, False, True, True, True]
    assert values.numbers(pd.Series([1.5], dtype="float32"), ",").tolist() == [1.5]


def test_dates_are_read_as_they_are_written():
    column = Column.model_validate(DATE)
    raw = pd.Series(["31.12.2024", DAY, "2024-12-31", 20.5, None, True], dtype=object)
    read, unread = values.convert(raw, column, Source(date_format="%d.%m.%Y"))
    assert read.dtype == "datetime64[us]"
    assert read.tolist()[:2] == [pd.Timestamp("2024-12-31"), pd.Timestamp(DAY)]
    assert unread.tolist() == [False, False, True, True, False, True]
    day = pd.Series(pd.to_datetime(["2024-05-04T10:00+02:00"]))
    for written in (None, "%d.%m.%Y"):
        assert values.dates(day, written).tolist() == [pd.Timestamp("2024-05-04T08:00")]
    zoned = pd.Series(["04.05.2024 10:00 +0200"])
    assert values.dates(zoned, "%d.%m.%Y %H:%M %z").tolist() == [pd.Timestamp("2024-05-04T08:00")]


def test_fractions_of_a_second_end_at_microseconds():
    raw = pd.Series(["2024-01-01T00:00:00.123456789", "2024-01-01T00:00:00.1234565"])
    assert values.dates(raw).dt.microsecond.tolist() == [123456, 123456]
    last = pd.Series(["9999-12-31T23:59:59.999999", " 2024-01-01"])
    assert values.dates(last).tolist() == [values.LAST, pd.Timestamp(DAY)]


# ---------------------------------------------------------------- what a request may hold


def row_of(**columns: dict) -> type[pydantic.BaseModel]:
    return contract_of(**columns).request_row()


def test_the_schema_of_a_row():
    row = row_of(
        size={**NUMBER, "min": 0.5, "max": 2},
        beds={**INTEGER, "missing": 0.2, "about": "Beds, without the sofa"},
        i={**TEXT, "role": "id"},
        note=TEXT,
        spare={**NUMBER, "role": "ignored"},
        k=LETTERS,
    )
    text = {"maxLength": 10_000, "type": "string"}
    whole = {"maximum": EXACT, "minimum": -EXACT, "type": "integer"}
    assert row.model_json_schema() == {
        "additionalProperties": False,
        "properties": {
            "i": {"anyOf": [text, {"type": "null"}], "default": None, "title": "i"},
            "size": {"maximum": 2.0, "minimum": 0.5, "title": "size", "type": "number"},
            "beds": {
                "anyOf": [whole, {"type": "null"}],
                "default": None,
                "description": "Beds, without the sofa",
                "title": "beds",
            },
            "note": {**text, "title": "note"},
            "k": {"enum": ["a", "b"], "title": "k", "type": "string"},
        },
        "required": ["size", "note", "k"],
        "title": "Row",
        "type": "object",
    }


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ({"min": 0.5, "max": 2.5}, 1, 2),
        ({"min": -2.5, "max": -0.5}, -2, -1),
        ({"min": 0, "max": 0}, 0, 0),
        ({"min": -1e300, "max": 1e300}, -EXACT, EXACT),
        ({}, -EXACT, EXACT),
    ],
)
def test_the_limits_of_an_integer(column, low, high):
    schema = row_of(x={**INTEGER, **column}).model_json_schema()["properties"]["x"]
    assert (schema["minimum"], schema["maximum"]) == (low, high)


def faults(row: type[pydantic.BaseModel], **given: Any) -> list[str]:
    try:
        row.model_validate(given)
    except pydantic.ValidationError as refused:
        return [fault["msg"] for fault in refused.errors()]
    return []


def test_a_date_of_a_request_is_judged_as_one_of_a_file():
    row = contract_of({"d": NUMBER}, at={"kind": "date", "role": "input", "min": DAY}).request_row()
    assert faults(row, at="2024-01-01") == []
    assert faults(row, at="2023-01-01") == ["Input should be 2024-01-01 or later"]
    row_to = contract_of({"d": NUMBER}, at={"kind": "date", "role": "input", "max": DAY})
    with pytest.raises(pydantic.ValidationError) as refused:
        row_to.request_row().model_validate({"at": "2024-01-02"})
    [fault] = refused.value.errors()
    assert (fault["type"], fault["msg"]) == ("date", "Input should be 2024-01-01 or earlier")
    assert faults(row, at="x" * 10_001) == ["String should have at most 10000 characters"]
    assert row.model_validate({"at": "2024-06-01"}).model_dump(by_alias=True) == {
        "at": "2024-06-01"
    }


def test_a_request_is_strict_and_holds_no_other_field():
    row = row_of(x=NUMBER)
    assert faults(row, x=1.5) == []
    assert faults(row, x="1.5") == ["Input should be a valid number"]
    assert faults(row, x=float("inf")) == ["Input should be a finite number"]
    assert faults(row, x=1, z=1) == ["Extra inputs are not permitted"]
    assert faults(row) == ["Field required"]
    assert faults(row, x="") == ["Input should be a valid number"]
    assert faults(row_of(x={**NUMBER, "missing": 0.1}), x="") == []
    odd = row_of(k={"kind": "category", "values": ["nan", "[]"]})
    for value in (float("nan"), []):
        assert faults(odd, k=value) == ["Input should be 'nan' or '[]'"]
    assert faults(odd, k="nan") == []
