"""Gates: limits apply to the worse bound of the interval; rules for accepting a challenger."""

import pytest
from mlops_platform.evaluation import gates
from mlops_platform.evidence import Footprint, Group, Measure, Verdict
from mlops_platform.settings import Gates, Limit, load_gates

from package.tests.workspaces import CREDIT

GATES = load_gates(CREDIT / "conf")


def limits(*quality: dict) -> Gates:
    return GATES.model_copy(update={"quality": [Limit(**limit) for limit in quality]})


def measure(low: float | None, high: float | None, name: str = "roc_auc") -> Measure:
    value = 0.5 if low is None or high is None else (low + high) / 2
    return Measure(name=name, higher_is_better=True, value=value, low=low, high=high, baseline=None)


def passes(measured: Measure, **limit) -> bool:
    given = limits({"metric": "roc_auc", **limit})
    [verdict] = gates.check_quality([measured], given, blocks=True)
    return verdict.passed


def test_a_lower_limit_holds_at_the_intervals_lower_end():
    assert passes(measure(0.7, 0.8), min=0.7)
    assert not passes(measure(0.69, 0.9), min=0.7)


def test_an_upper_limit_holds_at_the_intervals_upper_end():
    assert passes(measure(0.1, 0.25), max=0.25)
    assert not passes(measure(0.1, 0.26), max=0.25)
    assert passes(measure(-1, 0), max=0)
    assert not passes(measure(-1, 0.001), max=0)


def test_without_an_interval_no_limit_is_met():
    assert not passes(measure(None, None), min=0)
    assert not passes(measure(None, None), max=1)


def test_a_verdict_says_value_limit_and_whether_it_blocks():
    given = limits({"metric": "roc_auc", "min": 0.7})
    [verdict] = gates.check_quality([measure(0.6, 0.9)], given, blocks=False)
    assert (verdict.blocks, verdict.value) == (False, 0.6)
    assert (
        verdict.message == "roc_auc is 0.7500, lower bound of the 95% interval 0.6000; "
        "conf/gates.yml requires at least 0.7"
    )


def group(value: float | None, name: str = "female") -> Group:
    return Group(column="sex", group=name, rows=50, value=value, low=None, high=None)


def rails(challenger=(), champion=(), *, higher=True, size_mb=1.0, load_seconds=0.1):
    verdicts = gates.check_guardrails(
        size_mb=size_mb,
        load_seconds=load_seconds,
        challenger=list(challenger),
        champion=list(champion),
        higher_is_better=higher,
        gates=GATES,
    )
    return [verdict.gate for verdict in verdicts if not verdict.passed], len(verdicts)


def test_size_and_load_time_have_limits():
    assert rails() == ([], 2)
    assert rails(size_mb=GATES.guardrails.size_mb) == ([], 2)
    assert rails(size_mb=GATES.guardrails.size_mb * 1.01) == (["guardrail: model size"], 2)
    assert rails(load_seconds=99) == (["guardrail: load time"], 2)


def footprint(**changes) -> Footprint:
    usual = {"size_mb": 10, "load_seconds": 4, "memory_mb": 100, "packages": ["numpy", "skops"]}
    return Footprint(**usual | changes)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, ""),
        ({"size_mb": 15}, ""),
        ({"size_mb": 15.1}, "model size"),
        ({"load_seconds": 6.1}, "load time"),
        ({"memory_mb": 151}, "memory"),
        ({"packages": ["numpy", *(f"new-{number}" for number in range(10))]}, ""),
        ({"packages": ["numpy", *(f"new-{number}" for number in range(11))]}, "new packages"),
    ],
)
def test_a_footprint_may_grow_so_far_relative_to_the_champion(changes, broken):
    verdicts = gates.check_footprint(footprint(**changes), footprint(), GATES)
    failed = [verdict.gate for verdict in verdicts if not verdict.passed]
    assert [broken in gate for gate in failed] == ([True] if broken else [])
    assert len(verdicts) == 4


def test_a_small_growth_is_noise_and_unknown_packages_are_not_judged():
    tiny = footprint(size_mb=0.1, load_seconds=0.01, memory_mb=1, packages=[])
    grown = footprint(size_mb=1.0, load_seconds=0.9, memory_mb=20, packages=["a"] * 50)
    assert [verdict.passed for verdict in gates.check_footprint(grown, tiny, GATES)] == [True] * 3


@pytest.mark.parametrize("higher", [True, False])
def test_the_worst_group_may_not_fall_behind_the_champions(higher):
    sign = 1 if higher else -1
    champion = [group(sign * 0.8), group(sign * 0.7, "male")]
    worse = [group(sign * 0.95), group(sign * 0.66, "male")]
    near = [group(sign * 0.68), group(sign * 0.95, "male")]
    assert rails(worse, champion, higher=higher) == (["guardrail: worst group (sex = male)"], 3)
    assert rails(near, champion, higher=higher) == ([], 3)


def test_groups_that_are_too_small_are_no_worst_group():
    assert rails([group(None)], [group(0.9)]) == ([], 2)
    assert rails([group(None), group(0.9, "male")], [group(0.9)]) == ([], 3)
    assert gates.worst_group([], True) is None


FAILED = Verdict(
    gate="guardrail: model size", passed=False, blocks=True, value=9, limit="", message="too large"
)


@pytest.mark.parametrize(
    ("given", "accepted", "says"),
    [
        ({"difference": 0.1, "low": 0.05, "high": 0.2}, True, "better than the champion by 0.1000"),
        ({"difference": 0.0, "low": 0.0, "high": 0.0}, False, "tie"),
        ({"difference": 0.0, "low": 0.1, "high": 0.2}, False, "tie"),
        ({"difference": -0.1, "low": 0.1, "high": 0.2}, False, "worse than the champion by 0.1"),
        ({"difference": 0.009, "low": 0.001, "high": 0.2}, False, "better by only 0.0090"),
        ({"difference": 0.1, "low": 0.0, "high": 0.2}, False, "not significantly"),
        ({"difference": 0.1, "low": -0.01, "high": 0.2}, False, "95% interval starts at -0.0100"),
        ({"difference": 0.1, "low": None, "high": None}, False, "interval is not defined"),
        ({"difference": float("nan"), "low": None, "high": None}, False, "not significantly"),
        (
            {"difference": 0.1, "low": 0.05, "high": 0.2, "verdicts": [FAILED]},
            False,
            "guardrail violated: too large",
        ),
    ],
)
def test_only_a_significantly_better_challenger_is_accepted(given, accepted, says):
    answer, reason = gates.accept_challenger(
        **{"margin": 0.01, "confidence": 0.95, "verdicts": []} | given
    )
    assert answer is accepted
    assert says in reason


def test_a_margin_of_zero_still_asks_for_a_difference():
    given = {"margin": 0.0, "confidence": 0.95, "verdicts": []}
    assert not gates.accept_challenger(difference=0.0, low=0.0, high=0.0, **given)[0]
    assert gates.accept_challenger(difference=1e-6, low=1e-7, high=1e-5, **given)[0]
