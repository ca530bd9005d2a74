"""The measures that a check may name, and the limit that each is compared with.

`ethics/measures/` computes them. This list is apart, so that conf/ethics.yml is checked without the
libraries that a computation needs.
"""

from __future__ import annotations

from mlops_platform.evidence.ethics import Bound
from mlops_platform.settings import Task

AT_LEAST = {
    "alarms_raised",
    "explanation_stability",
    "gain_over_champion",
    "gain_over_constant",
    "requests_refused",
    "rollback_rehearsed",
    "selection_ratio",
    "smallest_group",
}
AT_MOST = {
    "broken_rules",
    "calibration_error",
    "card_gaps",
    "changed_evidence",
    "error_rate_difference",
    "identity_columns",
    "known_vulnerabilities",
    "loss_under_missing",
    "loss_under_noise",
    "loss_under_unseen",
    "missing_difference",
    "missing_shift",
    "outcome_difference",
    "overlap_ids",
    "overlap_rows",
    "personal_data",
    "prediction_bias",
    "proxy_auc",
    "quality_difference",
    "refit_difference",
    "secrets",
    "selection_difference",
    "spread_over_seeds",
    "unknown_sources",
    "unsafe_calls",
    "unsafe_files",
}
OF_CLASSES = {"error_rate_difference", "selection_ratio"}  # not for a regression


def bound_of(measure: str) -> Bound:
    """Whether a measure has a lower or an upper limit."""
    return "min" if measure in AT_LEAST else "max"


def bounds(task: Task) -> dict[str, Bound]:
    """The measures of a task, with the kind of limit of each."""
    names = AT_LEAST | AT_MOST
    if task == "regression":
        names = names - OF_CLASSES
    return {name: bound_of(name) for name in names}
