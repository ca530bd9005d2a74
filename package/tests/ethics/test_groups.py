"""Groups of people: unfairness is detected, fair data passes, small groups are listed."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate, selection_rate
from mlops_platform.data.contract import Contract
from mlops_platform.ethics.measures import disparities, proxies
from mlops_platform.ethics.simultaneous import Contrast, Mean, intervals
from mlops_platform.evaluation.metrics import METRICS

from package.tests.ethics import runs

PACKAGES = ["credit_risk", "energy_demand"]
GROUP = {"credit_risk": ("sex", "female"), "energy_demand": ("tenure", "tenant")}


def members(run, package):
    column, value = GROUP[package]
    return (run.rows[column] == value).to_numpy()


def failed(outcome):
    return {group.group for group in outcome.details["groups"] if group.word == "failed"}


@pytest.mark.parametrize("package", PACKAGES)
def test_fair_data_passes_every_check_of_groups(fair, package):
    run = fair(package)
    for check in run.config.metrics:
        if check.measure in disparities.STATISTICS:
            outcome = runs.check(run, check.id)
            assert outcome.verdict != "failed", (check.id, outcome.message)
            assert outcome.details["groups"]
            spread = (
                package == "energy_demand" and check.measure in disparities.IN_STANDARD_DEVIATIONS
            )
            assert ("in standard deviations of the target" in outcome.message) == spread


@pytest.mark.parametrize("package", PACKAGES)
def test_a_group_that_is_promised_too_little_is_found(fair, package):
    run = fair(package)
    moved, inside = run.predicted.copy(), members(run, package)
    if package == "credit_risk":
        moved[inside] = [0.95, 0.05]
    else:
        moved[inside] -= 80
    vars(run).update(predicted=moved)
    outcome = runs.check(run, "prediction-bias")
    assert outcome.verdict == "failed"
    assert " ".join(GROUP[package]) in failed(outcome)
    assert "Find the cause" in outcome.next_step


def test_rates_are_of_the_labels_that_the_threshold_decides(fair):
    run = fair()
    object.__setattr__(run.evaluation, "threshold", 0.3)
    check = next(each for each in run.config.metrics if each.measure == "selection_difference")
    inside = members(run, "credit_risk")
    [found] = [
        each for each in disparities.compare_groups(run, check) if each.group == "sex female"
    ]
    expected = (run.predicted[inside, 1] >= 0.3).mean()
    assert found.value == pytest.approx(expected)
    assert expected != (run.predicted[inside, 1] > 0.5).mean()


def test_unfairness_where_two_groups_meet_is_found(fair):
    run = fair()
    moved, young = run.predicted.copy(), (run.rows["age"] == "18-29").to_numpy()
    moved[members(run, "credit_risk") & young] = [0.1, 0.9]
    vars(run).update(predicted=moved)
    assert failed(runs.check(run, "where-groups-meet")) == {"sex female, age 18-29"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_group_that_is_chosen_more_often_is_found(fair, package):
    run = fair(package)
    moved, inside = run.predicted.copy(), members(run, package)
    if package == "credit_risk":
        moved[inside] = moved[inside] * 0.3 + [[0, 0.7]]
    else:
        moved[inside] += 120
    vars(run).update(predicted=moved)
    assert " ".join(GROUP[package]) in failed(runs.check(run, "selection-rates"))


def test_a_group_that_is_passed_over_more_often_is_found(fair):
    run = fair()
    moved, inside = run.predicted.copy(), members(run, "credit_risk")
    right = np.eye(2)[run.truth]
    moved[~inside] = right[~inside]
    moved[inside] = [0.9, 0.1]
    vars(run).update(predicted=moved)
    assert "sex female: missed defaulted" in failed(runs.check(run, "error-rates"))


def test_the_ratio_of_selection_rates_goes_by_its_bound(fair):
    run = fair()
    ratio = {"measure": "selection_ratio", "min": 0.8, "max": None}
    equal = runs.check(run, "selection-rates", **ratio)
    assert equal.verdict == "insufficient evidence"  # the four-fifths rule would decide
    moved, inside = run.predicted.copy(), members(run, "credit_risk")
    moved[inside] = moved[inside] * 0.3 + [[0, 0.7]]
    vars(run := fair()).update(predicted=moved)
    outcome = runs.check(run, "selection-rates", **ratio)
    assert outcome.verdict == "failed"
    assert outcome.details["high"] < 0.8


@pytest.mark.parametrize("package", PACKAGES)
def test_a_group_that_is_served_worse_is_found(fair, package):
    run = fair(package)
    moved, inside = run.predicted.copy(), np.flatnonzero(members(run, package))
    drawn = np.random.default_rng(0).permutation(inside)
    moved[inside] = moved[drawn]
    vars(run).update(predicted=moved)
    limit = {"max": 0.15} if package == "credit_risk" else {}
    outcome = runs.check(run, "quality-of-service", **limit)
    assert " ".join(GROUP[package]) in failed(outcome)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_group_of_which_less_is_known_is_found(fair, package):
    run = fair(package)
    column, value = GROUP[package]
    for rows in run.parts.values():
        name = run.contract.numeric_features[0]
        rows.loc[(rows[column] == value) & (rows.index % 2 == 0), name] = np.nan
    assert f"{column} {value}" in failed(runs.check(run, "missing-by-group"))


def test_a_group_too_small_is_named_and_leaves_the_question_open(fair):
    run = fair(gates=runs.with_gates("credit_risk", min_group_rows=350))
    outcome = runs.check(run, "selection-rates")
    assert outcome.verdict == "insufficient evidence"
    small = [group for group in outcome.details["groups"] if group.low is None]
    assert [group.group for group in small] == ["age 50+"]
    assert f"age 50+ ({small[0].rows} rows)" in outcome.message
    assert "Use more rows" in outcome.next_step


def test_a_failing_group_is_not_hidden_behind_a_small_one(fair):
    run = fair(gates=runs.with_gates("credit_risk", min_group_rows=350))
    moved, inside = run.predicted.copy(), members(run, "credit_risk")
    moved[inside] = moved[inside] * 0.3 + [[0, 0.7]]
    vars(run).update(predicted=moved)
    assert runs.check(run, "selection-rates").verdict == "failed"


def test_without_sensitive_columns_there_is_no_evidence(fair):
    known = runs.settings_of("credit_risk")["contract"]
    plain = {
        name: column.model_copy(update={"role": "ignored"})
        if column.role == "sensitive"
        else column
        for name, column in known.columns.items()
    }
    run = fair(contract=known.model_copy(update={"raw": plain}))
    outcome = runs.check(run, "selection-rates")
    assert outcome.verdict == "insufficient evidence"
    assert "no sensitive column" in outcome.message
    assert outcome.next_step.startswith("Give a column of conf/data.yml the role `sensitive`; ")


def test_each_of_three_classes_is_checked(fair):
    known = runs.settings_of("credit_risk")["contract"]
    target = known.columns["outcome"].model_copy(
        update={"values": ["repaid", "defaulted", "late"], "positive": None}
    )
    contract = known.model_copy(update={"raw": {**known.raw, "outcome": target}})
    run = fair(contract=contract)
    for rows in run.parts.values():
        rows.loc[rows.index % 3 == 0, "outcome"] = "late"
    shares = np.full((len(run.rows), 3), 1 / 3)
    inside = members(run, "credit_risk")
    shares[inside] += [-0.3, 0, 0.3]
    vars(run).update(predicted=shares)
    outcome = runs.check(run, "prediction-bias")
    assert {"sex female: late", "sex female: repaid"} <= failed(outcome)
    assert "sex female: defaulted" not in failed(outcome)


def test_the_rates_are_those_of_fairlearn(fair):
    run = fair()
    chosen = run.predicted.argmax(axis=1)
    rates = {
        "selection_difference": {"": selection_rate},
        "error_rate_difference": {"missed": false_negative_rate, "false": false_positive_rate},
    }
    for measure, functions in rates.items():
        outcome = runs.check(run, "selection-rates", measure=measure, max=0.5)
        for start, function in functions.items():
            frame = MetricFrame(
                metrics=function,
                y_true=run.truth,
                y_pred=chosen,
                sensitive_features=run.rows["age"],
            )
            for value, rate in frame.by_group.items():
                [group] = [
                    each
                    for each in outcome.details["groups"]
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
        estimates = intervals(contrasts, times=200, seed=draw, confidence=0.95)
        covered += all(each.low <= 0 <= each.high for each in estimates)
    assert covered / draws >= 0.92  # 95 % within the error of 200 draws; one by one, it were 85 %


@pytest.mark.parametrize("told", [True, False])
def test_the_intervals_cover_where_each_person_has_rows_that_are_alike(told):
    rng, covered, draws = np.random.default_rng(0), 0, 100
    person = np.arange(500) // 5
    inside = person % 2
    for draw in range(draws):
        values = rng.normal(size=100)[person]
        mean = Mean(values, np.ones(500))
        contrast = Contrast("m", "g", inside == 0, mean, mean.value(inside == 0))
        [estimate] = intervals(
            [contrast], times=200, seed=draw, confidence=0.95, groups=person if told else None
        )
        covered += estimate.low <= 0 <= estimate.high
    assert covered >= 90 if told else covered <= 75


def test_a_person_who_is_known_again_is_no_proxy():
    rng, person = np.random.default_rng(0), np.arange(1200) // 20
    rows = pd.DataFrame(
        {
            "person": person.astype(float),
            "height": rng.normal(size=60)[person],
            "sex": rng.choice(["female", "male"], 60)[person],
            "wage": rng.normal(size=1200),
        }
    )
    columns = {
        "person": {"kind": "integer", "role": "group"},
        "height": {"kind": "number"},
        "sex": {"kind": "category", "values": ["female", "male"], "role": "sensitive"},
        "wage": {"kind": "number", "role": "target"},
    }
    found = {}
    for role in ("group", "ignored"):
        columns["person"] = {"kind": "integer", "role": role}
        contract = Contract.model_validate({"min_rows": 10, "columns": columns})
        run = SimpleNamespace(contract=contract, train=SimpleNamespace(seed=0))
        truth, scores = proxies._cross_validate(rows, "sex", ["height"], run)
        found[role] = METRICS["roc_auc"].compute(truth, scores)
    assert found["ignored"] > 0.9
    assert found["group"] == pytest.approx(0.5, abs=0.15)


def test_a_group_that_is_all_alike_is_not_certain():
    inside = np.arange(400) < 40
    rate = Mean((~inside & (np.arange(400) % 5 == 0)) * 1.0, np.ones(400), rate=True)
    [estimate] = intervals(
        [Contrast("m", "g", inside, rate, 0.0)], times=200, seed=0, confidence=0.95
    )
    assert estimate.difference == pytest.approx(-0.2)
    assert estimate.high - estimate.low > 0.14
