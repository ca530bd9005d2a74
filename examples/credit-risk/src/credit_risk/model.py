"""Yours: the estimator."""

from typing import Any

from sklearn.ensemble import GradientBoostingClassifier


def build(parameters: dict[str, Any], seed: int) -> GradientBoostingClassifier:
    """An estimator that is not fitted yet; `parameters` come from conf/train.yml.

    It works in one thread, so that every machine makes the same model bit for bit.
    """
    return GradientBoostingClassifier(random_state=seed, **parameters)
