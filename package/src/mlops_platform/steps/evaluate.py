"""Evaluates the model on the test set, and checks the metrics against the quality limits."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import calibration_curve
from sklearn.inspection import permutation_importance
from sklearn.metrics import confusion_matrix

from mlops_platform import evidence, settings
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.data.contract import Contract, load_contract
from mlops_platform.data.decision import decide
from mlops_platform.evaluation import (
    bootstrap,
    gates,
    groups,
    metrics,
    perturbations,
    spread,
    suspicion,
)
from mlops_platform.models import artifact, dataset, team
from mlops_platform.tracking import experiments

MAX_RESIDUALS = 400
MAX_IMPORTANCE_ROWS = 50_000


def run(conf: Path, data: Path, model: Path, out: Path) -> None:
    """Write `out/evaluation.json`; add the test metrics to the run.

    Raises:
        GateError: a quality limit is violated, and gates block at the project's stage.
    """
    project, limits = settings.load_project(conf), settings.load_gates(conf)
    contract = load_contract(conf / "data.yml", project.task)
    seed = settings.load_train(conf).seed
    fitted = artifact.load(model, team.load_team(conf))
    card = artifact.load_card(model)
    deciding = metrics.primary_metric(limits, project.task, conf).at(card.threshold)
    rows = dataset.read_part(data, "test", contract)
    split = evidence.read(evidence.Split, data / "split.json")
    features, truth = rows[contract.features], dataset.encode_target(rows, contract)
    predicted = dataset.predict(fitted, features, contract.labels)

    train_rows = dataset.read_part(data, "train", contract)
    constant = dataset.fit_baseline(train_rows, contract)
    baseline = dataset.predict(constant, features, contract.labels)
    measures = _measures(
        [metric.at(card.threshold) for metric in metrics.metrics_for_task(project.task)],
        truth,
        predicted,
        baseline=baseline,
        labels=contract.labels,
        limits=limits,
        seed=seed,
        alike=contract.group_codes(rows),
    )
    verdicts = gates.check_quality(measures, limits, blocks=project.gates_block)
    verdicts += suspicion.find(
        train_rows,
        rows,
        (dataset.encode_target(train_rows, contract), truth),
        decided=decide(predicted, card.threshold) if contract.labels else predicted,
        measures=measures,
        contract=contract,
    )
    varies = _spread(rows, truth, predicted, metric=deciding, contract=contract, seed=seed)
    result = evidence.Evaluation(
        run_id=card.run_id,
        task=project.task,
        metric=deciding.name,
        test_hash=split.hashes["test"],
        rows=len(rows),
        predictions_hash=hash_predictions(predicted),
        measures=measures,
        groups=groups.by_group(
            rows, truth, predicted, metric=deciding, contract=contract, limits=limits, seed=seed
        ),
        robustness=_robustness(
            fitted, features, truth, metric=deciding, contract=contract, seed=seed
        ),
        importance=_importance(
            fitted, features, truth, metric=deciding, contract=contract, seed=seed
        ),
        size_mb=artifact.size_mb(model),
        verdicts=verdicts,
        labels=contract.labels,
        confusion=_confusion(truth, predicted, contract, card.threshold),
        threshold=card.threshold,
        calibration=_calibration(truth, predicted, contract),
        residuals=_residuals(truth, predicted, contract),
        spread=varies.tau if varies else None,
        blocks=varies.blocks if varies else 0,
    )
    evidence.write(result, out / "evaluation.json")
    experiments.record(
        conf,
        card.run_id,
        metrics={f"test_{measure.name}": measure.value for measure in measures},
        tags={"predictions_hash": result.predictions_hash},
    )
    failed = [verdict for verdict in verdicts if verdict.blocks and not verdict.passed]
    if failed:
        lines = "\n".join(f"  {verdict.message}" for verdict in failed)
        raise GateError(
            f"the model is not good enough:\n{lines}\n"
            "Improve the model or the data; lower a limit only with those who use the model."
        )


def hash_predictions(predicted: np.ndarray) -> str:
    """SHA-256 of the predictions, bit for bit."""
    return hashlib.sha256(np.ascontiguousarray(predicted, dtype="<f8").tobytes()).hexdigest()


def _measures(
    found: list[metrics.Metric],
    truth: np.ndarray,
    predicted: np.ndarray,
    *,
    baseline: np.ndarray,
    labels: list[str],
    limits: settings.Gates,
    seed: int,
    alike: np.ndarray | None,
) -> list[evidence.Measure]:
    """Each metric with its interval; all on the same resamples."""
    values = [metric.compute(truth, predicted) for metric in found]
    for metric, value in zip(found, values, strict=True):
        if not np.isfinite(value):
            counts = [f"`{label}` {(truth == code).sum()}" for code, label in enumerate(labels)]
            raise UsageError(
                f"{metric.name} is not defined on the {len(truth)} rows of the test set: it needs "
                f"more than one class or value{' (' + ', '.join(counts) + ')' if counts else ''}. "
                "Make the test set larger in conf/train.yml, field `split`."
            )
    prepared = [metric.on(truth, predicted) for metric in found]
    resampled = bootstrap.estimates(
        len(truth),
        lambda counts: [compute(counts) for compute in prepared],
        times=limits.resamples,
        seed=seed,
        groups=alike,
    )
    measures = []
    for metric, value, estimates in zip(found, values, resampled.T, strict=True):
        low, high = bootstrap.interval(estimates, limits.confidence)
        constant = metric.compute(truth, baseline)
        measures.append(
            evidence.Measure(
                name=metric.name,
                higher_is_better=metric.higher_is_better,
                value=value,
                low=low,
                high=high,
                baseline=constant if np.isfinite(constant) else None,
            )
        )
    return measures


def _spread(
    rows: pd.DataFrame,
    truth: np.ndarray,
    predicted: np.ndarray,
    *,
    metric: metrics.Metric,
    contract: Contract,
    seed: int,
) -> spread.Spread | None:
    names = contract.named("time")
    if not names:
        return None
    alike = contract.group_codes(rows)
    return spread.over_time(rows[names[0]], truth, predicted, metric=metric, seed=seed, alike=alike)


def _robustness(
    fitted: Any,
    features: pd.DataFrame,
    truth: np.ndarray,
    *,
    metric: metrics.Metric,
    contract: Contract,
    seed: int,
) -> list[evidence.Robustness]:
    """The metric on each perturbed test set, and the loss."""
    value = metric.compute(truth, dataset.predict(fitted, features, contract.labels))
    results = []
    for name, changed in (
        ("noise on numbers", perturbations.add_noise(features, contract, seed)),
        ("a tenth of values missing", perturbations.drop_values(features, contract, seed)),
    ):
        after = metric.compute(truth, dataset.predict(fitted, changed, contract.labels))
        results.append(
            evidence.Robustness(name=name, value=after, worse_by=metric.gain(value, after))
        )
    return results


def _importance(
    fitted: Any,
    features: pd.DataFrame,
    truth: np.ndarray,
    *,
    metric: metrics.Metric,
    contract: Contract,
    seed: int,
) -> list[evidence.Importance]:
    """Permutation importance on the test set, the most important feature first.

    Of a larger one, on a sample: each feature costs five predictions of all rows.
    """
    if len(features) > MAX_IMPORTANCE_ROWS:
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.choice(len(features), MAX_IMPORTANCE_ROWS, replace=False))
        features, truth = features.iloc[chosen].reset_index(drop=True), truth[chosen]

    def score(model: Any, rows: pd.DataFrame, expected: np.ndarray) -> float:
        value = metric.compute(expected, dataset.predict(model, rows, contract.labels))
        return value if metric.higher_is_better else -value

    result = permutation_importance(
        fitted, features, truth, scoring=score, n_repeats=5, random_state=seed
    )
    importances = [
        evidence.Importance(feature=name, mean=float(mean), std=float(std))
        for name, mean, std in zip(
            features.columns, result.importances_mean, result.importances_std, strict=True
        )
    ]
    return sorted(importances, key=lambda importance: -importance.mean)


def _confusion(
    truth: np.ndarray, predicted: np.ndarray, contract: Contract, threshold: float | None
) -> list[list[int]]:
    """Confusion matrix: rows are the truth, columns the prediction, in the order of the labels."""
    if not contract.labels:
        return []
    codes = list(range(len(contract.labels)))
    matrix: list[list[int]] = confusion_matrix(
        truth, decide(predicted, threshold), labels=codes
    ).tolist()
    return matrix


def _calibration(
    truth: np.ndarray, predicted: np.ndarray, contract: Contract
) -> list[evidence.CalibrationBin]:
    """Calibration curve in ten bins of equal count, for each class (the second one of two)."""
    bins = []
    first = 1 if len(contract.labels) == 2 else 0
    for code, label in list(enumerate(contract.labels))[first:]:
        true = truth == code
        if not 0 < true.sum() < len(true):
            continue
        observed, mean = calibration_curve(true, predicted[:, code], n_bins=10, strategy="quantile")
        rows_per_bin = len(truth) // max(len(mean), 1)
        bins += [
            evidence.CalibrationBin(
                label=label, predicted=float(p), observed=float(o), rows=rows_per_bin
            )
            for p, o in zip(mean, observed, strict=True)
        ]
    return bins


def _residuals(
    truth: np.ndarray, predicted: np.ndarray, contract: Contract
) -> list[tuple[float, float]]:
    """Pairs of prediction and residual, sampled evenly by prediction."""
    if contract.labels:
        return []
    order = np.argsort(predicted, kind="stable")
    selected = order[:: max(1, len(order) // MAX_RESIDUALS)]
    return [(float(predicted[i]), float(truth[i] - predicted[i])) for i in selected]
