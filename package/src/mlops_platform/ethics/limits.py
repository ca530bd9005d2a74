"""Names of the measures, and whether each has a minimum or a maximum as its limit.

`ethics/measures/` computes them. The names are separate, so that conf/ethics.yml can be checked
without importing the libraries of the computation.
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
CLASSIFICATION_ONLY = {"error_rate_difference", "selection_ratio"}


def bound_of(measure: str) -> Bound:
    """Whether the limit of a measure is a minimum or a maximum."""
    return "min" if measure in AT_LEAST else "max"


def bounds(task: Task) -> dict[str, Bound]:
    """The measures of a task, each with its kind of limit."""
    names = AT_LEAST | AT_MOST
    if task == "regression":
        names = names - CLASSIFICATION_ONLY
    return {name: bound_of(name) for name in names}
