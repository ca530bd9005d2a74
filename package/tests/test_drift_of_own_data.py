"""The monitor is quiet on what a version was made of, also with dates, and hears what is new."""

import numpy as np
import pandas as pd
import pytest
from mlops_platform import evidence, settings
from mlops_platform.data.columns import Column
from mlops_platform.data.contract import Contract
from mlops_platform.monitoring import drift, reference
from sklearn.ensemble import RandomForestClassifier

from package.tests.workspaces import CREDIT

LIMITS = settings.load_gates(CREDIT / "conf").drift
ROWS = 1000
NOISE = [f"noise {number}" for number in range(6)]  # what a forest learns by heart
INPUTS = ["size", *NOISE]
CONTRACT = Contract(
    min_rows=10,
    columns={
        "day": Column(kind="date", role="time"),
        "year": Column(kind="integer"),
        "left": Column(kind="integer"),
        "month": Column(kind="integer"),
        "note": Column(kind="text", missing=0.2),
        "size": Column(kind="number"),
        "class": Column(kind="category", values=["no", "yes"], positive="yes", role="target"),
    },
)


def table(start: str = "2020-01-01", rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """A row a day: a year that rises, days left that fall, a month that returns, and a text."""
    rng = np.random.default_rng(seed)
    days = pd.Series(pd.date_range(start, periods=rows, freq="D"))
    return pd.DataFrame(
        {
            "day": days,
            "year": days.dt.year.astype(float),
            "left": (pd.Timestamp("2040-01-01") - days).dt.days.astype(float),
            "month": days.dt.month.astype(float),
            "note": [" ".join(["word"] * count) for count in rng.integers(2, 9, rows)],
            "size": rng.normal(size=rows),
        }
        | {name: rng.normal(size=rows) for name in NOISE}
    ).sample(frac=1, random_state=seed)


def even(rows: pd.DataFrame) -> np.ndarray:
    """Predictions that are alike for all rows, (rows, 2)."""
    positive = np.linspace(0.2, 0.8, len(rows))
    return np.column_stack([1 - positive, positive])


def compared(
    rows: pd.DataFrame, then: reference.Reference, predicted: np.ndarray | None = None
) -> evidence.DriftReport:
    return drift.compare(
        rows,
        even(rows) if predicted is None else predicted,
        then,
        contract=CONTRACT,
        limits=LIMITS,
        model="m",
        version="1",
    )


def drifted(report: evidence.DriftReport) -> set[str]:
    return {found.column for found in report.columns if found.drifted}


@pytest.fixture(scope="module")
def then() -> reference.Reference:
    return reference.build_reference(table(), even(table()), CONTRACT)


def test_what_follows_the_time_is_a_clock(then):
    assert [found.name for found in then.features if found.clock] == ["year", "left"]


@pytest.mark.parametrize("values", [[0.0] * (ROWS - 1) + [1.0], [5.0] * ROWS])
def test_a_column_that_hardly_varies_is_no_clock(values):
    rows = table().sort_values("day").assign(month=values)
    found = reference.build_reference(rows, even(rows), CONTRACT)
    assert "month" not in [each.name for each in found.features if each.clock]


def test_a_new_year_is_no_drift_but_other_columns_are_still_heard(then):
    later = table("2024-01-01", seed=1)
    assert drifted(compared(later, then)) == set()
    assert drifted(compared(later.assign(size=later["size"] + 1), then)) == {"size"}


def test_a_clock_that_stands_still_is_heard_by_its_gaps(then):
    later = table("2024-01-01", seed=1)
    later["year"] = later["year"].where(later.index % 2 == 0)
    [found] = [each for each in compared(later, then).columns if each.drifted]
    assert (found.column, found.missing_now) == ("year", 0.5)
    assert found.reasons[0].startswith("50.0% missing")


def test_longer_texts_and_missing_ones_are_drift(then):
    rows = table(seed=1)
    assert drifted(compared(rows.assign(note=rows["note"] + " and so on and on"), then)) == {"note"}
    none = rows.assign(note=np.nan)  # typed as numbers, as there is no text
    assert drifted(compared(none, then)) == {"note"}
    half = rows.assign(note=rows["note"].where(rows.index % 2 == 0))
    assert drifted(compared(half, then)) == {"note"}


@pytest.fixture(scope="module")
def heart() -> tuple[RandomForestClassifier, pd.DataFrame, reference.Reference]:
    """A forest that knows its rows by heart, these, and its reference."""
    rng = np.random.default_rng(0)
    rows, others = table(), table(rows=ROWS // 2, seed=5)
    truth = (rows["size"] + rng.normal(0, 1, ROWS) > 0).astype(int)
    forest = RandomForestClassifier(50, random_state=0).fit(rows[INPUTS], truth)
    unseen, learned = (forest.predict_proba(each[INPUTS]) for each in (others, rows))
    return forest, rows, reference.build_reference(rows, unseen, CONTRACT, learned)


@pytest.mark.parametrize("new", [0, 100, 500, 1000, 5000])
def test_learned_rows_new_ones_and_both_together_are_no_drift(heart, new):
    forest, rows, then = heart
    both = pd.concat([rows, table(rows=new, seed=3)] if new else [rows])
    predicted = forest.predict_proba(both[INPUTS])
    assert "probability of yes" not in drifted(compared(both, then, predicted))


def test_without_what_it_says_of_learned_rows_its_own_data_would_be_drift(heart):
    forest, rows, then = heart
    predicted = forest.predict_proba(rows[INPUTS])
    before = then.model_copy(update={"learned": []})
    assert drifted(compared(rows, before, predicted)) == {"probability of yes"}


@pytest.mark.parametrize("shift", [-1.0, 1.0])
def test_predictions_that_moved_are_drift(heart, shift):
    forest, _, then = heart
    rows = table(seed=4)
    predicted = forest.predict_proba(rows[INPUTS].assign(size=rows["size"] + shift))
    assert drifted(compared(rows, then, predicted)) == {"probability of yes"}
