"""Limits for conf/gates.yml and conf/ethics.yml from what a constant reaches on this data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_platform.draft.guess import Guess
from mlops_platform.evaluation.metrics import METRICS

# The share of a constant's error that each limit in the metric's own unit is.
BETTER = 0.9  # a model's error must be at most so much of a constant's
MARGIN = 0.005
WORST_GROUP = 0.05
MIN_R2 = 0.1
OF_ETHICS = {
    "loss_under_noise": 0.1,
    "loss_under_missing": 0.15,
    "loss_under_unseen": 0.3,
    "spread_over_seeds": 0.05,
    "quality_difference": 0.15,
}
MIN_AUC = 0.6
RARE = 0.1  # below this share of positives, average precision says more than ROC AUC


@dataclass(frozen=True)
class Limits:
    """The metric that decides and its limits; `constant` says what a constant reaches.

    `quality`: (metric, min or max, limit). `of_ethics`: limits in the metric's unit, by measure.
    """

    metric: str
    margin: float
    worst_group_drop: float
    quality: list[tuple[str, str, float]]
    constant: dict[str, float]
    of_ethics: dict[str, float]


def propose(target: Guess) -> Limits:
    """Limits that a constant does not meet; `target` has no missing values in `present`."""
    return _of_numbers(target) if target.numeric else _of_classes(target)


def _of_numbers(target: Guess) -> Limits:
    truth = target.present.to_numpy(dtype="float64")
    error = METRICS["mae"].compute(truth, np.full(len(truth), np.median(truth)))
    return Limits(
        metric="mae",
        margin=_two_digits(MARGIN * error),
        worst_group_drop=_two_digits(WORST_GROUP * error),
        quality=[("r2", "min", MIN_R2), ("mae", "max", _two_digits(BETTER * error))],
        constant={"r2": 0.0, "mae": error},
        of_ethics={name: _two_digits(share * error) for name, share in OF_ETHICS.items()},
    )


def _of_classes(target: Guess) -> Limits:
    counts = target.present.value_counts()
    labels = sorted(counts.index, key=lambda label: (label == target.positive, label))
    shares = (counts[labels] / counts.sum()).to_numpy()
    codes = target.present.map({label: code for code, label in enumerate(labels)}).to_numpy()
    constant = np.tile(shares, (len(codes), 1))
    names = ("roc_auc", "brier", "average_precision")
    reached = {name: METRICS[name].compute(codes.astype(int), constant) for name in names}
    quality = [("roc_auc", "min", MIN_AUC)]
    metric = "roc_auc"
    if len(labels) == 2 and shares[-1] < RARE:  # by chance more of the few positives miss the limit
        metric = "average_precision"
        quality.append((metric, "min", _two_digits(1.5 * reached[metric])))
    else:
        quality.append(("brier", "max", _two_digits(reached["brier"])))
    return Limits(metric, 0.002, 0.03, quality, {n: reached[n] for n, *_ in quality}, {})


def _two_digits(value: float) -> float:
    """Rounded down to two digits that count, so that a limit does not let a constant pass."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (np.ceil(np.log10(value)) - 2)
    return float(f"{(value / unit + 1e-9) // 1 * unit:.12g}")
