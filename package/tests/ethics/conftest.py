"""A fair draw of each sample with a fitted model, which tests then modify."""

from collections.abc import Callable
from typing import Any

import pytest

from package.tests.ethics import runs

FAIR = {"credit_risk": 11, "energy_demand": 3}


@pytest.fixture(scope="session")
def _fair() -> dict[str, tuple[dict, Any]]:
    drawn = {name: runs.split_sample(name, rows=6000, seed=seed) for name, seed in FAIR.items()}
    return {name: (rows, runs.fit(name, rows["train"])) for name, rows in drawn.items()}


@pytest.fixture
def fair(_fair: dict[str, tuple[dict, Any]]) -> Callable[..., Any]:
    """Builds a run from a fair draw of 6,000 rows; a test may change its rows and predictions."""

    def make(package: str = "credit_risk", **changed: Any) -> Any:
        rows, model = _fair[package]
        copied = {part: each.copy() for part, each in rows.items()}
        return runs.build(package, copied, model, **changed)

    return make
