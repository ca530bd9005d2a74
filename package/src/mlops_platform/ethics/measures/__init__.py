"""The measures by name. Each is a function of a run that returns a value with its interval.

To add your own measure, write a test and name it in a check of `kind: test` (docs/ethics.md).
"""

from __future__ import annotations

from mlops_platform.ethics.measurement import Measure
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
