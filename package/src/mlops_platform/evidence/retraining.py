"""Shape of retraining.json: whether a machine retrains, and what is missing if not."""

from __future__ import annotations

from typing import Literal

from mlops_platform.evidence.shapes import Part


class Retraining(Part):
    """retraining.json: a decision; `notify` are the roles that should know of it.

    `reasons` are what was found: drift, or a version that is broken on real outcomes.
    """

    shape: Literal["retraining/1"] = "retraining/1"
    decision: Literal["train", "notify"]
    trigger: str
    reasons: list[str]
    missing: list[str]
    notify: list[str]
    message: str
