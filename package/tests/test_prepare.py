"""The split: correct shares, reproducible, and without leakage into the test set."""

import json

import pandas as pd
import pytest
import yaml
from credit_risk import sample
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import hash_path
from mlops_platform.steps import prepare

PARTS = prepare.PARTS


def split(workspace, rows: pd.DataFrame, out: str = "out", **fields) -> dict[str, pd.DataFrame]:
    """Split rows by the given settings; the parts by name."""
    path = workspace.conf / "train.yml"
    settings = yaml.safe_load(path.read_text())
    settings["split"] |= fields
    workspace.change("train.yml", split=settings["split"])
    rows.to_csv(workspace.raw / "credit.csv", index=False)
    prepare.run(workspace.conf, workspace.raw, workspace.root / out)
    return {part: pd.read_parquet(workspace.root / out / f"{part}.parquet") for part in PARTS}


def ids(parts: dict[str, pd.DataFrame]) -> dict[str, set[str]]:
    return {name: set(part["loan_id"]) for name, part in parts.items()}


@pytest.mark.parametrize("by", ["time", "id", "random"])
def test_every_row_goes_to_one_part_and_shares_are_near(workspace, by):
    rows = sample.make(1500)
    parts = split(workspace, rows, by=by, validation=0.15, test=0.25)
    assert sum(len(part) for part in parts.values()) == len(rows)
    assert set.union(*ids(parts).values()) == set(rows["loan_id"])
    shares = {name: len(part) / len(rows) for name, part in parts.items()}
    expected = {"train": 0.6, "validation": 0.15, "test": 0.25}
    assert shares == pytest.approx(expected, abs=0.001 if by == "random" else 0.04)


@pytest.mark.parametrize("by", ["time", "id", "random"])
def test_the_same_rows_are_divided_the_same_bit_for_bit(workspace, by):
    rows = sample.make(600)
    split(workspace, rows, "one", by=by)
    split(workspace, rows, "two", by=by)
    assert hash_path(workspace.root / "one") == hash_path(workspace.root / "two")


@pytest.mark.parametrize("by", ["time", "id"])
def test_the_order_of_rows_does_not_matter(workspace, by):
    rows = sample.make(600)
    shuffled = rows.sample(frac=1, random_state=1)
    assert ids(split(workspace, rows, by=by)) == ids(split(workspace, shuffled, by=by))


def test_no_month_is_divided_and_the_newest_are_the_test_set(workspace):
    parts = split(workspace, sample.make(900), by="time")
    assert parts["train"]["month"].max() < parts["validation"]["month"].min()
    assert parts["validation"]["month"].max() < parts["test"]["month"].min()


def test_few_and_unequal_times_still_give_three_parts(workspace):
    rows = sample.make(600)
    rows["month"] = ["2024-01-01"] * 560 + ["2024-02-01"] * 20 + ["2024-03-01"] * 20
    parts = split(workspace, rows, by="time")
    assert [len(parts[name]) for name in PARTS] == [560, 20, 20]
    rows["month"] = ["2024-01-01"] * 20 + ["2024-02-01"] * 20 + ["2024-03-01"] * 560
    parts = split(workspace, rows, by="time")
    assert [len(parts[name]) for name in PARTS] == [20, 20, 560]


def test_an_id_stays_on_its_side_when_data_grows(workspace):
    rows = sample.make(1200)
    before = ids(split(workspace, rows.head(700), by="id"))
    after = ids(split(workspace, rows, by="id"))
    for part in PARTS:
        assert before[part] < after[part]


@pytest.mark.parametrize("by", ["id", "random"])
def test_another_seed_draws_other_rows(workspace, by):
    rows = sample.make(600)
    first = ids(split(workspace, rows, by=by))
    workspace.change("train.yml", seed=7)
    assert ids(split(workspace, rows, by=by))["test"] != first["test"]


def test_the_evidence_names_rows_and_hashes(workspace):
    parts = split(workspace, sample.make(600))
    written = json.loads((workspace.root / "out" / "split.json").read_text())
    assert written["rows"] == {name: len(part) for name, part in parts.items()}
    assert written["hashes"]["test"] == hash_path(workspace.root / "out" / "test.parquet")
    assert written["data_hash"] == hash_path(workspace.raw)
    assert written["description"].startswith("by `month`: train to 2025-")


@pytest.mark.parametrize(
    ("rows", "fields", "says"),
    [
        (30, {"by": "random"}, "rows fall into the validation set"),
        (60, {"by": "random", "test": 0.1}, "rows fall into the test set"),
    ],
)
def test_too_few_rows_name_the_field_and_leave_nothing(workspace, rows, fields, says):
    with pytest.raises(UsageError, match=r"train\.yml, field `split`") as caught:
        split(workspace, sample.make(rows), **fields)
    assert says in str(caught.value)
    assert not (workspace.root / "out").exists()


def test_a_time_split_needs_three_times(workspace):
    rows = sample.make(600)
    rows["month"] = ["2024-01-01"] * 300 + ["2024-02-01"] * 300
    with pytest.raises(UsageError, match="at least three different times in `month`, found 2"):
        split(workspace, rows, by="time")


@pytest.mark.parametrize("by", ["time", "id"])
def test_a_split_by_a_role_that_no_column_has(workspace, by):
    columns = yaml.safe_load((workspace.conf / "data.yml").read_text())["columns"]
    columns["month" if by == "time" else "loan_id"]["role"] = "ignored"
    workspace.change("data.yml", columns=columns)
    with pytest.raises(UsageError, match=rf"field `split\.by`: '{by}' needs a column with"):
        split(workspace, sample.make(600), by=by)


def test_a_year_is_a_time(workspace):
    columns = yaml.safe_load((workspace.conf / "data.yml").read_text())["columns"]
    columns["month"] = {"kind": "integer", "role": "time"}
    workspace.change("data.yml", columns=columns)
    rows = sample.make(600)
    rows["month"] = [2020 + number // 100 for number in range(600)]
    parts = split(workspace, rows, by="time")
    assert set(parts["test"]["month"]) == {2025}


def test_a_class_that_a_part_lacks_is_named(workspace):
    rows = sample.make(600, seed=1)
    late = rows["month"] >= sorted(rows["month"])[-150]
    with pytest.raises(UsageError) as caught:
        split(workspace, rows.assign(outcome=rows["outcome"].mask(~late, "repaid")), by="time")
    said = str(caught.value)
    assert "train.yml, field `split`: no row with `outcome` 'defaulted' falls into" in said
    with pytest.raises(UsageError, match=r"'defaulted' falls into the test set"):
        split(workspace, rows.assign(outcome=rows["outcome"].mask(late, "repaid")), by="time")
    assert not (workspace.root / "out").exists()
