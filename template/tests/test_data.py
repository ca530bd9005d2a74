"""The data contract: this project's data keeps it, and each kind of fault is found."""

import pandas as pd
from mlops_platform.data.contract import Contract
from mlops_platform.models.rows import findings, read_rows

from .conftest import TEAM, changed, first


def rules_broken(contract: Contract, frame: pd.DataFrame) -> set[tuple[str, str]]:
    return {(finding.column, finding.rule) for finding in findings(frame, contract, TEAM)}


def test_our_data_keeps_the_contract(contract, raw):
    assert findings(raw, contract, TEAM) == []


def test_a_row_alone_has_the_features_that_it_has_among_all(contract, raw):
    """Training reads all rows together, batch some of them, the endpoint one."""
    together = read_rows(raw, contract, TEAM).typed[contract.features]
    for label in raw.index[:: max(1, len(raw) // 50)]:
        alone = read_rows(raw.loc[[label]], contract, TEAM).typed[contract.features]
        pd.testing.assert_frame_equal(alone, together.loc[[label]])


def test_a_missing_column_is_found(contract, raw):
    name = contract.requested[0]
    assert rules_broken(contract, raw.drop(columns=name)) == {(name, "present")}


def test_an_unknown_column_is_found(contract, raw):
    assert rules_broken(contract, changed(raw, "surprise", 1)) == {("surprise", "known")}


def test_too_few_rows_are_found(contract, raw):
    assert rules_broken(contract, raw.head(5)) == {("(file)", "min_rows")}


def test_text_in_a_number_is_found(contract, raw):
    name = first(contract, numeric=True)
    raw[name] = raw[name].astype(object)
    raw.loc[3, name] = "many"
    assert rules_broken(contract, raw) == {(name, f"is a {contract.raw[name].kind}")}


def test_numbers_outside_their_range_are_found(contract, raw):
    for name, column in contract.raw.items():
        for bound, outside in ((column.min, -1), (column.max, 1)):
            if column.numeric and bound is not None:
                broken = changed(raw, name, raw[name].astype(object))
                broken.loc[3, name] = str(bound + outside)
                assert name in {column for column, _ in rules_broken(contract, broken)}


def test_an_unknown_category_is_found(contract, raw):
    for name, column in contract.raw.items():
        if column.values:
            broken = changed(raw, name, raw[name].astype(object))
            broken.loc[3, name] = "never heard of"
            found = rules_broken(contract, broken)
            assert found == {(name, f"one of {', '.join(column.values)}")}


def test_a_value_that_must_be_there_is_missed(contract, raw):
    name = contract.target
    raw.loc[3, name] = None
    assert rules_broken(contract, raw) == {(name, "is not missing")}


def test_too_many_missing_values_are_found(contract, raw):
    judged = {name: column for name, column in contract.raw.items() if column.role != "ignored"}
    names = [name for name, column in judged.items() if column.missing]
    for name in names:
        assert (name, "missing") in rules_broken(contract, changed(raw, name, None))


def test_an_id_twice_is_found(contract, raw):
    name = first(contract, role="id")
    raw.loc[3, name] = raw.loc[4, name]
    assert rules_broken(contract, raw) == {(name, "is unique")}
