"""What the drift monitor says about one column and one file, on numbers that a hand can check."""

import numpy as np
import pandas as pd
import pytest
from mlops_platform import evidence, settings
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.monitoring import drift, reference
from mlops_platform.monitoring.reference import Distribution
from scipy.stats import chi2, kstwo, norm

from package.tests.workspaces import CREDIT

LIMITS = settings.load_gates(CREDIT / "conf").drift
EVEN = [float(number) for number in range(201)]  # the quantiles of numbers from 0 to 200
NUMBERS = Distribution(name="x", rows=2000, missing=0.5, quantiles=EVEN)
WORDS = Distribution(name="x", rows=1000, missing=0.2, shares={"a": 0.5, "b": 0.5})
UNMOVED = {
    "column": "x",
    "kind": "numeric",
    "psi": 0.0,
    "test": "Kolmogorov-Smirnov",
    "distance": 0.0,
    "p_value": 1.0,
    "missing_then": 0.0,
    "missing_now": 0.0,
    "new_values": 0,
    "bins": [],
    "then": [],
    "now": [],
    "drifted": False,
    "reasons": [],
}


def of_column(
    now: pd.Series, then: Distribution, *, prediction: bool = False, columns: int = 1, **limits
) -> evidence.ColumnDrift:
    """The drift of a column, with the limits of the credit project or changed ones."""
    changed = LIMITS.model_copy(update=limits)
    column = drift.Column(then)
    for part in np.array_split(np.arange(len(now)), 3):  # a verdict does not depend on chunks
        column.add(now.iloc[part])
    return column.drift(changed, prediction=prediction, columns=columns)


def words(**counts: int) -> pd.Series:
    return pd.Series([word for word, count in counts.items() for _ in range(count)], dtype=object)


# ---------------------------------------------------------------- numbers


def test_numbers_are_compared_in_ten_bins_of_the_training_data():
    """1000 even numbers from 0 to 200 and 250 times 20: a bin includes its upper edge."""
    found = of_column(pd.Series([20.0] * 250), NUMBERS)
    assert found.model_dump() == UNMOVED | {
        # one bin rises from 0.1 to 1; nine fall from 0.1 to half a row of 250
        "psi": pytest.approx(0.9 * np.log(10) + 9 * (0.002 - 0.1) * np.log(0.002 / 0.1)),
        "distance": pytest.approx(0.9),
        "p_value": pytest.approx(kstwo.sf(0.9, 1000 * 250 / (1000 + 250))),
        "missing_then": 0.5,
        "bins": [
            "up to 20",
            *(f"{low} to {low + 20}" for low in range(20, 180, 20)),
            "above 180",
        ],
        "then": pytest.approx([0.1] * 10),
        "now": [1.0] + [0.0] * 9,
        "drifted": True,
        "reasons": ["PSI 5.523, at most 0.2", "distance 0.900, at most 0.15"],
    }


def test_the_chance_of_a_distance_is_that_of_two_samples():
    """Kolmogorov-Smirnov, two-sided: half of the numbers moved from below 100 to above it."""
    found = of_column(pd.Series([100.0] * 30 + [200.0] * 20), NUMBERS)
    assert found.distance == pytest.approx(0.5)
    assert found.p_value == pytest.approx(kstwo.sf(0.5, round(1000 * 50 / 1050)))


@pytest.mark.parametrize(
    ("smallest", "bins", "then", "now"),
    [
        (0.0, ["below 0", "0"], [0, 0.5], [0.25, 0.25]),
        (-1.0, ["up to 0"], [0.5], [0.5]),  # seldom: no bin of its own
    ],
)
def test_many_times_the_smallest_number_is_a_bin_of_its_own(smallest, bins, then, now):
    """Half of the training data is 0: if that is its smallest number, a bin shows the rest."""
    quantiles = [smallest, *[0.0] * 100, *EVEN[1:101]]
    training = Distribution(name="x", rows=1000, missing=0, quantiles=quantiles)
    found = of_column(pd.Series([-1.0] * 25 + [0.0] * 25 + [100.0] * 50), training)
    assert found.bins == [*bins, "0 to 20", "20 to 40", "40 to 60", "60 to 80", "above 80"]
    assert found.then == pytest.approx([*then, 0.1, 0.1, 0.1, 0.1, 0.1])
    assert found.now == pytest.approx([*now, 0, 0, 0, 0, 0.5])


# ---------------------------------------------------------------- categories


def test_categories_are_compared_by_chi_square_and_total_variation():
    """Of 800 values 400 are a, of 100 now 60: chi-square with one degree of freedom."""
    found = of_column(words(a=60, b=40), WORDS)
    statistic = 900 * (400 * 40 - 400 * 60) ** 2 / (800 * 100 * 460 * 440)
    assert found.model_dump() == UNMOVED | {
        "kind": "categorical",
        "psi": pytest.approx(0.1 * np.log(1.2) - 0.1 * np.log(0.8)),
        "test": "chi-square",
        "distance": pytest.approx(0.1),
        "p_value": pytest.approx(chi2.sf(statistic, 1)),
        "missing_then": 0.2,
        "bins": ["a", "b"],
        "then": [0.5, 0.5],
        "now": [0.6, 0.4],
    }


def test_values_that_training_did_not_have_share_a_bin():
    found = of_column(words(a=50, x=30, y=20), WORDS)
    half_a_row = 0.5 / 100
    assert found.model_dump() == UNMOVED | {
        "kind": "categorical",
        "psi": pytest.approx(
            (half_a_row - 0.5) * np.log(half_a_row / 0.5)
            + (0.5 - half_a_row) * np.log(0.5 / half_a_row)
        ),
        "test": "chi-square",
        "distance": pytest.approx(0.5),
        "p_value": pytest.approx(0, abs=1e-30),
        "missing_then": 0.2,
        "new_values": 2,
        "bins": ["a", "b", "(new values)"],
        "then": [0.5, 0.5, 0.0],
        "now": [0.5, 0.0, 0.5],
        "drifted": True,
        "reasons": [
            "PSI 4.559, at most 0.2",
            "distance 0.500, at most 0.15",
            "2 values that training did not have",
        ],
    }


def test_new_values_alone_are_no_drift():
    found = of_column(words(a=500, b=499, x=1), WORDS)
    assert (found.new_values, found.drifted, found.reasons) == (1, False, [])


def test_the_smaller_sample_decides_what_an_empty_bin_counts():
    """Of 8 values in training half a row is 1/16; 100 rows now do not change that."""
    few = WORDS.model_copy(update={"rows": 10})
    expected = (1 / 16 - 1 / 2) * np.log(1 / 8) + (1 - 1 / 2) * np.log(2)
    assert of_column(words(a=100), few).psi == pytest.approx(expected)


def test_a_constant_column():
    then = reference.describe(pd.Series([5.0] * 1000), "x")
    assert then.quantiles is not None
    same = of_column(pd.Series([5.0] * 500), then)
    assert (same.psi, same.distance, same.drifted) == (0, 0, False)
    for elsewhere in (4.0, 6.0):
        moved = of_column(pd.Series([elsewhere] * 500), then)
        assert moved.drifted
        assert moved.distance == 1
        assert moved.psi > 1, "the bins below and above the constant show it"


def test_a_category_with_one_value():
    then = reference.describe(pd.Series(["a"] * 1000, dtype=object), "x")
    assert not of_column(pd.Series(["a"] * 500, dtype=object), then).drifted
    assert of_column(pd.Series(["b"] * 500, dtype=object), then).drifted


def test_counts_with_ties_are_compared_right():
    """A one-sample test against a smooth curve has a distance of half the ties, here 0.25."""
    rng = np.random.default_rng(0)
    then = reference.describe(pd.Series(rng.poisson(0.7, 3000).astype(float)), "x")
    found = of_column(pd.Series(rng.poisson(0.7, 3000).astype(float)), then)
    assert found.distance < 0.03
    assert found.p_value > 0.01
    assert sum(found.then) == pytest.approx(1)


# ---------------------------------------------------------------- the stability index


def test_psi_by_hand():
    """0.1 ln(0.6/0.5) - 0.1 ln(0.4/0.5) = 0.0405."""
    assert drift.psi(np.array([0.5, 0.5]), np.array([0.6, 0.4]), 1000) == pytest.approx(
        0.1 * np.log(1.2) - 0.1 * np.log(0.8)
    )


def test_an_empty_bin_counts_as_half_a_row():
    """With 100 rows the smallest share is 0.005: (0.5 - 0.005) ln(0.5/0.005), and 0.5 ln(1/0.5)."""
    expected = (0.005 - 0.5) * np.log(0.005 / 0.5) + (1 - 0.5) * np.log(1 / 0.5)
    assert drift.psi(np.array([0.5, 0.5]), np.array([0.0, 1.0]), 100) == pytest.approx(expected)


@pytest.mark.parametrize(("shift", "low", "high"), [(0.5, 0.21, 0.29), (0, 0.003, 0.02)])
def test_psi_of_two_thousand_rows_is_as_measured_elsewhere(shift, low, high):
    """Of a shift by half a standard deviation about 0.247, of none about 0.010."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        then = reference.describe(pd.Series(rng.normal(0, 1, 2000)), "x")
        found.append(of_column(pd.Series(rng.normal(shift, 1, 2000)), then).psi)
    assert low < np.mean(found) < high


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("now", "then"),
    [(pd.Series([20.0] * 50), NUMBERS), (words(a=90, b=10), WORDS)],
    ids=["numbers", "categories"],
)
def test_a_limit_that_is_exactly_reached_is_no_alarm(now, then):
    exact = of_column(now, then)
    reached = {"psi": exact.psi, "distance": exact.distance}
    assert len(exact.reasons) == 2
    assert not of_column(now, then, **reached).drifted
    assert not of_column(now, then, p_value=exact.p_value).drifted
    [psi] = of_column(now, then, distance=exact.distance).reasons
    [distance] = of_column(now, then, psi=exact.psi).reasons
    assert (psi[:4], distance[:9]) == ("PSI ", "distance ")


def test_the_more_columns_the_more_it_takes_to_raise_the_alarm():
    """Chance below 0.01 is an alarm for one column; of ten columns each needs a tenth of it."""
    spread = norm.ppf((np.arange(1000) + 0.5) / 1000)
    then = reference.describe(pd.Series(spread), "x")
    now = pd.Series(norm.ppf((np.arange(80) + 0.5) / 80) + 0.53)
    alone = of_column(now, then)
    assert alone.distance > LIMITS.distance
    assert LIMITS.p_value / 10 < alone.p_value < LIMITS.p_value
    assert alone.drifted
    assert not of_column(now, then, columns=10).drifted


@pytest.mark.parametrize("then", [NUMBERS, WORDS], ids=["numbers", "categories"])
def test_a_column_without_values_has_drifted_by_its_missing_values_alone(then):
    found = of_column(pd.Series([None] * 10, dtype=object), then)
    kind = {"kind": "categorical", "test": "chi-square"} if then is WORDS else {}
    assert found.model_dump() == UNMOVED | kind | {
        "missing_then": then.missing,
        "missing_now": 1.0,
        "drifted": True,
        "reasons": [f"100.0% missing, {then.missing:.1%} in training, at most 10.0% more allowed"],
    }


def test_missing_values_may_rise_to_the_limit():
    now = pd.Series([None, None, "a", "b"], dtype=object)
    then = WORDS.model_copy(update={"missing": 0.25})
    assert not of_column(now, then, missing=0.25).drifted
    assert of_column(now, then, missing=0.24).drifted


def test_a_column_that_training_had_without_values_is_not_compared():
    for then in (
        Distribution(name="x", rows=9, missing=1, quantiles=[]),
        Distribution(name="x", rows=9, missing=1, shares={}),
    ):
        assert of_column(pd.Series([1.0, 2.0]), then).bins == []


# ---------------------------------------------------------------- the report


def credit_contract() -> Contract:
    return load_contract(CREDIT / "conf" / "data.yml", "classification")


def report(rows: int, *, highest: float = 200, **limits) -> evidence.DriftReport:
    """Of a feature that was even up to 200, and a probability that was even and is 1 now."""
    then = reference.Reference(
        features=[NUMBERS.model_copy(update={"name": "income"})],
        predictions=[
            NUMBERS.model_copy(
                update={
                    "name": "probability of defaulted",
                    "quantiles": [each / 200 for each in EVEN],
                    "missing": 0,
                }
            )
        ],
    )
    return drift.compare(
        pd.DataFrame({"income": np.linspace(0, highest, rows)}),
        np.column_stack([np.zeros(rows), np.ones(rows)]),
        then,
        contract=credit_contract(),
        limits=LIMITS.model_copy(update=limits),
        model="credit",
        version="7",
    )


def test_a_report_on_too_few_rows_says_how_many_are_needed():
    assert report(1, min_rows=2).model_dump(exclude={"columns"}) == report_of(
        rows=1,
        verdict="insufficient evidence",
        message="1 row, at least 2 are needed for a verdict (conf/gates.yml, `drift.min_rows`)",
    )
    assert report(1, min_rows=2).columns == []
    assert report(2, min_rows=2).columns != []


def test_a_report_names_the_columns_that_drifted():
    assert report(200, highest=500).message == (
        "2 of 2 columns drifted: income, probability of defaulted"
    )
    found = report(200)
    assert found.model_dump(exclude={"columns"}) == report_of(
        rows=200, verdict="drift", message="1 of 2 columns drifted: probability of defaulted"
    )
    assert [(each.column, each.kind, each.drifted) for each in found.columns] == [
        ("income", "numeric", False),
        ("probability of defaulted", "prediction", True),
    ]


def test_a_report_without_drift_counts_the_columns():
    found = report(200, psi=9, distance=1)
    assert (found.verdict, found.message) == ("stable", "none of 2 columns drifted")


def report_of(**fields) -> dict:
    empty = evidence.DriftReport(
        verdict="stable", message="", model="credit", version="7", rows=0, columns=[]
    )
    return empty.model_dump(exclude={"columns"}) | fields


# ---------------------------------------------------------------- the reference


def test_numbers_become_evenly_spaced_quantiles():
    found = reference.describe(pd.Series([0.0, 200.0, None, 100.0]), "x")
    assert (found.name, found.rows, found.missing, found.shares) == ("x", 4, 0.25, None)
    assert found.quantiles == pytest.approx(EVEN)


def test_categories_become_shares_of_the_values_that_are_there():
    found = reference.describe(words(b=1, a=3).reindex(range(5)), "x")
    assert found == Distribution(name="x", rows=5, missing=0.2, shares={"a": 0.75, "b": 0.25})
    assert list(found.shares) == ["a", "b"], "in the order of the values"


def test_a_column_without_values_has_an_empty_distribution():
    numbers = reference.describe(pd.Series([np.nan, np.nan]), "x")
    others = reference.describe(pd.Series([None], dtype=object), "x")
    assert numbers == Distribution(name="x", rows=2, missing=1, quantiles=[])
    assert others == Distribution(name="x", rows=1, missing=1, shares={})


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["no", "yes"], {"probability of yes": [0.12, 0.99]}),
        (
            ["a", "b", "c"],
            {
                "probability of a": [0.5, 0.0],
                "probability of b": [0.12, 0.99],
                "probability of c": [0.38, 0.01],
            },
        ),
    ],
)
def test_probabilities_become_columns_in_hundredths(labels, expected):
    """With two classes the second, positive one says all."""
    predicted = np.array([[0.5, 0.1234, 0.3766], [0.0, 0.9911, 0.0089]])
    found = reference.prediction_columns(predicted[:, : len(labels)], labels)
    assert {name: values.tolist() for name, values in found} == expected


def test_values_become_one_column():
    [(name, values)] = reference.prediction_columns(np.array([1.2345, 2.0]), [])
    assert (name, values.tolist()) == ("prediction", [1.2345, 2.0])


def test_a_reference_has_each_feature_and_prediction():
    contract = credit_contract()
    numbers, words = contract.numeric_features, contract.categorical_features
    rows = pd.DataFrame(
        {name: [1.0, 2.0] for name in numbers} | {name: ["a", "b"] for name in words}
    ).assign(month=pd.Timestamp("2024-01-01"))
    found = reference.build_reference(rows, np.array([[0.25, 0.75], [0.5, 0.5]]), contract)
    assert found.features == [reference.describe(rows[name], name) for name in numbers + words]
    assert found.predictions == [
        reference.describe(pd.Series([0.75, 0.5]), "probability of defaulted")
    ]
