"""Decides the label of a row from its probabilities: the same in evaluation and in serving."""

from __future__ import annotations

import numpy as np


def decide(probabilities: np.ndarray, threshold: float | None = None) -> np.ndarray:
    """Codes (rows,) of the labels for probabilities (rows, labels).

    With a threshold, which two classes can have, the positive class is decided when its probability
    is at least that. Without one it is the most probable class, the first of equal ones.
    """
    if threshold is None:
        chosen: np.ndarray = probabilities.argmax(axis=1)
    else:
        chosen = (probabilities[:, 1] >= threshold).astype(int)
    return chosen
