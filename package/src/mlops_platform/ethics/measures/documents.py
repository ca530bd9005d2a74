"""Measures of documentation: the model card."""

from __future__ import annotations

from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import Measure, Value, exact_value, first_few
from mlops_platform.report import card, collect


def _card_gaps(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Empty fields of the model card."""
    model_card = card.build_card(
        run.conf, collect.read_outputs(run.outputs.parents[1], run.outputs)
    )
    description = first_few(model_card.gaps) or model_card.completeness
    return exact_value(len(model_card.gaps), len(model_card.lines), description)


MEASURES = [
    Measure(
        "card_gaps",
        _card_gaps,
        "Fill in conf/model_card.yml, a sentence or two for each field",
    ),
]
