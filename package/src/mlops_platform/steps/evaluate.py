"""Looks at the model on the test set from every side, and holds it against the quality limits."""

from __future__ import annotations

import hashlib
import time
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
from mlops_platform.evaluation import gates, groups, metrics
from mlops_platform.models import artifact, dataset, team
from mlops_platform.tracking import experiments

NOISE = 0.1
BLANKED = 0.1
SHOWN_RESIDUALS = 400


def run(conf: Path, data: Path, model: Path, out: Path) -> None:
    """Write `out/evaluation.json`; add the test metrics to the run.

    Raises:
        GateError: a quality limit is broken, and the project's stage lets it block.
    """
    project, limits = settings.load_project(conf), settings.load_gates(conf)
    contract = load_contract(conf / "data.yml", project.task)
    seed = settings.load_train(conf).seed
    measured = metrics.for_task(project.task)
    deciding = metrics.deciding(limits, project.task, conf)

    began = time.perf_counter()
    fitted = artifact.load(model, team.of(conf))
    load_seconds = time.perf_counter() - began
    card = artifact.load_card(model)
    rows = dataset.read_part(data, "test", contract)
    split = evidence.read(evidence.Split, data / "split.json")
    features, truth = rows[contract.features], dataset.truth(rows, contract)
    predicted = dataset.predict(fitted, features, contract.labels)

    constant = dataset.constant(dataset.read_part(data, "train", contract), contract)
    baseline = dataset.predict(constant, features, contract.labels)
    measures = [
        _measure(metric, truth, predicted, baseline=baseline, limits=limits, seed=seed)
        for metric in measured
    ]
    verdicts = gates.quality(measures, limits, blocks=project.gates_block)
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
        load_seconds=load_seconds,
        verdicts=verdicts,
        labels=contract.labels,
        confusion=_confusion(truth, predicted, contract),
        calibration=_calibration(truth, predicted, contract),
        residuals=_residuals(truth, predicted, contract),
    )
    evidence.write(result, out / "evaluation.json")
    experiments.record(
        conf,
        card.run_id,
        metrics={f"test_{measure.name}": measure.value for measure in measures},
        tags={"predictions_hash": result.predictions_hash},
    )
    broken = [verdict for verdict in verdicts if verdict.blocks and not verdict.passed]
    if broken:
        lines = "\n".join(f"  {verdict.message}" for verdict in broken)
        raise GateError(
            f"the model is not good enough:\n{lines}\n"
            "Improve the model or the data; lower a limit only with those who use the model."
        )


def hash_predictions(predicted: np.ndarray) -> str:
    """SHA-256 of the predictions, bit for bit."""
    return hashlib.sha256(np.ascontiguousarray(predicted, dtype="<f8").tobytes()).hexdigest()


def _measure(
    metric: metrics.Metric,
    truth: np.ndarray,
    predicted: np.ndarray,
    *,
    baseline: np.ndarray,
    limits: settings.Gates,
    seed: int,
) -> evidence.Measure:
    drawn = metrics.resamples(
        len(truth),
        lambda picked: metric.compute(truth[picked], predicted[picked]),
        times=limits.resamples,
        seed=seed,
    )
    low, high = metrics.interval(drawn, limits.confidence)
    value = metric.compute(truth, predicted)
    if not np.isfinite(value):
        raise UsageError(
            f"{metric.name} is not defined on the {len(truth)} rows of the test set: it needs more "
            "than one class or value. Make the test set larger in conf/train.yml, field `split`."
        )
    constant = metric.compute(truth, baseline)
    return evidence.Measure(
        name=metric.name,
        higher_is_better=metric.higher_is_better,
        value=value,
        low=low,
        high=high,
        baseline=constant if np.isfinite(constant) else None,
    )


def _robustness(
    fitted: Any,
    features: pd.DataFrame,
    truth: np.ndarray,
    *,
    metric: metrics.Metric,
    contract: Contract,
    seed: int,
) -> list[evidence.Robustness]:
    """The metric after noise of 0.1 standard deviations, and after blanking a tenth of the values.

    Only columns that may be missing are blanked.
    """
    rng = np.random.default_rng(seed)
    noisy, blanked = features.copy(), features.copy()
    for name in contract.numeric_features:
        column = contract.columns[name]
        noise = rng.normal(0, NOISE * float(features[name].std()), len(features))
        noisy[name] = (features[name] + noise).clip(column.min, column.max)
    for name in contract.features:
        if contract.columns[name].missing:
            blanked.loc[rng.random(len(features)) < BLANKED, name] = np.nan
    value = metric.compute(truth, dataset.predict(fitted, features, contract.labels))
    results = []
    for name, disturbed in (("noise on numbers", noisy), ("a tenth of values missing", blanked)):
        after = metric.compute(truth, dataset.predict(fitted, disturbed, contract.labels))
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
    """Breiman's permutation importance on the test set, most important first."""

    def score(model: Any, rows: pd.DataFrame, expected: np.ndarray) -> float:
        value = metric.compute(expected, dataset.predict(model, rows, contract.labels))
        return value if metric.higher_is_better else -value

    found = permutation_importance(
        fitted, features, truth, scoring=score, n_repeats=5, random_state=seed
    )
    listed = [
        evidence.Importance(feature=name, mean=float(mean), std=float(std))
        for name, mean, std in zip(
            features.columns, found.importances_mean, found.importances_std, strict=True
        )
    ]
    return sorted(listed, key=lambda importance: -importance.mean)


def _confusion(truth: np.ndarray, predicted: np.ndarray, contract: Contract) -> list[list[int]]:
    """Rows are the truth, columns the prediction, both in the labels' order."""
    if not contract.labels:
        return []
    codes = list(range(len(contract.labels)))
    return confusion_matrix(truth, predicted.argmax(axis=1), labels=codes).tolist()


def _calibration(
    truth: np.ndarray, predicted: np.ndarray, contract: Contract
) -> list[evidence.CalibrationBin]:
    """Ten bins of equal count, for each class but the first of two."""
    bins = []
    first = 1 if len(contract.labels) == 2 else 0
    for code, label in list(enumerate(contract.labels))[first:]:
        true = truth == code
        if not 0 < true.sum() < len(true):
            continue
        observed, mean = calibration_curve(true, predicted[:, code], n_bins=10, strategy="quantile")
        each = len(truth) // max(len(mean), 1)
        bins += [
            evidence.CalibrationBin(label=label, predicted=float(p), observed=float(o), rows=each)
            for p, o in zip(mean, observed, strict=True)
        ]
    return bins


def _residuals(
    truth: np.ndarray, predicted: np.ndarray, contract: Contract
) -> list[tuple[float, float]]:
    """Pairs of prediction and residual, evenly picked along the prediction."""
    if contract.labels:
        return []
    order = np.argsort(predicted, kind="stable")
    picked = order[:: max(1, len(order) // SHOWN_RESIDUALS)]
    return [(float(predicted[i]), float(truth[i] - predicted[i])) for i in picked]
