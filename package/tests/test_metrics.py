"""The metrics in numpy equal those of scikit-learn, also with ties and single classes."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from mlops_platform import settings
from mlops_platform.core.errors import UsageError
from mlops_platform.evaluation import bootstrap, metrics
from sklearn import metrics as theirs

from package.tests.workspaces import CREDIT

SEEDS = range(8)


def ours(name: str, truth: np.ndarray, predicted: np.ndarray) -> float:
    return metrics.METRICS[name].compute(truth, predicted)


def classified(seed: int, classes: int, ties: bool, rows: int = 60):
    """Truth and probabilities; with ties, only a few different ones."""
    rng = np.random.default_rng(seed)
    truth = np.append(np.arange(classes), rng.integers(0, classes, rows - classes))
    predicted = rng.dirichlet(np.ones(classes), rows)
    if ties:
        predicted = np.round(predicted * 4) + 1e-9
        predicted /= predicted.sum(axis=1, keepdims=True)
    return truth, predicted


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_two_classes(seed, ties):
    truth, predicted = classified(seed, 2, ties)
    score, chosen = predicted[:, 1], predicted.argmax(axis=1)
    expected = {
        "roc_auc": theirs.roc_auc_score(truth, score),
        "average_precision": theirs.average_precision_score(truth, score),
        "log_loss": theirs.log_loss(truth, predicted),
        "brier": theirs.brier_score_loss(truth, score),
        "accuracy": theirs.accuracy_score(truth, chosen),
        "f1": theirs.f1_score(truth, chosen, zero_division=0),
    }
    assert {name: ours(name, truth, predicted) for name in expected} == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("classes", [3, 4])
@pytest.mark.parametrize("seed", SEEDS)
def test_several_classes(seed, classes, ties):
    truth, predicted = classified(seed, classes, ties)
    chosen, one_hot = predicted.argmax(axis=1), np.eye(classes)[truth]
    expected = {
        "roc_auc": theirs.roc_auc_score(truth, predicted, multi_class="ovr", average="macro"),
        "average_precision": theirs.average_precision_score(one_hot, predicted, average="macro"),
        "log_loss": theirs.log_loss(truth, predicted),
        "brier": theirs.brier_score_loss(truth, predicted),
        "accuracy": theirs.accuracy_score(truth, chosen),
        "f1": theirs.f1_score(truth, chosen, average="macro", zero_division=0),
    }
    assert {name: ours(name, truth, predicted) for name in expected} == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers(seed):
    rng = np.random.default_rng(seed)
    truth, predicted = rng.normal(50, 9, 40), rng.normal(50, 9, 40)
    expected = {
        "mae": theirs.mean_absolute_error(truth, predicted),
        "rmse": theirs.root_mean_squared_error(truth, predicted),
        "r2": theirs.r2_score(truth, predicted),
    }
    assert {name: ours(name, truth, predicted) for name in expected} == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("certain", [np.array([[1.0, 0.0]] * 4), np.array([[0.0, 1.0]] * 4)])
def test_a_certain_and_wrong_probability_costs_as_much_as_in_scikit_learn(certain):
    truth = np.array([0, 1, 1, 0])
    assert ours("log_loss", truth, certain) == pytest.approx(theirs.log_loss(truth, certain))
    assert ours("brier", truth, certain) == pytest.approx(
        theirs.brier_score_loss(truth, certain[:, 1])
    )


def test_a_probability_above_one_is_no_better_than_one():
    assert ours("log_loss", np.array([1, 1]), np.array([[0.0, 1.0], [0.0, 1.5]])) == 0


def test_all_the_same_score_is_no_better_than_chance():
    truth, constant = np.array([0, 1, 1, 0, 1]), np.full((5, 2), 0.5)
    assert ours("roc_auc", truth, constant) == 0.5
    assert ours("average_precision", truth, constant) == pytest.approx(0.6)
    assert ours("f1", truth, constant) == 0


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("classes", [2, 3])
def test_ranking_one_class_is_not_defined(name, classes):
    truth, predicted = np.ones(5, dtype=int), np.full((5, classes), 1 / classes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(ours(name, truth, predicted))


def test_a_truth_without_spread_has_no_r2():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(ours("r2", np.ones(5), np.arange(5.0)))


def test_a_class_that_the_truth_lacks_is_left_out():
    truth, predicted = classified(0, 3, ties=False)
    truth[truth == 2] = 1
    alone = [ours("roc_auc", truth == code, predicted[:, [code, code]]) for code in (0, 1)]
    assert ours("roc_auc", truth, predicted) == pytest.approx(np.mean(alone))


@pytest.mark.parametrize(
    ("truth", "chosen"),
    [([0, 0, 1, 1], [0, 1, 1, 1]), ([0, 0, 1, 2], [0, 0, 1, 1]), ([0, 1, 1, 1], [2, 1, 1, 1])],
    ids=["nowhere", "once in the truth", "once predicted"],
)
def test_f1_is_the_mean_of_the_classes_that_occur(truth, chosen):
    found = ours("f1", np.array(truth), np.eye(3)[chosen])
    assert found == pytest.approx(theirs.f1_score(truth, chosen, average="macro", zero_division=0))


def test_a_class_that_was_not_drawn_is_left_out():
    truth, predicted = classified(0, 3, False)
    drawn = (truth != 2).astype(float)
    kept = truth != 2
    expected = np.mean(
        [theirs.roc_auc_score(truth[kept] == code, predicted[kept, code]) for code in (0, 1)]
    )
    assert metrics.METRICS["roc_auc"].on(truth, predicted)(drawn) == pytest.approx(expected)


@pytest.mark.parametrize("metric", metrics.METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_knows_which_way_is_better(metric):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 50) if metric.task == "classification" else rng.normal(size=50)
    good = np.eye(2)[truth] * 0.8 + 0.1 if metric.task == "classification" else truth + 0.01
    bad = good[::-1]
    assert metric.gain(metric.compute(truth, good), metric.compute(truth, bad)) > 0


def test_the_gain_is_the_difference_in_the_better_direction():
    """Halves and quarters, which floats hold exactly."""
    assert metrics.METRICS["roc_auc"].gain(0.75, 0.5) == 0.25
    assert metrics.METRICS["brier"].gain(0.75, 0.5) == -0.25


@pytest.mark.parametrize(
    ("metric", "limited", "field"), [("auc", "mae", "metric"), ("mae", "auc", "quality")]
)
def test_an_unknown_metric_is_named_with_its_file_and_field(metric, limited, field):
    gates = settings.load_gates(CREDIT / "conf").model_copy(
        update={"metric": metric, "quality": [settings.Limit(metric=limited, max=1)]}
    )
    with pytest.raises(UsageError) as error:
        metrics.primary_metric(gates, "regression", Path("conf"))
    assert str(error.value) == (
        f"{Path('conf/gates.yml')}, field `{field}`: unknown metric 'auc' for regression; "
        "choose one of mae, rmse, r2."
    )


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ([("mae", "min", 10)], "for mae, lower is better. Add a `max`."),
        ([("r2", "max", 0.9)], "for r2, higher is better. Add a `min`."),
        ([("r2", "max", 0.9), ("r2", "min", 0.1)], ""),  # both limits are allowed
    ],
)
def test_a_limit_in_the_wrong_direction_is_no_gate(limits, says):
    quality = [settings.Limit(metric=name, **{bound: value}) for name, bound, value in limits]
    gates = settings.load_gates(CREDIT / "conf").model_copy(
        update={"metric": "mae", "quality": quality}
    )
    if not says:
        assert metrics.primary_metric(gates, "regression", Path("conf")).name == "mae"
        return
    with pytest.raises(UsageError) as error:
        metrics.primary_metric(gates, "regression", Path("conf"))
    assert str(error.value) == f"{Path('conf/gates.yml')}, field `quality`: {says}"


GUESSED = "of a guess between {} classes is {}, which passes the limit {}. Write a stricter one."


@pytest.mark.parametrize(
    ("metric", "bound", "value", "classes", "says"),
    [
        ("accuracy", "min", 0.25, 4, GUESSED.format(4, 0.25, 0.25)),
        ("accuracy", "min", 0.26, 4, ""),
        ("roc_auc", "min", 0.5, 3, GUESSED.format(3, 0.5, 0.5)),
        ("roc_auc", "min", 0.51, 3, ""),
        ("brier", "max", 0.75, 4, GUESSED.format(4, 0.75, 0.75)),
        ("brier", "max", 0.74, 4, ""),
        ("log_loss", "max", 1.4, 4, GUESSED.format(4, 1.386, 1.4)),
        ("log_loss", "max", 1.38, 4, ""),
        (
            "brier",
            "max",
            0.25,
            4,
            "is a sum over 4 classes here, from 0 to 2, and a guess has 0.75; 0.25 is the limit "
            "for two classes. Write another one.",
        ),
        ("log_loss", "max", 0.25, 4, ""),
        ("f1", "min", 0.1, 4, ""),  # of a guess it depends on the classes' shares
        ("unknown", "min", 0.1, 4, ""),  # `primary_metric` names it
        ("roc_auc", "max", 0.99, 4, ""),  # against results that are too good to be true
        ("brier", "min", 0.01, 4, ""),
        ("brier", "max", 0.25, 2, ""),
        ("brier", "max", 0.5, 2, ""),
    ],
)
def test_a_guess_between_many_classes_passes_no_limit(metric, bound, value, classes, says):
    """Beside a limit that is right, and before another that is wrong."""
    limits = [("f1", "min", 0.1), (metric, bound, value), ("accuracy", "min", 0.1)]
    gates = settings.load_gates(CREDIT / "conf").model_copy(
        update={
            "quality": [settings.Limit(metric=name, **{at: limit}) for name, at, limit in limits]
        }
    )
    field = f"{Path('conf/gates.yml')}, field `quality`: "
    expected = [f"{field}{metric} {says}"] if says else []
    if classes > 2:
        guess = GUESSED.format(classes, f"{1 / classes:.4g}", 0.1)
        expected.append(f"{field}accuracy {guess}")
    if not expected:
        metrics.require_fitting(gates, classes, Path("conf"))
        return
    with pytest.raises(UsageError) as error:
        metrics.require_fitting(gates, classes, Path("conf"))
    assert str(error.value).split("\n") == expected


def test_the_bootstrap_finds_the_standard_error_of_a_mean():
    rng = np.random.default_rng(1)
    values = rng.normal(size=400)
    drawn = bootstrap.estimates(400, lambda counts: counts @ values / 400, times=2000, seed=0)
    low, high = bootstrap.interval(drawn, 0.95)
    error = values.std() / 20
    assert (low, high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.01
    )


def test_the_bootstrap_draws_each_row_with_replacement():
    drawn = np.stack(list(bootstrap.resamples(9, times=30, seed=0)))
    assert set(drawn.sum(axis=1)) == {9}
    assert drawn.any(axis=0).all()
    assert (drawn == 0).any()
    assert (drawn > 1).any()


def test_an_interval_leaves_out_equal_shares_at_both_ends():
    assert bootstrap.interval(np.arange(101.0), 0.9) == pytest.approx((5, 95))


def test_draws_that_are_not_defined_are_left_out():
    drawn = bootstrap.estimates(10, lambda _: float("nan"), times=100, seed=0)
    assert bootstrap.interval(drawn, 0.95) == (None, None)


def test_the_seed_decides_the_draws():
    first, second, other = (
        bootstrap.estimates(30, lambda counts: float(counts[0]), times=50, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first.tolist() == second.tolist() != other.tolist()


@pytest.mark.parametrize("metric", metrics.METRICS.values(), ids=lambda metric: metric.name)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_metric_of_counts_is_that_of_the_rows_drawn_so_often(metric, classes):
    rng = np.random.default_rng(0)
    if metric.task == "classification":
        truth, predicted = classified(0, classes, ties=True)
    else:
        truth, predicted = rng.normal(50, 9, 60), rng.normal(50, 9, 60)
    prepared = metric.at(0.4 if classes == 2 else None).on(truth, predicted)
    for counts in bootstrap.resamples(60, times=20, seed=1):
        picked = np.repeat(np.arange(60), counts.astype(int))
        drawn = metric.at(0.4 if classes == 2 else None).compute(truth[picked], predicted[picked])
        assert prepared(counts) == pytest.approx(drawn, rel=1e-12)


def test_a_resample_draws_as_many_rows_or_groups_as_there_are():
    groups = np.array([7, 7, 7, 9, 9, -1])
    for counts in bootstrap.resamples(6, times=20, seed=0):
        assert counts.sum() == 6
    for counts in bootstrap.resamples(6, times=20, seed=0, groups=groups):
        of_group = counts[[0, 3, 5]]
        assert of_group.sum() == 3
        assert counts.tolist() == of_group.repeat([3, 2, 1]).tolist()


def test_an_interval_leaves_out_what_is_not_defined():
    values = np.array([np.nan, 1.0, 2.0, 3.0])
    assert bootstrap.interval(values, 0.5) == (1.5, 2.5)
    assert bootstrap.interval(values[:1], 0.5) == (None, None)
