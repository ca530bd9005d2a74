"""Compares challenger and champion on the same rows: which is better, and is it significant?"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from mlops_platform import evidence, settings
from mlops_platform.core.errors import UsageError
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.evaluation import bootstrap, gates, groups, metrics
from mlops_platform.models import artifact, dataset, footprint, team
from mlops_platform.tracking import experiments
from mlops_platform.tracking.registry import Registry


def run(conf: Path, data: Path, model: Path, evaluation: Path, out: Path) -> None:
    """Write `out/comparison.json`.

    A rejected challenger is a result, not an error: the decision is in the evidence. An unreachable
    registry is an error, and ends the run.
    """
    project, limits = settings.load_project(conf), settings.load_gates(conf)
    contract = load_contract(conf / "data.yml", project.task)
    seed = settings.load_train(conf).seed
    metric = metrics.primary_metric(limits, project.task, conf)
    measured = evidence.read(evidence.Evaluation, evaluation / "evaluation.json")
    rows = dataset.read_part(data, "test", contract)
    truth = dataset.encode_target(rows, contract)

    code = team.load_team(conf)
    fitted = artifact.load(model, code)
    challenger_predictions = dataset.predict(fitted, rows[contract.features], contract.labels)
    threshold = artifact.load_card(model).threshold
    of_challenger = metric.at(threshold)
    value = of_challenger.compute(truth, challenger_predictions)

    own_footprint = footprint.measure(model, code)

    registry = Registry(conf)
    champion = registry.holder("champion")
    if champion is None:
        verdicts = gates.check_guardrails(
            size_mb=own_footprint.size_mb,
            load_seconds=own_footprint.load_seconds,
            challenger=measured.groups,
            champion=[],
            higher_is_better=metric.higher_is_better,
            gates=limits,
        )
        failed = [verdict for verdict in verdicts if not verdict.passed]
        result = evidence.Comparison(
            decision="rejected" if failed else "accepted",
            reason="guardrail violated: " + "; ".join(verdict.message for verdict in failed)
            if failed
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
            footprints=[own_footprint],
        )
        evidence.write(result, out / "comparison.json")
        return

    with tempfile.TemporaryDirectory() as scratch:
        folder = registry.download(champion, Path(scratch))
        card = artifact.load_card(folder)
        _require_comparable(card, contract, conf, champion.number)
        champion_predictions = dataset.predict(
            artifact.load(folder, code), rows[card.features], contract.labels
        )
        of_champion = metric.at(card.threshold)
        footprints = (own_footprint, footprint.measure(folder, code))
    champion_value = of_champion.compute(truth, champion_predictions)
    challenger_on = of_challenger.on(truth, challenger_predictions)
    champion_on = of_champion.on(truth, champion_predictions)
    resampled = bootstrap.estimates(
        len(truth),
        lambda counts: metric.gain(challenger_on(counts), champion_on(counts)),
        times=limits.resamples,
        seed=seed,
        groups=contract.group_codes(rows),
    )
    low, high = bootstrap.interval(resampled, limits.confidence)
    difference = metric.gain(value, champion_value)
    same = np.array_equal(challenger_predictions, champion_predictions)
    if same and threshold == card.threshold:
        difference = 0.0
    verdicts = gates.check_guardrails(
        size_mb=own_footprint.size_mb,
        load_seconds=own_footprint.load_seconds,
        challenger=measured.groups,
        champion=groups.by_group(
            rows,
            truth,
            champion_predictions,
            metric=of_champion,
            contract=contract,
            limits=limits,
            seed=seed,
        ),
        higher_is_better=metric.higher_is_better,
        gates=limits,
    ) + gates.check_footprint(*footprints, limits)
    accepted, reason = gates.accept_challenger(
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
            each.name: each.at(card.threshold).compute(truth, champion_predictions)
            for each in metrics.metrics_for_task(project.task)
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
    """Check that the champion can predict the current rows, with the same classes."""
    missing = [name for name in card.features if name not in contract.columns]
    problem = ""
    if missing:
        problem = f"it needs {', '.join(missing)}, which conf/data.yml no longer has"
    elif set(card.labels) != set(contract.labels):
        problem = f"it knows the classes {card.labels}, conf/data.yml has {contract.labels}"
    if problem:
        raise UsageError(
            f"version {champion}, the champion, cannot predict the test set: {problem}. Keep a "
            "column that the model no longer needs with `role: ignored`. If the data is new, "
            f"such as your own after the sample's, {experiments.how_to_start_over(conf)}"
        )
