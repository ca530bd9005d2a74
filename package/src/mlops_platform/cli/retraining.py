"""Retrains on this machine, if the decision is to."""

from __future__ import annotations

from pathlib import Path

from mlops_platform import evidence, settings
from mlops_platform.cli import pipelines
from mlops_platform.delivery import decision, summary
from mlops_platform.monitoring import cooldown, retraining
from mlops_platform.pipelines import load
from mlops_platform.tracking import experiments
from mlops_platform.tracking.registry import Registry
from mlops_platform.truth import new_rows

MANUAL_COMMAND = "uv run mlops retrain --why REASON"


def decide(pipeline: Path, drift: str) -> evidence.Retraining:
    """Decide on a training for drift, or for a champion that is broken on real outcomes."""
    inputs = load(pipeline).inputs
    conf, raw = inputs["conf"], inputs["raw"]
    limits = settings.load_train(conf).retrain
    starts, source = experiments.start_times(conf), conf / "train.yml"
    champion = Registry(conf).holder("champion")
    return retraining.decide(
        drift=drift,
        truth=retraining.broken(champion.tags if champion else {}),
        new=new_rows.count(conf, raw),
        least=limits.new_rows,
        wait=cooldown.time_to_wait(starts, limits, source, cooldown.utc_now(), MANUAL_COMMAND),
        manual_command=MANUAL_COMMAND,
    )


def run(pipeline: Path, trigger: str, *, drift: str = "") -> None:
    """Train a challenger, if the decision is to.

    Raises:
        GateError: it is not to be trained; the message says what is missing and who should know.
    """
    decision.act_on(decide(pipeline, drift), Path.cwd())
    summary.show(pipelines.run(pipeline, {"trigger": trigger}))
