"""Does the model card say what it must?"""

from __future__ import annotations

from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import Measure, Value, counted, listed
from mlops_platform.report import card, collect


def _card_gaps(case: Case, _: Metric) -> Value:
    """Lines of the model card that nobody has filled in."""
    made = card.make(case.conf, collect.from_outputs(case.outputs.parent))
    return counted(len(made.gaps), len(made.lines), listed(made.gaps) or made.completeness)


MEASURES = [
    Measure(
        "card_gaps",
        _card_gaps,
        "Fill in conf/model_card.yml, a sentence or two for each field",
    ),
]
