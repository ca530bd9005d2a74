"""Yours: the estimator."""

from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier


def build(parameters: dict[str, Any], seed: int) -> HistGradientBoostingClassifier:
    """An estimator that is not fitted yet; `parameters` come from conf/train.yml.

    It copes with missing numbers by itself.
    """
    return HistGradientBoostingClassifier(random_state=seed, **parameters)
