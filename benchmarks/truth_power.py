"""How often a version is called broken: after a planted change of the truth, and without one.

For each seed a model is fitted to a draw of the sample and tested on its newest fifth, 600 rows.
Then outcomes of new rows come in: of the same truth, or of one that the sample's knob `noise`
changed. They are kept, joined and judged as `poe truth` does, with the settings of a new project.
`uv run python benchmarks/truth_power.py`
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from measuring import write

from package.tests import samples  # noqa: F401  first: it makes the samples importable

from package.tests import outcomes  # isort: skip

SEEDS = 100
# The knob: share of outcomes that are drawn at random; or the standard deviation of kWh.
KNOBS = {
    outcomes.Setting("credit_risk"): (0.0, 0.25, 0.5, 0.75, 1.0),
    outcomes.Setting("credit_risk", 3): (0.0, 0.5, 1.0),
    outcomes.Setting("energy_demand"): (0.0, 60.0, 80.0, 120.0),
}


def cell(setting: outcomes.Setting, seeds: int) -> list[dict[str, Any]]:
    """Rates of verdicts over seeds, for each size of the change."""
    words: dict[float, Counter[str]] = {knob: Counter() for knob in KNOBS[setting]}
    values: dict[float, list[float]] = {knob: [] for knob in KNOBS[setting]}
    rows, tests, began = [], [], time.perf_counter()
    for seed in range(seeds):
        fitted = outcomes.fit(setting, seed)
        tests.append(fitted.promise.figure.value)
        for knob in KNOBS[setting]:
            with tempfile.TemporaryDirectory() as scratch:
                found = outcomes.verdict(
                    setting, fitted, Path(scratch), seed=1000 + seed, noise=knob, groups=False
                )
            words[knob][found.verdict] += 1
            values[knob].append(found.value)
            rows.append(found.rows)
    return [
        {
            "package": setting.package,
            "classes": setting.classes,
            "knob": knob,
            "seeds": seeds,
            "rows_of_a_window": round(sum(rows) / len(rows)),
            "on_the_test_set": round(sum(tests) / seeds, 4),
            "on_outcomes": round(sum(values[knob]) / seeds, 4),
            "verdicts": {word: count / seeds for word, count in sorted(words[knob].items())},
            "seconds": round(time.perf_counter() - began, 1),
        }
        for knob in KNOBS[setting]
    ]


def main(quick: bool) -> None:
    """Measure all settings."""
    found = []
    for setting in KNOBS:
        cells = cell(setting, 5 if quick else SEEDS)
        for each in cells:
            print(each, file=sys.stderr, flush=True)
        found += cells
    if not quick:
        write("truth_power", {"cells": found})


if __name__ == "__main__":
    main("--quick" in sys.argv)
