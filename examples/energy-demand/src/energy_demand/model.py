"""Yours: the estimator."""

from typing import Any

from sklearn.ensemble import GradientBoostingRegressor


def build(parameters: dict[str, Any], seed: int) -> GradientBoostingRegressor:
    """An estimator that is not fitted yet; `parameters` come from conf/train.yml.

    It works in one thread, so that every machine makes the same model bit for bit.
    """
    return GradientBoostingRegressor(random_state=seed, **parameters)
