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


@pytest.mark.parametrize(
    ("measured", "limit", "verdict"),
    [
        (
            measure(0.6, 0.9),
            {"min": 0.7},
            {
                "passed": False,
                "value": 0.6,
                "limit": "at least 0.7",
                "message": "roc_auc is 0.7500, lower bound of the 95% interval 0.6000; "
                "conf/gates.yml requires at least 0.7",
            },
        ),
        (
            measure(0.1, 0.2),
            {"max": 0.25},
            {
                "passed": True,
                "value": 0.2,
                "limit": "at most 0.25",
                "message": "roc_auc is 0.1500, upper bound of the 95% interval 0.2000; "
                "conf/gates.yml requires at most 0.25",
            },
        ),
        (
            measure(None, None),
            {"min": 0.4},
            {
                "passed": False,
                "value": None,
                "limit": "at least 0.4",
                "message": "roc_auc is 0.5000, without a 95% interval; "
                "conf/gates.yml requires at least 0.4",
            },
        ),
    ],
    ids=["lower limit", "upper limit", "no interval"],
)
@pytest.mark.parametrize("blocks", [True, False])
def test_a_verdict_says_value_limit_and_whether_it_blocks(measured, limit, verdict, blocks):
    given = limits({"metric": "roc_auc", **limit})
    [found] = gates.check_quality([measured], given, blocks=blocks)
    assert found.model_dump() == {"gate": "quality: roc_auc", "blocks": blocks, **verdict}


def group(value: float | None, name: str = "female") -> Group:
    return Group(column="sex", group=name, rows=50, value=value, low=None, high=None)


def guardrails(challenger=(), champion=(), *, higher=True, size_mb=1.0, load_seconds=0.1):
    return gates.check_guardrails(
        size_mb=size_mb,
        load_seconds=load_seconds,
        challenger=list(challenger),
        champion=list(champion),
        higher_is_better=higher,
        gates=GATES,
    )


def rails(*groups, **given):
    verdicts = guardrails(*groups, **given)
    return [verdict.gate for verdict in verdicts if not verdict.passed], len(verdicts)


def of_guardrail(gate: str, value: float, limit: str, message: str, *, passed: bool = True) -> dict:
    """A guardrail's verdict: guardrails block in each stage."""
    return {
        "gate": f"guardrail: {gate}",
        "passed": passed,
        "blocks": True,
        "value": value,
        "limit": limit,
        "message": message,
    }


def test_a_guardrails_verdict_names_value_unit_field_and_limit():
    found = guardrails([group(0.5)], [group(0.75)], size_mb=50.5, load_seconds=5)
    assert [each.model_dump() for each in found] == [
        of_guardrail(
            "model size",
            50.5,
            "at most 50",
            "model size is 50.5 MB; conf/gates.yml, `guardrails.size_mb` allows 50 MB",
            passed=False,
        ),
        of_guardrail(
            "load time",
            5,
            "at most 5",
            "load time is 5 s; conf/gates.yml, `guardrails.load_seconds` allows 5 s",
        ),
        of_guardrail(
            "worst group (sex = female)",
            0.25,
            "at most 0.03",
            "worst group (sex = female) is worse than the champion's by 0.25; "
            "conf/gates.yml, `guardrails.worst_group_drop` allows 0.03",
            passed=False,
        ),
    ]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0.75, "no worse than the champion's"),
        (0.8, "no worse than the champion's"),
        (0.74, "worse than the champion's by 0.01"),
    ],
)
def test_only_a_drop_is_called_worse(value, says):
    found = guardrails([group(value)], [group(0.75)])[-1]
    assert found.passed
    assert f"(sex = female) is {says}; conf" in found.message


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


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"size_mb": 1.25, "load_seconds": 1.25, "memory_mb": 21}, []),  # exactly the tolerance
        ({"size_mb": 1.26}, ["model size"]),
        ({"load_seconds": 1.26}, ["load time"]),
        ({"memory_mb": 21.01}, ["memory"]),
    ],
)
def test_a_small_growth_is_noise(changes, broken):
    tiny = footprint(size_mb=0.25, load_seconds=0.25, memory_mb=1)
    grown = tiny.model_copy(update=changes)
    failed = [each.gate for each in gates.check_footprint(grown, tiny, GATES) if not each.passed]
    assert failed == [f"guardrail: {name} relative to the champion" for name in broken]


def test_a_footprints_verdict_shows_both_models():
    grown = footprint(size_mb=15.5, load_seconds=6, memory_mb=120, packages=["b", "numpy", "a"])
    assert [each.model_dump() for each in gates.check_footprint(grown, footprint(), GATES)] == [
        of_guardrail(
            "model size relative to the champion",
            15.5,
            "at most 15",
            "model size is 15.5 MB, the champion's 10 MB; "
            "conf/gates.yml, `guardrails.growth` allows 15 MB",
            passed=False,
        ),
        of_guardrail(
            "load time relative to the champion",
            6,
            "at most 6",
            "load time is 6 s, the champion's 4 s; conf/gates.yml, `guardrails.growth` allows 6 s",
        ),
        of_guardrail(
            "memory relative to the champion",
            120,
            "at most 150",
            "memory is 120 MB, the champion's 100 MB; "
            "conf/gates.yml, `guardrails.growth` allows 150 MB",
        ),
        of_guardrail(
            "new packages (a, b)",
            2,
            "at most 10",
            "new packages (a, b): 2; conf/gates.yml, `guardrails.new_packages` allows 10",
        ),
    ]


def test_no_new_packages_are_none_and_unknown_ones_are_not_judged():
    same = gates.check_footprint(footprint(), footprint(), GATES)[-1]
    assert same.message.startswith("new packages (none): 0; ")
    unknown = footprint(packages=[])  # of an older model
    assert len(gates.check_footprint(footprint(packages=["a"] * 50), unknown, GATES)) == 3


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
    assert rails([group(0.9)], [group(None)]) == ([], 2)
    assert gates.worst_group([], True) is None


@pytest.mark.parametrize("higher", [True, False])
def test_a_group_with_a_metric_of_zero_is_compared_like_any_other(higher):
    zero, other = group(0.0), group(0.5 if higher else -0.5, "male")
    assert gates.worst_group([other, zero], higher) == zero


def broken(message: str) -> Verdict:
    return Verdict(
        gate="guardrail: x", passed=False, blocks=True, value=9, limit="", message=message
    )


PASSED = broken("").model_copy(update={"passed": True})


@pytest.mark.parametrize(
    ("given", "accepted", "says"),
    [
        ({"verdicts": [PASSED]}, True, "better than the champion by 0.1000 (0.0500 to 0.2000)"),
        (
            {"difference": 0.01, "low": 0.001},  # exactly the margin
            True,
            "better than the champion by 0.0100 (0.0010 to 0.2000)",
        ),
        ({"difference": 0.0}, False, "tie: the challenger is exactly as good as the champion"),
        ({"difference": -0.1}, False, "worse than the champion by 0.1000"),
        (
            {"difference": 0.009, "low": 0.001},
            False,
            "better by only 0.0090, conf/gates.yml requires 0.01",
        ),
        (
            {"low": 0.0},
            False,
            "better by 0.1000, but not significantly: its 95% interval starts at 0.0000",
        ),
        (
            {"low": -0.01},
            False,
            "better by 0.1000, but not significantly: its 95% interval starts at -0.0100",
        ),
        (
            {"low": None, "high": None},
            False,
            "better by 0.1000, but not significantly: its 95% interval is not defined",
        ),
        (
            {"low": None},
            False,
            "better by 0.1000, but not significantly: its 95% interval is not defined",
        ),
        (
            {"difference": float("nan"), "low": None, "high": None},
            False,
            "better by nan, but not significantly: its 95% interval is not defined",
        ),
        (
            {"verdicts": [broken("too large"), PASSED, broken("too slow")]},
            False,
            "guardrail violated: too large; too slow",
        ),
    ],
)
def test_only_a_significantly_better_challenger_is_accepted(given, accepted, says):
    usual = {"difference": 0.1, "low": 0.05, "high": 0.2}
    rule = {"margin": 0.01, "confidence": 0.95, "verdicts": []}
    assert gates.accept_challenger(**usual | rule | given) == (accepted, says)


def test_a_margin_of_zero_still_asks_for_a_difference():
    given = {"margin": 0.0, "confidence": 0.95, "verdicts": []}
    assert not gates.accept_challenger(difference=0.0, low=0.0, high=0.0, **given)[0]
    assert gates.accept_challenger(difference=1e-6, low=1e-7, high=1e-5, **given)[0]
