"""How often the checks of groups in conf/ethics.yml stop a model: biased ones, and fair ones.

Rows are drawn from the sample's generator, with its knob `bias`, and divided by time. Ten models
are fitted to draws of each setting, and each is judged on other draws, by the checks of groups in
conf/ethics.yml and the confidence in conf/gates.yml of a new project.
`uv run python benchmarks/ethics_power.py`
"""

import sys
import time
from collections import Counter
from typing import Any

from measuring import write

from package.tests import samples  # noqa: F401  first: it makes the samples importable

from package.tests.ethics import runs  # isort: skip
from mlops_platform.ethics.measures.disparities import STATISTICS  # isort: skip

FITS = 10
KNOBS = {"credit_risk": (0.0, 0.5, 0.75, 1.0, 1.5), "energy_demand": (0.0, 20.0, 40.0, 60.0)}
SAMPLE = 3000
OTHER_SIZES = (1000, 10_000)
PLANTED = {"credit_risk": 1.0, "energy_demand": 40.0}
UNITS = {"credit_risk": "log-odds of default", "energy_demand": "kWh"}


def checks(package: str) -> list[Any]:
    """The default checks that compare groups."""
    return [
        check
        for check in runs.settings_of(package)["config"].metrics
        if check.measure in STATISTICS
    ]


def cell(package: str, rows: int, bias: float, draws: int) -> dict[str, Any]:
    """Rates of verdicts over draws of one setting."""
    began, effects, groups = time.perf_counter(), [], []
    listed = checks(package)
    words: dict[str, Counter[str]] = {check.id: Counter() for check in listed}
    blocked = 0
    for fit in range(FITS):
        learned, *judged = runs.split_samples(package, 1 + draws // FITS, rows, seed=fit, bias=bias)
        model = runs.fit(package, learned["train"], seed=fit)
        for parts in judged:
            run = runs.build(package, parts, model)
            found = {check.id: runs.check(run, check.id) for check in listed}
            for name, each in found.items():
                words[name][each.verdict] += 1
            blocked += any(each.verdict == "failed" for each in found.values())
            first = found["recorded-outcomes"].details["groups"][0]
            effects.append(first.distance)
            sizes = [each.rows for each in found["prediction-bias"].details["groups"]]
            groups.append(min(sizes))
    return {
        "package": package,
        "rows": rows,
        "bias": bias,
        "unit": UNITS[package],
        "difference_of_recorded_outcomes": round(sum(effects) / len(effects), 3),
        "smallest_group_in_test": round(sum(groups) / len(groups)),
        "draws": draws,
        "blocked": round(blocked / draws, 3),
        "verdicts": {
            name: {word: round(count / draws, 3) for word, count in sorted(found.items())}
            for name, found in words.items()
        },
        "seconds": round(time.perf_counter() - began, 1),
    }


def main(quick: bool) -> None:
    """Measure all settings."""
    found = []
    for package, knobs in KNOBS.items():
        planted = PLANTED[package]
        settings = [(SAMPLE, bias, 200 if bias in (0, planted) else 50) for bias in knobs]
        settings += [(rows, bias, 20) for rows in OTHER_SIZES for bias in (0.0, planted)]
        for rows, bias, draws in settings:
            found.append(cell(package, rows, bias, FITS if quick else draws))
            print(found[-1], file=sys.stderr, flush=True)
    if not quick:
        write("ethics_power", {"planted": PLANTED, "cells": found})


if __name__ == "__main__":
    main("--quick" in sys.argv)
