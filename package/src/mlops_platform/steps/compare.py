"""Champion and challenger on the same rows: who is better, and is that provable?"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from mlops_platform import evidence, settings
from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.evaluation import gates, groups, metrics
from mlops_platform.models import artifact, dataset, footprint, team
from mlops_platform.tracking import experiments
from mlops_platform.tracking.registry import Registry


def run(conf: Path, data: Path, model: Path, evaluation: Path, out: Path) -> None:
    """Write `out/comparison.json`.

    A challenger that loses is a result, not an error: the decision is in the evidence. A registry
    that cannot be reached is an error, and ends the run.
    """
    project, limits = settings.load_project(conf), settings.load_gates(conf)
    contract = load_contract(conf / "data.yml", project.task)
    seed = settings.load_train(conf).seed
    metric = metrics.deciding(limits, project.task, conf)
    measured = evidence.read(evidence.Evaluation, evaluation / "evaluation.json")
    rows = dataset.read_part(data, "test", contract)
    truth = dataset.truth(rows, contract)

    began = time.perf_counter()
    code = team.of(conf)
    fitted = artifact.load(model, code)
    load_seconds = time.perf_counter() - began
    challenger = dataset.predict(fitted, rows[contract.features], contract.labels)
    value = metric.compute(truth, challenger)

    registry = Registry(conf)
    champion = registry.holder("champion")
    if champion is None:
        verdicts = gates.guardrails(
            size_mb=measured.size_mb,
            load_seconds=load_seconds,
            challenger=measured.groups,
            champion=[],
            higher_is_better=metric.higher_is_better,
            gates=limits,
        )
        broken = [verdict for verdict in verdicts if not verdict.passed]
        result = evidence.Comparison(
            decision="rejected" if broken else "accepted",
            reason="guardrail broken: " + "; ".join(verdict.message for verdict in broken)
            if broken
            else "there is no champion yet; it beats the constant baseline",
            metric=metric.name,
            test_hash=measured.test_hash,
            champion=None,
            champion_value=None,
            champion_measures={},
            challenger_value=value,
            margin=limits.margin,
            difference=None,
            low=None,
            high=None,
            verdicts=verdicts,
        )
        evidence.write(result, out / "comparison.json")
        return

    with tempfile.TemporaryDirectory() as scratch:
        folder = registry.download(champion, Path(scratch))
        card = artifact.load_card(folder)
        _require_comparable(card, contract, conf, champion.number)
        reigning = dataset.predict(
            artifact.load(folder, code), rows[card.features], contract.labels
        )
        footprints = (footprint.measure(model, code), footprint.measure(folder, code))
    champion_value = metric.compute(truth, reigning)
    drawn = metrics.resamples(
        len(truth),
        lambda picked: metric.gain(
            metric.compute(truth[picked], challenger[picked]),
            metric.compute(truth[picked], reigning[picked]),
        ),
        times=limits.resamples,
        seed=seed,
    )
    low, high = metrics.interval(drawn, limits.confidence)
    difference = metric.gain(value, champion_value)
    if np.array_equal(challenger, reigning):
        difference = 0.0
    verdicts = gates.guardrails(
        size_mb=measured.size_mb,
        load_seconds=load_seconds,
        challenger=measured.groups,
        champion=groups.by_group(
            rows, truth, reigning, metric=metric, contract=contract, limits=limits, seed=seed
        ),
        higher_is_better=metric.higher_is_better,
        gates=limits,
    ) + gates.footprint(*footprints, limits)
    accepted, reason = gates.decide(
        difference=difference,
        low=low,
        high=high,
        margin=limits.margin,
        confidence=limits.confidence,
        verdicts=verdicts,
    )
    result = evidence.Comparison(
        decision="accepted" if accepted else "rejected",
        reason=reason,
        metric=metric.name,
        test_hash=measured.test_hash,
        champion=champion.number,
        champion_value=champion_value,
        champion_measures={
            each.name: each.compute(truth, reigning) for each in metrics.for_task(project.task)
        },
        challenger_value=value,
        margin=limits.margin,
        difference=difference,
        low=low,
        high=high,
        verdicts=verdicts,
        footprints=list(footprints),
    )
    evidence.write(result, out / "comparison.json")


def _require_comparable(card: artifact.Card, contract: Contract, conf: Path, champion: str) -> None:
    """The champion must be able to predict today's rows, and mean the same by it."""
    gone = [name for name in card.features if name not in contract.columns]
    fault = ""
    if gone:
        fault = f"it needs {', '.join(gone)}, which conf/data.yml has no more"
    elif set(card.labels) != set(contract.labels):
        fault = f"it knows the classes {card.labels}, conf/data.yml has {contract.labels}"
    if fault:
        raise UsageError(
            f"version {champion}, the champion, cannot predict the test set: {fault}. Keep a "
            "column that the model no longer needs with `role: ignored`. If the data is another "
            f"one now, as after the sample's, {experiments.begin_anew(conf)}"
        )
