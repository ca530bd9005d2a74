"""The measures by name, by topic: each is a function of a run and gives a value with its interval.

A measure of your own is no part of this folder: write it as a test, and name it in a check of
`kind: test` (docs/ethics.md).
"""

from __future__ import annotations

from mlops_platform.ethics.measures import (
    audit,
    data,
    disparities,
    documents,
    explanations,
    fitness,
    oversight,
    privacy,
    proxies,
    robustness,
    security,
)
from mlops_platform.ethics.value import Measure

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for topic in (
        fitness,
        data,
        proxies,
        disparities,
        robustness,
        explanations,
        oversight,
        audit,
        privacy,
        security,
        documents,
    )
    for measure in topic.MEASURES
}
