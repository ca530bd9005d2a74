"""Yours: the estimator."""

from typing import Any

from sklearn.ensemble import HistGradientBoostingRegressor


def build(parameters: dict[str, Any], seed: int) -> HistGradientBoostingRegressor:
    """An estimator that is not fitted yet; `parameters` come from conf/train.yml.

    It copes with missing numbers by itself.
    """
    return HistGradientBoostingRegressor(random_state=seed, **parameters)
