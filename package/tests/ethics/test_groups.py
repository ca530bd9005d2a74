"""Groups of people: each kind of unfairness is caught, fair data passes, small groups are named."""

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate, selection_rate
from mlops_platform.ethics.measures import disparities
from mlops_platform.ethics.simultaneous import Contrast, Mean, intervals

from package.tests.ethics import cases

PACKAGES = ["credit_risk", "energy_demand"]
GROUP = {"credit_risk": ("sex", "female"), "energy_demand": ("tenure", "tenant")}


def members(made, package):
    column, value = GROUP[package]
    return (made.rows[column] == value).to_numpy()


def failed(found):
    return {group.group for group in found.figures["groups"] if group.word == "failed"}


@pytest.mark.parametrize("package", PACKAGES)
def test_fair_data_passes_every_check_of_groups(fair, package):
    made = fair(package)
    for check in made.page.metrics:
        if check.measure in disparities.STATISTICS:
            found = cases.look(made, check.id)
            assert found.word != "failed", (check.id, found.message)
            assert found.figures["groups"]
            spread = package == "energy_demand" and check.measure in disparities.IN_SPREADS
            assert ("in standard deviations of the target" in found.message) == spread


@pytest.mark.parametrize("package", PACKAGES)
def test_a_group_that_is_promised_too_little_is_found(fair, package):
    made = fair(package)
    moved, inside = made.predicted.copy(), members(made, package)
    if package == "credit_risk":
        moved[inside] = [0.95, 0.05]
    else:
        moved[inside] -= 80
    vars(made).update(predicted=moved)
    found = cases.look(made, "prediction-bias")
    assert found.word == "failed"
    assert " ".join(GROUP[package]) in failed(found)
    assert "Find out" in found.next


def test_unfairness_where_two_groups_meet_is_found(fair):
    made = fair()
    moved, young = made.predicted.copy(), (made.rows["age"] == "18-29").to_numpy()
    moved[members(made, "credit_risk") & young] = [0.1, 0.9]
    vars(made).update(predicted=moved)
    assert failed(cases.look(made, "where-groups-meet")) == {"sex female, age 18-29"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_group_that_is_chosen_more_often_is_found(fair, package):
    made = fair(package)
    moved, inside = made.predicted.copy(), members(made, package)
    if package == "credit_risk":
        moved[inside] = moved[inside] * 0.3 + [[0, 0.7]]
    else:
        moved[inside] += 120
    vars(made).update(predicted=moved)
    assert " ".join(GROUP[package]) in failed(cases.look(made, "selection-rates"))


def test_a_group_that_is_passed_over_more_often_is_found(fair):
    made = fair()
    moved, inside = made.predicted.copy(), members(made, "credit_risk")
    right = np.eye(2)[made.truth]
    moved[~inside] = right[~inside]
    moved[inside] = [0.9, 0.1]
    vars(made).update(predicted=moved)
    assert "sex female: missed defaulted" in failed(cases.look(made, "error-rates"))


def test_the_ratio_of_selection_rates_goes_by_its_bound(fair):
    made = fair()
    ratio = {"measure": "selection_ratio", "min": 0.8, "max": None}
    equal = cases.look(made, "selection-rates", **ratio)
    assert equal.word == "insufficient evidence"  # four fifths, the naive rule, would say yes or no
    moved, inside = made.predicted.copy(), members(made, "credit_risk")
    moved[inside] = moved[inside] * 0.3 + [[0, 0.7]]
    vars(made := fair()).update(predicted=moved)
    found = cases.look(made, "selection-rates", **ratio)
    assert found.word == "failed"
    assert found.figures["high"] < 0.8


@pytest.mark.parametrize("package", PACKAGES)
def test_a_group_that_is_served_worse_is_found(fair, package):
    made = fair(package)
    moved, inside = made.predicted.copy(), np.flatnonzero(members(made, package))
    drawn = np.random.default_rng(0).permutation(inside)
    moved[inside] = moved[drawn]
    vars(made).update(predicted=moved)
    limit = {"max": 0.15} if package == "credit_risk" else {}
    found = cases.look(made, "quality-of-service", **limit)
    assert " ".join(GROUP[package]) in failed(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_group_of_which_less_is_known_is_found(fair, package):
    made = fair(package)
    column, value = GROUP[package]
    for rows in made.parts.values():
        name = made.contract.numeric_features[0]
        rows.loc[(rows[column] == value) & (rows.index % 2 == 0), name] = np.nan
    assert f"{column} {value}" in failed(cases.look(made, "missing-by-group"))


def test_a_group_too_small_is_named_and_leaves_the_question_open(fair):
    made = fair(gates=cases.with_gates("credit_risk", min_group_rows=350))
    found = cases.look(made, "selection-rates")
    assert found.word == "insufficient evidence"
    small = [group for group in found.figures["groups"] if group.low is None]
    assert [group.group for group in small] == ["age 50+"]
    assert f"age 50+ ({small[0].rows} rows)" in found.message
    assert "More rows decide it" in found.next


def test_a_failing_group_is_not_hidden_behind_a_small_one(fair):
    made = fair(gates=cases.with_gates("credit_risk", min_group_rows=350))
    moved, inside = made.predicted.copy(), members(made, "credit_risk")
    moved[inside] = moved[inside] * 0.3 + [[0, 0.7]]
    vars(made).update(predicted=moved)
    assert cases.look(made, "selection-rates").word == "failed"


def test_without_sensitive_columns_there_is_no_evidence(fair):
    known = cases.settings_of("credit_risk")["contract"]
    plain = {
        name: column.model_copy(update={"role": "ignored"})
        if column.role == "sensitive"
        else column
        for name, column in known.columns.items()
    }
    made = fair(contract=known.model_copy(update={"columns": plain}))
    found = cases.look(made, "selection-rates")
    assert found.word == "insufficient evidence"
    assert "no sensitive column" in found.message
    assert found.next.startswith("Give a column of conf/data.yml the role `sensitive`; ")


def test_three_classes_are_each_looked_at(fair):
    known = cases.settings_of("credit_risk")["contract"]
    target = known.columns["outcome"].model_copy(
        update={"values": ["repaid", "defaulted", "late"], "positive": None}
    )
    contract = known.model_copy(update={"columns": {**known.columns, "outcome": target}})
    made = fair(contract=contract)
    for rows in made.parts.values():
        rows.loc[rows.index % 3 == 0, "outcome"] = "late"
    shares = np.full((len(made.rows), 3), 1 / 3)
    inside = members(made, "credit_risk")
    shares[inside] += [-0.3, 0, 0.3]
    vars(made).update(predicted=shares)
    found = cases.look(made, "prediction-bias")
    assert {"sex female: late", "sex female: repaid"} <= failed(found)
    assert "sex female: defaulted" not in failed(found)


def test_the_rates_are_those_of_fairlearn(fair):
    made = fair()
    chosen = made.predicted.argmax(axis=1)
    said = {
        "selection_difference": {"": selection_rate},
        "error_rate_difference": {"missed": false_negative_rate, "false": false_positive_rate},
    }
    for measure, functions in said.items():
        found = cases.look(made, "selection-rates", measure=measure, max=0.5)
        for start, function in functions.items():
            frame = MetricFrame(
                metrics=function,
                y_true=made.truth,
                y_pred=chosen,
                sensitive_features=made.rows["age"],
            )
            for value, rate in frame.by_group.items():
                [group] = [
                    each
                    for each in found.figures["groups"]
                    if each.group.startswith(f"age {value}") and start in each.group
                ]
                assert group.value == pytest.approx(rate)


def test_the_intervals_of_a_family_cover_all_truths_at_once():
    rng, covered, draws = np.random.default_rng(0), 0, 200
    inside = np.arange(400) % 4
    for draw in range(draws):
        values = rng.normal(size=400)
        contrasts = [
            Contrast("m", str(group), inside == group, mean, mean.value(inside == group))
            for mean in [Mean(values, np.ones(400))]
            for group in range(4)
        ]
        found = intervals(contrasts, times=200, seed=draw, confidence=0.95)
        covered += all(each.low <= 0 <= each.high for each in found)
    assert covered / draws >= 0.92  # 95 % within the error of 200 draws; one by one, it were 85 %


def test_a_group_that_is_all_alike_is_not_certain():
    inside = np.arange(400) < 40
    rate = Mean((~inside & (np.arange(400) % 5 == 0)) * 1.0, np.ones(400), rate=True)
    [found] = intervals([Contrast("m", "g", inside, rate, 0.0)], times=200, seed=0, confidence=0.95)
    assert found.difference == pytest.approx(-0.2)
    assert found.high - found.low > 0.14
