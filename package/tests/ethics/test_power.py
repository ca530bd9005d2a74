"""Planted bias is blocked in 95 % of 200 draws at the sample's size, fair data in 5 % at most.

Five models are fitted to draws of their own; each is judged on forty draws that share no row, by
the two checks of the default page that are about bias, with 100 resamples. All checks of groups,
which take half an hour, and other sizes are in benchmarks/ethics_power.py.
"""

import json

import pytest

from package.tests.ethics import runs
from package.tests.workspaces import CREDIT
from tests.rendering import ROOT

SIZE, FITS, EACH = 3000, 5, 40
CHECKS = {"recorded-outcomes", "prediction-bias"}
PLANTED = {"credit_risk": 1.0, "energy_demand": 40.0}


def blocked(package: str, bias: float) -> float:
    """The share of draws in which at least one check of groups fails."""
    config = runs.settings_of(package)["config"]
    principles = {
        name: each.model_copy(
            update={"checks": [check for check in each.checks if check.id in CHECKS]}
        )
        for name, each in config.principles.items()
    }
    config = config.model_copy(update={"principles": principles})
    gates, stopped = runs.with_gates(package, resamples=100), 0
    for fit in range(FITS):
        learned, *judged = runs.split_samples(package, 1 + EACH, SIZE, seed=1000 + fit, bias=bias)
        model = runs.fit(package, learned["train"], seed=fit)
        for parts in judged:
            run = runs.build(package, parts, model, config=config, gates=gates)
            stopped += any(runs.check(run, each.id).verdict == "failed" for each in config.metrics)
    return stopped / (FITS * EACH)


@pytest.mark.parametrize("package", PLANTED)
def test_planted_bias_is_blocked(package):
    assert blocked(package, PLANTED[package]) >= 0.95


@pytest.mark.parametrize("package", PLANTED)
def test_fair_data_is_not(package):
    assert blocked(package, 0.0) <= 0.05


def test_the_page_shows_what_the_benchmark_found():
    results = json.loads((ROOT / "benchmarks" / "results" / "ethics_power.json").read_text())
    page = (CREDIT / "docs" / "ethics.md").read_text()
    for cell in results["cells"]:
        numbers = (
            f"| {cell['rows']} | {cell['smallest_group_in_test']} | {cell['bias']:g} ",
            f" | {cell['difference_of_recorded_outcomes']:.3f} | {cell['draws']} "
            f"| {cell['blocked']:.0%} |",
        )
        assert any(all(part in line for part in numbers) for line in page.splitlines()), cell
        if cell["rows"] == SIZE and cell["bias"] in (0, results["planted"][cell["package"]]):
            assert cell["draws"] >= 200
            assert cell["blocked"] <= 0.05 if cell["bias"] == 0 else cell["blocked"] >= 0.95
