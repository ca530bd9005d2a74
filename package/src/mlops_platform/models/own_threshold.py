"""The threshold that a model brings along, so that `predict` is not the largest probability."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from mlops_platform.core.errors import UsageError


def find(model: Any) -> Any:
    """scikit-learn's classifier with a threshold that decides in a pipeline or search, or None."""
    while True:
        if hasattr(model, "steps"):
            model = model.steps[-1][1]
        elif hasattr(model, "best_estimator_") or hasattr(model, "param_grid"):
            model = getattr(model, "best_estimator_", model.estimator)
        else:
            break
    known = FixedThresholdClassifier, TunedThresholdClassifierCV
    return model if isinstance(model, known) else None


def require_usable(model: Any, source: str, *, chosen: bool) -> None:
    """Check an unfitted model; `chosen` tells whether conf/train.yml has a `threshold`, too.

    Raises:
        UsageError: there are two thresholds, or one of another number than the probability.
    """
    found = find(model)
    if found is None:
        return
    name = type(found).__name__
    if chosen:
        raise UsageError(
            f"{source}: {name} has a threshold, and conf/train.yml has `threshold`. Remove one."
        )
    if found.response_method == "decision_function":
        raise UsageError(
            f"{source}: {name} decides by `decision_function`, which nobody who reads the answers "
            'sees. Write response_method="predict_proba".'
        )


def of_model(model: Any) -> float | None:
    """The probability of the positive class from which a fitted model decides it; None without."""
    found = find(model)
    if found is None:
        return None
    fixed = isinstance(found, FixedThresholdClassifier)
    threshold: Any = found.threshold if fixed else found.best_threshold_
    if threshold == "auto":
        threshold = 0.5
    if _positive(found) == 0:  # the first class is decided from the threshold on
        return float(np.nextafter(1 - float(threshold), 1))
    return float(threshold)


def _positive(found: Any) -> Any:
    """The code of the class that it takes for the positive one."""
    fixed = isinstance(found, FixedThresholdClassifier)
    label = found.pos_label if fixed else found._curve_scorer._get_pos_label()
    return 1 if label is None else label
