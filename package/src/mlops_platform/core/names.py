"""Types of tasks and environments."""

from __future__ import annotations

from typing import Literal, get_args

Task = Literal["classification", "regression"]
Environment = Literal["dev", "staging", "prod"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)
