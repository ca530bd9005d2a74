"""Types of tasks and environments."""

from __future__ import annotations

from typing import Literal

Task = Literal["classification", "regression"]
Environment = Literal["dev", "staging", "prod"]
